/** Colours: on a terminal only, and never with NO_COLOR (https://no-color.org). */
import type { Io, Sink } from '../io.ts';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export type Style = (colour: Colour, text: string) => string;

/** How to colour what goes to a sink. */
export function styleFor(sink: Sink, env: Io['env']): Style {
  const plain = sink.isTTY !== true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  if (plain) return (_colour, text) => text;
  return (colour, text) => `\u001b[${CODES[colour][0]}m${text}\u001b[${CODES[colour][1]}m`;
}
