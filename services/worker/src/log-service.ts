/**
 * Log levels of a live worker: asked and changed on `control.log.<worker>`, JSON requests, JSON answers. While a type's
 * level is debug, its turns, steps and effects are logged.
 *
 * Invariants
 * 1. A request has an inbox for its answer, or an address under a configured reply prefix, else it is none: JetStream
 *    acknowledges to whatever subject a publisher names.
 * 2. While no type's level is debug, the worker's steps know nothing of logs; a type whose level is above costs one look.
 */
import { type ActorDefinition, type ActorState, stepCorrelation, stepFacts } from '@troupe/core';
import {
  isLogLevel,
  LEVEL_FOR_MS_MAX,
  type LeveledLogger,
  LOG_LEVELS,
  WorkLog,
  type WorkOf,
} from '@troupe/diagnostics';
import type { BusMessage, Instrument, InstrumentedActor, Ports, StepNotice, Worker } from '@troupe/runtime';
import {
  assertReplyTo,
  correlationId,
  correlationOf,
  createSubjects,
  type EffectObservation,
  encodePayload,
  formatAddress,
  type Observed,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';

const decoder = new TextDecoder();

interface LogRequest {
  readonly op?: unknown;
  readonly type?: unknown;
  readonly level?: unknown;
  readonly forMs?: unknown;
}

export interface LogServiceOptions {
  readonly worker: Pick<Worker, 'id' | 'addInstrument'>;
  readonly bus: Ports['bus'];
  readonly prefix: string;
  readonly definitions: readonly ActorDefinition[];
  /** Where answers may go besides inboxes, as the worker has it. */
  readonly replyPrefixes: readonly string[];
  readonly log: LeveledLogger;
}

/** Answers, and logs what is wanted, until it is closed. */
export function serveLogLevels(options: LogServiceOptions): { close(): void } {
  const { worker, bus, prefix, definitions, replyPrefixes, log } = options;
  const { levels } = log;
  const types = definitions.map(({ type }) => type);
  const instrument = workInstrument(new WorkLog(log), (type) => levels.allows('debug', type));
  let end: (() => void) | undefined;
  const update = (): void => {
    const wanted = types.some((type) => levels.allows('debug', type));
    if (wanted) end ??= worker.addInstrument(instrument);
    else {
      end?.();
      end = undefined;
    }
  };
  const handle = ({ op, type, level, forMs }: LogRequest): object => {
    if (type !== undefined && !types.includes(String(type)))
      throw new TroupeError(
        'NotFound',
        `Worker ${worker.id} hosts no type ${JSON.stringify(type)}, but ${types.join(', ')}.`,
      );
    const of = type === undefined ? {} : { type: String(type) };
    if (op === 'reset') levels.reset(of.type);
    else if (op === 'set') {
      if (!isLogLevel(level)) throw refuse('level', level, `one of ${LOG_LEVELS.join(', ')}`);
      if (forMs !== undefined && !isDuration(forMs)) throw refuse('forMs', forMs, `1 to ${LEVEL_FOR_MS_MAX}`);
      const set = levels.set({ level, ...of, forMs });
      log.info({ ...set, worker: worker.id }, 'an operator set a log level');
    } else if (op !== 'get') throw refuse('op', op, 'get, set or reset');
    return { levels: levels.list() };
  };
  const subject = createSubjects(prefix).control('log', worker.id);
  const subscription = bus.subscribe(subject, {}, (message) => answer(message, replyPrefixes, handle));
  const unheard = levels.onChange(update);
  update();
  return {
    close: () => {
      subscription.close();
      unheard();
      end?.();
    },
  };
}

/** Tells of the steps and effects of the types that are wanted. */
export function workInstrument(log: WorkLog, wants: (type: string) => boolean): Instrument {
  return {
    wants,
    stepping: (address, entry, before, partition) => {
      const { body } = entry;
      const task = ('taskId' in body ? body.taskId : undefined) ?? before.turn?.taskId;
      const trace = stepCorrelation(before, entry, address);
      log.stepBegins({ address, partition, seq: entry.seq, task, trace, seen: [] }, { entry: body.kind });
    },
    stepped: (notice) => stepped(log, notice),
    effect: (actor, notice) => log.effect(workOf(actor, notice), notice),
  };
}

function stepped(log: WorkLog, notice: StepNotice): void {
  const { address, definition, partition, entry, before, after, effects, error, durationMs } = notice;
  const { seq, body } = entry;
  const record = { before, entry, effects, transitions: [], bytes: 0 };
  const facts = after === undefined ? undefined : stepFacts(definition, { ...record, after });
  const task = ('taskId' in body ? body.taskId : undefined) ?? (before.turn ?? after?.turn)?.taskId;
  const trace = facts?.correlation ?? stepCorrelation(before, entry, address);
  const seen = [body, contextOf(definition, before), facts?.after.context];
  const work = { address, partition, seq, task, trace, seen };
  log.stepEnded(work, {
    durationMs,
    facts,
    error,
    turnBefore: before.turn?.seq,
    asked: facts?.settled === undefined ? undefined : askThatEnded(notice, facts.settled),
  });
}

/** Asks run in no worker: they begin and end with entries. */
function askThatEnded({ address, before, after, entry }: StepNotice, effect: string) {
  const open = before.effects.get(effect.slice(formatAddress(address).length + 1));
  if (open?.deadlineAt === undefined || after === undefined) return undefined;
  const ok = entry.body.kind === 'outcome' && entry.body.result.ok;
  return { effect, durationMs: Math.max(0, after.now - open.openedAt), ok };
}

type Notice = Omit<EffectObservation, 'kind' | 'actor' | keyof Observed>;

function workOf({ address, definition, partition, state }: InstrumentedActor, { effectId, seq, turn }: Notice): WorkOf {
  const open = turn !== 0 && state?.turn?.seq === turn ? state.turn : undefined;
  const input = state?.effects.get(effectId.slice(formatAddress(address).length + 1))?.input;
  const trace = correlationOf(open?.trace) ?? correlationId(address, turn || seq);
  return { address, partition, seq, task: open?.taskId, trace, seen: [input, contextOf(definition, state)] };
}

function contextOf(definition: ActorDefinition, state: ActorState | undefined): unknown {
  // Of an older version, its own code would have to read it: its input is looked at all the same.
  if (state?.machine === undefined || state.version !== definition.version) return undefined;
  return definition.driver.view(state.machine).context;
}

/** Invariant 1. */
function answer(message: BusMessage, replyPrefixes: readonly string[], handle: (request: LogRequest) => object): void {
  try {
    assertReplyTo(message.reply ?? '', replyPrefixes);
    const request = JSON.parse(decoder.decode(message.payload)) as LogRequest | null;
    if (typeof request !== 'object' || request === null || request.op === undefined) return;
    message.respond(encodePayload(attempt(request, handle)));
  } catch {
    // No request, or nobody to answer to.
  }
}

function attempt(request: LogRequest, handle: (request: LogRequest) => object): object {
  try {
    return handle(request);
  } catch (error) {
    return { error: toFailureRecord(error) };
  }
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= LEVEL_FOR_MS_MAX;
}

function refuse(field: string, seen: unknown, wanted: string): TroupeError {
  return new TroupeError('ConfigInvalid', `The ${field} is ${JSON.stringify(seen) ?? 'missing'}: use ${wanted}.`);
}
