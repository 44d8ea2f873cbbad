/**
 * Spans of what a worker does: turns, steps, effects, asks and sends.
 *
 * Invariants
 * 1. A span's id follows from what it is of (`spanIdOf`): two actors, two processes or two lives of one actor agree on it
 *    without telling each other, and a turn that one worker began and another ended is one span.
 * 2. Parents: caller or asking effect > turn > step > effect or send > the turn of the other actor, and so on.
 * 3. Names, ids, times and codes only: no payload, context, output or message of an error. What is a user's word (event
 *    type, key, task id) goes through a `SecretFilter`.
 * 4. Without an endpoint nothing is set up, and a step knows nothing of traces. Never throws.
 */
import { effectIdOf, type StashedInput, stepCorrelation, stepFacts, stepTrace, type TurnOrigin } from '@troupe/core';
import {
  createSampler,
  type Logger,
  loadSpanExporter,
  OTLP_PROTOCOLS,
  type OtlpProtocol,
  type Sampler,
  type Span,
} from '@troupe/diagnostics';
import { SecretFilter } from '@troupe/diagnostics/internal';
import type { EffectNotice, Instrument, InstrumentedActor, StepNotice, Worker } from '@troupe/runtime';
import {
  type ActorAddress,
  correlationId,
  correlationOf,
  type EntryBody,
  formatAddress,
  parentSpanOf,
  type StepFacts,
  spanIdOf,
  type TraceContext,
  TroupeError,
} from '@troupe/wire';
import type { Settings } from './settings.ts';

/** Effects whose trace is remembered; beyond, the oldest are forgotten, and theirs is derived from the turn. */
const OPEN_MAX = 10_000;

type TraceSettings = Pick<
  Settings,
  | 'tracesEndpoint'
  | 'tracesUrl'
  | 'tracesProtocol'
  | 'tracesHeaders'
  | 'tracesService'
  | 'tracesSampler'
  | 'tracesSamplerArg'
>;

/** Traces that are ready for a worker. */
export interface Traces {
  /** Exports what this worker does from now on. */
  start(worker: Pick<Worker, 'id' | 'addInstrument'>): void;
  /** Sends what waits, and ends. */
  close(): Promise<void>;
}

/** Where spans go and which; undefined when nobody wants any. @throws TroupeError `ConfigInvalid`. */
function traceTarget(settings: TraceSettings):
  | {
      readonly url: string;
      readonly protocol: OtlpProtocol;
      readonly headers: Readonly<Record<string, string>>;
      readonly sampler: Sampler;
    }
  | undefined {
  const { tracesEndpoint, tracesUrl, tracesProtocol, tracesHeaders, tracesSampler, tracesSamplerArg } = settings;
  const url =
    tracesUrl ?? (tracesEndpoint === undefined ? undefined : `${tracesEndpoint.replace(/\/$/, '')}/v1/traces`);
  if (url === undefined) return undefined;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new TroupeError('ConfigInvalid', 'The endpoint of traces is no http or https URL: http://127.0.0.1:4318.');
  const protocol = OTLP_PROTOCOLS.find((one) => one === tracesProtocol);
  if (protocol === undefined)
    throw new TroupeError(
      'ConfigInvalid',
      `The protocol of traces is '${tracesProtocol}': use one of ${OTLP_PROTOCOLS.join(', ')}.`,
    );
  const pairs = (tracesHeaders ?? '').split(',').filter((pair) => pair.includes('='));
  const headers = pairs.map((pair) => [
    pair.slice(0, pair.indexOf('=')).trim(),
    decoded(pair.slice(pair.indexOf('=') + 1).trim()),
  ]);
  return {
    url,
    protocol,
    headers: Object.fromEntries(headers),
    sampler: createSampler(tracesSampler, tracesSamplerArg),
  };
}

/** As the standard writes header values: percent-encoded. @throws TroupeError `ConfigInvalid`, without the value: it is a secret. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TroupeError(
      'ConfigInvalid',
      'A value in OTEL_EXPORTER_OTLP_HEADERS is not percent-encoded as it should be: write % itself as %25.',
    );
  }
}

/**
 * Loads what exports spans, before the worker takes anything over. Invariant 4.
 *
 * @throws TroupeError `ConfigInvalid`
 */
export async function openTraces(settings: TraceSettings, log: Logger): Promise<Traces> {
  const target = traceTarget(settings);
  if (target === undefined) return { start: () => undefined, close: async () => undefined };
  const { sampler, protocol, ...where } = target;
  const openExporter = await loadSpanExporter(protocol);
  let stop = async (): Promise<void> => undefined;
  return {
    start: (worker) => {
      const exporter = openExporter({
        ...where,
        resource: { 'service.name': settings.tracesService, 'service.instance.id': worker.id },
        onProblem: (message) => log.warn({ worker: worker.id }, message),
      });
      const end = worker.addInstrument(traceInstrument((span) => void exporter.add(span), sampler));
      stop = async () => {
        end();
        await exporter.close();
        const { exported, dropped } = exporter;
        log.info({ worker: worker.id, exported, dropped }, 'traces end');
      };
    },
    close: () => stop(),
  };
}

