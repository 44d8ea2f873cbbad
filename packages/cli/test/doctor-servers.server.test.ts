/** `troupe doctor` at servers that are not as they should be: real ones, each of its own kind. */
import { startServerProcess } from '@troupe/nats';
import { JsApi } from '@troupe/nats/internal';
import { describe, expect, test } from 'vitest';
import { type Finding, portsAt } from './support/doctor.ts';
import { olderServer } from './support/older-server.ts';
import { troupe as here } from './support/run.ts';

describe('troupe doctor at other servers', () => {
  const at = async (natsUrl: string, env: Record<string, string> = {}): Promise<Finding[]> => {
    const { stdout } = await here(['doctor', '--json', '--nats-url', natsUrl], { env });
    return (JSON.parse(stdout) as { checks: Finding[] }).checks;
  };

  test('says that one is too old, and looks at nothing else', async () => {
    const server = await startServerProcess();
    try {
      await using older = await olderServer(server.url, '2.11.9');
      expect(await at(older.url)).toMatchObject([
        { check: 'server', status: 'problem', message: expect.stringContaining('2.11.9') },
      ]);
      expect((await at(server.url))[0]).toMatchObject({ check: 'server', status: 'ok' });
    } finally {
      await server.close();
    }
  });

  test('says that JetStream is off', async () => {
    const server = await startServerProcess({ jetstream: false });
    try {
      expect(await at(server.url)).toMatchObject([
        { status: 'problem', message: expect.stringContaining('JetStream is off') },
      ]);
    } finally {
      await server.close();
    }
  });

  test('sees how full an account is, and says of what it may not look at that it does not know', async () => {
    const server = await startServerProcess({
      config: `accounts { T { jetstream { max_file: 48MB }, users [
        { user: all, password: p },
        { user: weak, password: p, permissions { publish { deny: ["$JS.API.STREAM.INFO.TROUPE_DEAD"] } } } ] } }`,
    });
    const userOf = (name: string) => ({ TROUPE_NATS_USER: name, TROUPE_NATS_PASS: 'p' });
    const { connection, ports } = await portsAt(server.url, { ...userOf('all'), provision: 'yes' });
    try {
      const before = await at(server.url, userOf('all'));
      expect(before.find(({ check }) => check === 'disk')).toMatchObject({ status: 'ok' });
      expect(before.find(({ check }) => check === 'dead-letters')).toMatchObject({ status: 'ok' });
      const weak = await at(server.url, userOf('weak'));
      expect(weak.find(({ check }) => check === 'dead-letters')).toMatchObject({
        status: 'unknown',
        message: expect.stringContaining('may not look'),
        fix: 'troupe doctor --creds FILE',
      });
      const used = 'STREAM.CREATE.FILL';
      await new JsApi(connection).call(used, { name: 'FILL', subjects: ['fill'], storage: 'file', max_bytes: -1 });
      for (let n = 0; n < 47; n++) await ports.bus.request('fill', new Uint8Array(1_000_000), { timeoutMs: 5_000 });
      expect((await at(server.url, userOf('all'))).find(({ check }) => check === 'disk')).toMatchObject({
        status: 'warning',
        message: expect.stringContaining("of the account's storage"),
      });
    } finally {
      await ports.close();
      await server.close();
    }
  });
});
