/** Room for what is stored: the account's limit, else the disk where this is the machine of the server. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { readAccount } from '../../operator/streams.ts';
import { showBytes } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, problem, unknown, warning } from '../finding.ts';

const LOOPBACK = /\/\/(?:[^@/]*@)?(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?::|\/|$)/;

export const disk: Check = {
  name: 'disk',
  looksAt: "how full the account's storage is, or the disk of a server on this machine",
  async run({ open, project, limits }) {
    const account = (await readAccount(open)) as { storage?: number; limits?: { max_storage?: number } };
    const max = account.limits?.max_storage ?? -1;
    if (max > 0) return judge(account.storage ?? 0, max, limits.usageMaxPercent, "of the account's storage");
    const { natsUrl, dataDir } = project.settings;
    if (LOOPBACK.test(natsUrl) && existsSync(dataDir)) {
      const { bsize, blocks, bavail } = await statfs(dataDir);
      return judge((blocks - bavail) * bsize, blocks * bsize, limits.usageMaxPercent, `of the disk of ${dataDir}`);
    }
    return unknown(
      'disk',
      "the account has no limit, and the server's disk can't be seen from here: look there, or give the account a max_storage.",
      'nats server report jetstream',
    );
  },
};

function judge(used: number, max: number, maxPercent: number, what: string): Finding {
  const percent = Math.round((used / max) * 1_000) / 10;
  const text = `${showBytes(used)} of ${showBytes(max)} used (${percent} % ${what})`;
  if (used >= max) return problem('disk', `${text}: nothing more is accepted.`, 'nats stream report');
  if (percent < maxPercent) return ok('disk', text);
  return warning(
    'disk',
    `${text}: nearly full; make room, or give more to the account or the disk.`,
    'nats stream report',
  );
}