/** Makes spans. @param nowMs the worker's clock, Unix ms */
export function traceInstrument(add: (span: Span) => void, sampler: Sampler, nowMs = Date.now): Instrument {
  const open = new Map<string, string | undefined>();
  const emit = (span: Span): void => add(clean(span));
  return {
    wants: () => true,
    stepped: (notice) => guard(() => stepSpans(notice, { open, sampler, emit, nowMs: nowMs() })),
    effect: (actor, notice) => guard(() => effectSpan(actor, notice, { open, sampler, emit, nowMs: nowMs() })),
  };
}

interface Making {
  /** Trace of each running effect; undefined: not sampled. */
  readonly open: Map<string, string | undefined>;
  readonly sampler: Sampler;
  readonly emit: (span: Span) => void;
  readonly nowMs: number;
}

function guard(make: () => void): void {
  try {
    make();
  } catch {
    // Not worth more than the work.
  }
}

/** Invariant 3. */
function clean(span: Span): Span {
  const filter = new SecretFilter();
  const { name, attributes } = filter.apply({ name: span.name, attributes: span.attributes }) as Pick<
    Span,
    'name' | 'attributes'
  >;
  return { ...span, name, attributes };
}

function stepSpans(notice: StepNotice, making: Making): void {
  const { address, definition, before, after, entry, effects, error, durationMs, partition } = notice;
  const { open, sampler, emit, nowMs } = making;
  const actor = formatAddress(address);
  const traceId = stepCorrelation(before, entry, address);
  const isSampled = sampler(traceId, stepTrace(before, entry));
  for (const { kind, id } of effects) {
    if (kind !== 'invoke') continue;
    // One that is stopped, or goes on elsewhere, never ends here.
    if (open.size >= OPEN_MAX) open.delete(open.keys().next().value!);
    open.set(effectIdOf(address, id), isSampled ? traceId : undefined);
  }
  if (!isSampled) return;
  const record = { before, entry, effects, transitions: [], bytes: 0 };
  const facts = after === undefined ? undefined : stepFacts(definition, { ...record, after });
  const spanId = spanIdOf(nameOf(actor, entry.seq));
  const { event, taskId } = facts?.entry ?? {};
  const head = { ...actorOf(address), 'troupe.partition': partition };
  const failure = facts === undefined ? codeOf(error) : facts.error?.code;
  emit({
    traceId,
    spanId,
    parentId: parentOfStep(notice, facts),
    name: `step ${event?.type ?? entry.body.kind}`,
    kind: 'internal',
    startMs: nowMs - durationMs,
    endMs: nowMs,
    attributes: { ...head, 'troupe.seq': entry.seq, 'troupe.entry': entry.body.kind, 'troupe.task': taskId },
    link: facts?.settled === undefined ? undefined : spanIdOf(facts.settled),
    error: failure,
  });
  if (facts === undefined) return;
  for (const { id, kind, to, name } of facts.effects) {
    if (kind !== 'send') continue;
    emit({
      traceId,
      spanId: spanIdOf(effectIdOf(address, id)),
      parentId: spanId,
      name: `send ${name ?? ''}`,
      kind: 'producer',
      startMs: nowMs,
      endMs: nowMs,
      attributes: { ...head, 'troupe.effect': effectIdOf(address, id), 'troupe.to': to },
    });
  }
  for (const one of before.stash)
    if (!after?.stash.some((left) => left.seq === one.seq && left.taskId === one.taskId)) waitSpan(notice, one, making);
  if (facts.settled !== undefined) askSpan(notice, facts.settled, traceId, making);
  for (const ended of facts.ended) turnSpan(notice, ended, making);
}

/** What had to wait behind a turn is let in, or ends without ever being. */
function waitSpan({ address, after, entry }: StepNotice, waited: StashedInput, making: Making): void {
  const { kind, seq, taskId, at, trace } = waited;
  const traceId = correlationOf(trace) ?? correlationId(address, seq);
  if (!making.sampler(traceId, trace)) return;
  const actor = formatAddress(address);
  making.emit({
    traceId,
    spanId: spanIdOf(`wait ${nameOf(actor, seq)}`),
    parentId: spanIdOf(kind === 'task' ? turnOf(actor, seq) : nameOf(actor, seq)),
    name: `wait ${address.type}`,
    kind: 'internal',
    startMs: at,
    endMs: Math.max(at, after?.now ?? entry.at),
    attributes: { ...actorOf(address), 'troupe.seq': seq, 'troupe.task': kind === 'task' ? taskId : undefined },
  });
}

/** An ask runs in no worker: it begins and ends with entries of the asking actor. */
function askSpan({ address, before, entry }: StepNotice, effectId: string, traceId: string, making: Making): void {
  const id = effectId.slice(formatAddress(address).length + 1);
  const ask = before.effects.get(id);
  if (ask?.deadlineAt === undefined || entry.body.kind !== 'outcome') return;
  const { result } = entry.body;
  making.emit({
    traceId,
    spanId: spanIdOf(effectId),
    parentId: spanIdOf(nameOf(formatAddress(address), seqOf(id))),
    name: `ask ${ask.src}`,
    kind: 'client',
    startMs: ask.openedAt,
    endMs: Math.max(ask.openedAt, making.nowMs),
    attributes: { ...actorOf(address), 'troupe.effect': effectId, 'troupe.turn': ask.turn },
    error: result.ok ? undefined : result.error.code,
  });
}

