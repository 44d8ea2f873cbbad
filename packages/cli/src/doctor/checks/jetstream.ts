import { readAccount } from '../../operator/streams.ts';
import { showBytes } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';

export const jetstream: Check = {
  name: 'jetstream',
  looksAt: 'that JetStream is on for this account',
  async run({ open }) {
    const { storage = 0, streams = 0 } = (await readAccount(open)) as { storage?: number; streams?: number };
    return ok('jetstream', `on, ${showBytes(storage)} in ${streams} streams`);
  },
};
