import type { Check } from '../check.ts';
import { ok, problem } from '../finding.ts';

/** Scheduled messages came with this release. */
const VERSION_MIN = [2, 12] as const;

export const server: Check = {
  name: 'server',
  looksAt: 'that the broker is there and recent enough',
  async run({ open }) {
    const version = open.connection.serverVersion;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [majorMin, minorMin] = VERSION_MIN;
    if (major > majorMin || (major === majorMin && minor >= minorMin)) return ok('server', `nats-server ${version}`);
    return problem(
      'server',
      `nats-server is ${version}, needed is ${VERSION_MIN.join('.')} or later: upgrade it.`,
      'nats-server --version',
    );
  },
};
