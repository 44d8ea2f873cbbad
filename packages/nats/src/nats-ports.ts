/** All ports over one connection. */
import type { Clock, Ports } from '@troupe/runtime';
import { NatsBus } from './bus.ts';
import { realClock } from './clock.ts';
import type { NatsConfig } from './config.ts';
import type { Connection } from './connect.ts';
import { NatsDeadLetters } from './dead-letters.ts';
import { NatsJournal } from './journal.ts';
import { JsApi } from './js-api.ts';
import { NatsParking } from './parking.ts';
import { NatsRecords } from './records.ts';
import { NatsSnapshots } from './snapshots.ts';
import { NatsTicks } from './ticks.ts';

/**
 * The runtime's ports on a connection whose streams are provisioned. `close` closes the connection too.
 *
 * @example
 * const connection = await connectNats({ waitMs: 30_000 });
 * const config = resolveConfig();
 * await provision(connection, config);
 * const ports = createNatsPorts(connection, config);
 */
export function createNatsPorts(connection: Connection, config: NatsConfig, clock: Clock = realClock): Ports {
  const api = new JsApi(connection, config.apiPrefix);
  const bus = new NatsBus(api, config);
  const ticks = new NatsTicks(api, config, clock);
  const journal = new NatsJournal(api, config, clock);
  return {
    clock,
    journal,
    snapshots: new NatsSnapshots(api, config, clock),
    records: new NatsRecords(api, config, clock),
    ticks,
    deadLetters: new NatsDeadLetters(api, config, clock),
    parking: new NatsParking(api, config, clock),
    bus,
    close: async () => {
      bus.close();
      await Promise.all([journal.close(), ticks.close()]);
      await connection.close();
    },
  };
}
