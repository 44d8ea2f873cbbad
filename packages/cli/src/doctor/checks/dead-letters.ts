import { formatAddress } from '@troupe/wire';
import { readStream } from '../../operator/streams.ts';
import { showDistance } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { ok, unknown, warning } from '../finding.ts';
import { someOf } from '../names.ts';

/** Letters that are read to say what they are of, at most. */
const READ_MAX = 1_000;

export const deadLetters: Check = {
  name: 'dead-letters',
  looksAt: 'entries that could not be applied',
  async run({ open, limits }) {
    const { deadLetters: stream } = open.config.streams;
    const count = (await readStream(open, stream))?.state.messages;
    if (count === undefined) return unknown('dead-letters', `stream ${stream} is missing.`, 'troupe worker');
    if (count <= limits.deadMax) return ok('dead-letters', `${count} lie there`);
    const byCode = new Map<string, number>();
    let newest: { readonly at: number; readonly actor: string; readonly seq: number } | undefined;
    let read = 0;
    for await (const { at, code, address, seq } of open.ports.deadLetters.list({})) {
      byCode.set(code, (byCode.get(code) ?? 0) + 1);
      if (at >= (newest?.at ?? 0)) newest = { at, actor: formatAddress(address), seq };
      if (++read >= READ_MAX) break;
    }
    const codes = [...byCode].sort(([, a], [, b]) => b - a).map(([code, times]) => `${times} ${code}`);
    const last = newest === undefined ? '' : `; the newest of ${newest.actor}, ${showDistance(newest.at - Date.now())}`;
    return warning(
      'dead-letters',
      `${count} could not be applied (${someOf(codes)}${last}): look why, then redrive or drop them.`,
      newest === undefined ? 'troupe dead ls' : `troupe dead show ${newest.seq}`,
    );
  },
};
