/**
 * What watchers ask of a worker: to be told for a while what it does, and what a machine looks like. And how somebody is
 * noticed who only subscribes.
 */
import type { ActorDefinition } from '@troupe/core';
import { encodePayload, type MachineStructure, type Subjects } from '@troupe/wire';
import { Answerable } from './answerable.ts';
import type { Log } from './log.ts';
import type { Observer, Watch } from './observer.ts';
import { type BusMessage, type BusPort, type Clock, PortError, type Timer } from './ports.ts';

/** Actors or types that one watch may name. */
const NAMES_MAX = 1_000;
const NAME_LENGTH_MAX = 400;
/** The watch held for those who only subscribe. */
const SUBSCRIBERS = 'subscribers';
const PROBE_TIMEOUT_MS = 250;
const decoder = new TextDecoder();

export interface InspectionHost {
  readonly workerId: string;
  readonly ports: { readonly bus: BusPort; readonly clock: Clock };
  readonly subjects: Subjects;
  readonly options: { readonly replyPrefixes: readonly string[] };
  readonly log: Log;
  readonly definitions: ReadonlyMap<string, ActorDefinition>;
  readonly observer: Observer;
}

/**
 * Answers `control.watch` and `control.structure`.
 *
 * @param probeEveryMs how often to look whether anybody subscribes to all observations; undefined: never.
 * @returns how to stop, which ends every watch.
 */
export function serveInspection(host: InspectionHost, probeEveryMs?: number): { close(): void } {
  const { bus } = host.ports;
  const closers = [
    bus.subscribe(host.subjects.control('watch'), {}, (message) => answerWatch(host, new Answerable(message, host))),
    bus.subscribe(host.subjects.control('structure'), {}, (message) =>
      answerStructure(host, new Answerable(message, host)),
    ),
    probeEveryMs === undefined ? { close: () => {} } : startProbe(host, probeEveryMs),
  ];
  return {
    close: () => {
      for (const one of closers) one.close();
      host.observer.stop();
    },
  };
}

/** The machine of a type, as every worker that has it answers. */
export function machineStructure({ type, version, hash, driver }: ActorDefinition): MachineStructure {
  return { type, version, hash, ...driver.structure() };
}

function answerWatch({ observer, workerId }: InspectionHost, message: BusMessage): void {
  const watch = parseWatch(message.payload);
  // JetStream acknowledges to whatever reply subject a publisher names: what is no watch is nobody's request.
  if (watch === undefined) return;
  const watching = observer.watch(watch);
  message.respond(
    encodePayload({
      worker: workerId,
      watching,
      watchers: observer.watchers,
      observed: observer.observed,
      dropped: observer.dropped,
    }),
  );
}

/** A worker that doesn't have the type is silent: another one may. */
function answerStructure({ definitions }: InspectionHost, message: BusMessage): void {
  const type = parseObject(message.payload)?.type;
  const definition = typeof type === 'string' ? definitions.get(type) : undefined;
  if (definition !== undefined) message.respond(encodePayload(machineStructure(definition)));
}

function parseWatch(payload: Uint8Array): Watch | undefined {
  const { watcher, ttlMs, actors, types } = parseObject(payload) ?? {};
  if (typeof watcher !== 'string' || watcher === '' || watcher.length > 128 || watcher === SUBSCRIBERS)
    return undefined;
  if (typeof ttlMs !== 'number' || !Number.isFinite(ttlMs)) return undefined;
  if (!isNames(actors) || !isNames(types)) return undefined;
  return { watcher, ttlMs, ...(actors === undefined ? {} : { actors }), ...(types === undefined ? {} : { types }) };
}

function isNames(value: unknown): value is string[] | undefined {
  if (value === undefined) return true;
  return (
    Array.isArray(value) &&
    value.length <= NAMES_MAX &&
    value.every((name) => typeof name === 'string' && name.length <= NAME_LENGTH_MAX)
  );
}

function parseObject(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(payload));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A request that nobody can answer, on a subject that only those hear who subscribe to everything: the server says at
 * once when there is none of them.
 */
function startProbe({ observer, ports, subjects }: InspectionHost, everyMs: number): { close(): void } {
  const { bus, clock } = ports;
  const subject = `${subjects.prefix}.inspect.watched`;
  let timer: Timer | undefined;
  let isOver = false;
  const probe = async (): Promise<void> => {
    const isHeard = bus.connected && (await hears(bus, subject));
    if (isOver) return;
    if (isHeard) observer.watch({ watcher: SUBSCRIBERS, ttlMs: everyMs * 3 });
    timer = clock.setTimer(() => void probe(), everyMs);
  };
  timer = clock.setTimer(() => void probe(), everyMs);
  return {
    close: () => {
      isOver = true;
      timer?.cancel();
    },
  };
}

async function hears(bus: BusPort, subject: string): Promise<boolean> {
  const payload = encodePayload({ type: 'troupe.watched' });
  try {
    await bus.request(subject, payload, { timeoutMs: PROBE_TIMEOUT_MS });
    return true;
  } catch (error) {
    return error instanceof PortError && error.kind === 'timeout';
  }
}
