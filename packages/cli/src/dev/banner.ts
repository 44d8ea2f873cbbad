/** What `troupe dev` says once it runs: where it is, that anybody may do anything, what to paste, and where to look. */
import type { ActorHint } from '@troupe/service-worker/internal';
import { createSubjects, PREFIX_DEFAULT, parseAddress } from '@troupe/wire';
import { shellWord } from '../output/format.ts';

export interface BannerInput {
  readonly url: string;
  readonly prefix: string;
  readonly own: boolean;
  readonly dataDir: string;
  readonly actors: readonly ActorHint[];
  readonly suggestion: { readonly address: string; readonly input: string } | undefined;
  /** Something real that is served. */
  readonly page: ServedPage | undefined;
  /** How this command was called: `troupe`, or through npm in a checkout. */
  readonly command: string;
}

export interface ServedPage {
  readonly url: string;
  readonly needsToken: boolean;
  /** The port that it should have had, where something else listens there. */
  readonly portTaken: number | undefined;
}

const URL_DEFAULT = 'nats://127.0.0.1:4222';

/** How to call the command again: in a checkout it is no program of its own. */
export function commandName(env: Readonly<Record<string, string | undefined>>): string {
  return env.npm_lifecycle_event === 'troupe' ? 'npm run -s troupe --' : 'troupe';
}

export function bannerLines(input: BannerInput): string[] {
  const { url, own, dataDir, actors } = input;
  const hosted = actors.map(({ type, version }) => `${type} v${version}`).join(', ') || 'no actors';
  return [
    `troupe dev  ${url}  ${own ? `streams in ${dataDir}` : 'a server that was running already'}`,
    own
      ? 'Authentication is off: whoever reaches this port on this machine may do anything.'
      : 'Whoever may use that server may do what its permissions say.',
    `Hosting ${hosted}.`,
    '',
    ...pasteableLines(input),
    ...(input.page === undefined ? [] : pageLines(input.page)),
  ];
}

/** Where to look, as a link that a terminal makes clickable. */
function pageLines({ url, needsToken, portTaken }: ServedPage): string[] {
  const token = needsToken ? '  (sign in with a token of its file or environment)' : '';
  return [
    '',
    `Look inside: ${url}${token}`,
    ...(portTaken === undefined ? [] : [`(port ${portTaken} is taken by something else; this is the next free one)`]),
  ];
}

/** The lines that can be pasted; none where there is nothing to suggest. */
export function pasteableLines(input: BannerInput): string[] {
  const { url, prefix, command } = input;
  const { address, text } = suggestionOf(input);
  const lines: string[] = [];
  if (address !== undefined) {
    const flags = [
      url === URL_DEFAULT ? [] : ['--nats-url', url],
      prefix === PREFIX_DEFAULT ? [] : ['--prefix', prefix],
    ].flat();
    const server = url === URL_DEFAULT ? [] : ['-s', url];
    lines.push(
      [command, 'ask', address, text, ...flags].map((word) => (word === command ? word : shellWord(word))).join(' '),
    );
    lines.push(
      ['nats', ...server, 'req', createSubjects(prefix).ask(parseAddress(address)), text].map(shellWord).join(' '),
    );
  }
  return lines;
}

function suggestionOf({ suggestion, actors }: BannerInput): { address: string | undefined; text: string } {
  if (suggestion !== undefined) return { address: suggestion.address, text: suggestion.input };
  const [first] = actors;
  if (first === undefined) return { address: undefined, text: '' };
  const event = first.events.find((type) => type !== '*' && !/^(xstate|troupe)\./.test(type));
  const takesTasks = first.events.includes('task') || first.events.includes('*');
  return {
    address: `${first.type}/john`,
    text: takesTasks ? 'My name is John' : JSON.stringify({ type: event ?? 'start' }),
  };
}
