import { formatAddress } from '@troupe/wire';
import { readStream } from '../../operator/streams.ts';
import type { Check } from '../check.ts';
import { ok, unknown, warning } from '../finding.ts';
import { someOf } from '../names.ts';

/** Parked entries whose actors are looked up, at most. */
const ROWS_MAX = 1_000;

export const parked: Check = {
  name: 'parked',
  looksAt: 'entries that wait for code',
  async run({ open, limits }) {
    const { parked: stream } = open.config.streams;
    const info = await readStream(open, stream);
    if (info === undefined) return unknown('parked', `stream ${stream} is missing.`, 'troupe worker');
    const actors = new Set<string>();
    let count = 0;
    for await (const { address } of open.ports.parking.list({})) {
      actors.add(formatAddress(address));
      if (++count >= ROWS_MAX) break;
    }
    if (count <= limits.parkedMax) return ok('parked', `${count} entries are parked`);
    const [first = ''] = actors;
    return warning(
      'parked',
      `${count >= ROWS_MAX ? `${ROWS_MAX} or more` : count} entries wait for code that folds them (${someOf([...actors])}): deploy the type or the version that they need, and they are done in order.`,
      `troupe history ${first}`,
    );
  },
};
