/**
 * Workers as NATS micro services (ADR-32, "Service API"): `nats micro ls` shows them, each actor type
 * is an endpoint with its version.
 */
import { encodePayload } from '@troupe/wire';
import { Answerable } from './answerable.ts';
import type { BusMessage } from './ports.ts';
import type { ControlHost } from './requests.ts';

const NAME = 'troupe-worker';
const VERSION = '0.1.0';
const VERBS = ['PING', 'INFO', 'STATS'] as const;

/** Answers the three verbs for all services, for workers, and for this worker. */
export function serveDiscovery(host: ControlHost): { close(): void } {
  const startedAt = new Date(host.clock.now()).toISOString();
  const answers: Record<(typeof VERBS)[number], () => object> = {
    PING: () => ({ type: 'io.nats.micro.v1.ping_response', ...identity(host) }),
    INFO: () => ({
      type: 'io.nats.micro.v1.info_response',
      ...identity(host),
      description: 'Hosts Troupe actors.',
      endpoints: endpoints(host),
    }),
    STATS: () => ({
      type: 'io.nats.micro.v1.stats_response',
      ...identity(host),
      started: startedAt,
      endpoints: endpoints(host).map(({ name, subject, queue_group }) => ({
        name,
        subject,
        queue_group,
        num_requests: host.counters.byType.get(name)?.turns ?? 0,
        num_errors: host.counters.byType.get(name)?.failed ?? 0,
        processing_time: 0,
        average_processing_time: 0,
      })),
    }),
  };
  const closers = VERBS.flatMap((verb) =>
    [`$SRV.${verb}`, `$SRV.${verb}.${NAME}`, `$SRV.${verb}.${NAME}.${host.workerId}`].map((subject) =>
      host.ports.bus.subscribe(subject, {}, (message: BusMessage) =>
        new Answerable(message, host).respond(encodePayload(answers[verb]())),
      ),
    ),
  );
  return {
    close: () => {
      for (const one of closers) one.close();
    },
  };
}

function identity(host: ControlHost): object {
  return { name: NAME, id: host.workerId, version: VERSION, metadata: { prefix: host.subjects.prefix } };
}

function endpoints(
  host: ControlHost,
): { name: string; subject: string; queue_group: string; metadata: Record<string, string> }[] {
  return [...host.definitions.values()].map((definition) => ({
    name: definition.type,
    subject: host.subjects.ofType('ask', definition.type),
    queue_group: `${host.subjects.prefix}-workers`,
    metadata: { version: String(definition.version), turn: definition.turn, machine: definition.hash },
  }));
}