function turnSpan(notice: StepNotice, ended: StepFacts['ended'][number], making: Making): void {
  const { address, before, entry, after } = notice;
  const { seq, taskId, durationMs, ok, code } = ended;
  const open =
    before.turn?.seq === seq ? before.turn : before.stash.find((one) => one.seq === seq && one.taskId === taskId);
  const begun = seq === entry.seq ? callerOf(entry.body) : {};
  const caller = open === undefined ? begun : { trace: open.trace, effectId: askerOf(open.origin) };
  const { trace, effectId } = caller;
  const traceId = correlationOf(trace) ?? correlationId(address, seq);
  if (!making.sampler(traceId, trace)) return;
  const startMs = (after?.now ?? entry.at) - durationMs;
  making.emit({
    traceId,
    spanId: spanIdOf(turnOf(formatAddress(address), seq)),
    parentId: effectId === undefined ? parentSpanOf(trace) : spanIdOf(effectId),
    name: `turn ${address.type}`,
    kind: 'server',
    startMs,
    endMs: Math.max(startMs, making.nowMs),
    attributes: { ...actorOf(address), 'troupe.seq': seq, 'troupe.task': taskId },
    error: ok ? undefined : (code ?? 'Unknown'),
  });
}

function askerOf(origin: TurnOrigin | undefined): string | undefined {
  return origin?.kind === 'actor' ? origin.effectId : undefined;
}

function callerOf(entry: EntryBody): { readonly trace?: TraceContext | undefined; readonly effectId?: string } {
  // A dead letter that is given again goes on where it was.
  const body = entry.kind === 'redrive' ? entry.entry : entry;
  const trace = 'trace' in body ? body.trace : undefined;
  return body.kind === 'ask' || body.kind === 'message' ? { trace, effectId: body.effectId } : { trace };
}

/** Invariant 2: the turn it belongs to; without one, whoever caused the entry. */
function parentOfStep({ address, before, entry, after }: StepNotice, facts: StepFacts | undefined): string | undefined {
  const actor = formatAddress(address);
  const { seq, body } = entry;
  const isTurn =
    after?.turn?.seq === seq ||
    facts?.ended.some((one) => one.seq === seq) ||
    after?.stash.some((one) => one.seq === seq && one.kind === 'task');
  if (isTurn) return spanIdOf(turnOf(actor, seq));
  const { trace, effectId } = callerOf(body);
  if (effectId !== undefined) return spanIdOf(effectId);
  if (trace !== undefined) return parentSpanOf(trace);
  const settled = 'effectId' in body ? body.effectId : undefined;
  const effect = settled === undefined ? undefined : before.effects.get(settled.slice(actor.length + 1));
  if (effect !== undefined) return effect.turn === 0 ? spanIdOf(settled!) : spanIdOf(turnOf(actor, effect.turn));
  const isOwn = body.kind === 'self' || body.kind === 'tick' || body.kind === 'outcome' || body.kind === 'stream';
  return isOwn && before.turn !== undefined ? spanIdOf(turnOf(actor, before.turn.seq)) : undefined;
}

function effectSpan({ address, state }: InstrumentedActor, notice: EffectNotice, making: Making): void {
  if (notice.phase !== 'ended') return;
  const { effectId, seq, src, turn, attempt, durationMs = 0, ok, error } = notice;
  const { open, sampler, emit, nowMs } = making;
  const trace = state?.turn?.seq === turn ? state.turn.trace : undefined;
  const derived = correlationOf(trace) ?? correlationId(address, turn || seq);
  const isKnown = open.has(effectId);
  const traceId = isKnown ? open.get(effectId) : sampler(derived, trace) ? derived : undefined;
  open.delete(effectId);
  if (traceId === undefined) return;
  emit({
    traceId,
    spanId: spanIdOf(effectId),
    parentId: spanIdOf(nameOf(formatAddress(address), seq)),
    name: `effect ${src}`,
    kind: 'internal',
    startMs: nowMs - durationMs,
    endMs: nowMs,
    attributes: {
      ...actorOf(address),
      'troupe.effect': effectId,
      'troupe.turn': turn,
      'troupe.attempt': attempt,
    },
    error: ok === true ? undefined : (error?.code ?? 'Unknown'),
  });
}

function actorOf({ type, key }: ActorAddress): Span['attributes'] {
  return { 'troupe.actor.type': type, 'troupe.actor.key': key };
}

function nameOf(actor: string, seq: number): string {
  return `${actor}@${seq}`;
}

function turnOf(actor: string, seq: number): string {
  return `turn ${actor}@${seq}`;
}

function seqOf(id: string): number {
  return Number(id.slice(0, id.indexOf('.')));
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'Unknown';
}
