/**
 * The step in the making: a mutable copy of one actor's state that collects effects, and becomes
 * the next state at the end.
 *
 * Invariants
 * 1. The state it was made from is never touched; a draft that is thrown away leaves no trace.
 * 2. A machine step is all or nothing: when the machine throws, or what it made can't be stored,
 *    neither its state nor its actions count.
 * 3. Every effect, timer and child carries the turn in whose name it was made; a `reply` counts
 *    only for the turn that is open and in whose name the step runs.
 * 4. Ids are `<seq>.<n>` with n counting from 0 in every step: equal on every replay.
 */
import type { ActorAddress, Outcome, TraceContext } from '@troupe/wire';
import { derivedTrace, formatAddress, isTroupeError, TroupeError, toFailureRecord } from '@troupe/wire';
import type { ActorDefinition } from '../definition.ts';
import { DEFAULT_EFFECT } from '../definition.ts';
import type { Effect } from '../effect.ts';
import type {
  Acceptance,
  MachineAction,
  MachineEvent,
  MachineScope,
  MachineState,
  MachineStep,
} from '../machine/types.ts';
import { measure, measureAtMost } from '../measure.ts';
import { nextDueAt } from '../next-due.ts';
import type { PersistentMap } from '../persistent-map.ts';
import {
  type ActorState,
  type OpenEffect,
  type OpenTurn,
  type PendingTimer,
  RECENT_MAX,
  type SenderMark,
  type StashedInput,
} from '../state.ts';
import { OUTCOME_BYTES_MAX, type TaskMemory } from '../task-memory.ts';
import { validate } from './validate.ts';

/** Longest chain of actors waiting for each other. */
export const CHAIN_MAX = 32;
/** How long an ask waits for its answer unless it says otherwise, ms. */
export const ASK_TIMEOUT_MS = 30_000;

/** An effect without its id. */
type NewEffect = Effect extends infer E ? (E extends Effect ? Omit<E, 'id'> : never) : never;

/** A child whose end became known inside the step itself, delivered after the machine step. */
export interface ImmediateEnd {
  readonly effectId: string;
  readonly outcome: Outcome;
}

export class Draft {
  readonly definition: ActorDefinition;
  readonly address: ActorAddress;
  readonly seq: number;
  readonly effects: Effect[] = [];
  /** Outcomes that became known while a machine step's actions were taken over. */
  readonly ended: ImmediateEnd[] = [];

  now: number;
  /** Trace context of the entry being applied. */
  cause: TraceContext | undefined;
  machine: MachineState | undefined;
  turn: OpenTurn | undefined;
  stash: readonly StashedInput[];
  stashBytes: number;
  open: PersistentMap<OpenEffect>;
  timers: PersistentMap<PendingTimer>;
  tasks: TaskMemory;
  senders: PersistentMap<SenderMark>;
  redriven: readonly number[];
  recent: ActorState['recent'];
  turns: number;
  activeAt: number;
  /** The state value changed, or a turn ended: the stash is worth trying again. */
  retryStash = false;

  readonly #before: ActorState;
  #n = 0;

  constructor(definition: ActorDefinition, before: ActorState, seq: number, now: number) {
    this.definition = definition;
    this.address = before.address;
    this.seq = seq;
    this.now = now;
    this.cause = undefined;
    this.machine = before.machine;
    this.turn = before.turn;
    this.stash = before.stash;
    this.stashBytes = before.stashBytes;
    this.open = before.effects;
    this.timers = before.timers;
    this.tasks = before.tasks;
    this.senders = before.senders;
    this.redriven = before.redriven;
    this.recent = before.recent;
    this.turns = before.turns;
    this.activeAt = before.activeAt;
    this.#before = before;
  }

  /** The state after this step. */
  finish(): ActorState {
    const before = this.#before;
    return {
      address: before.address,
      version: this.definition.version,
      hash: this.definition.hash,
      seq: this.seq,
      now: this.now,
      count: before.count + 1,
      machine: this.machine,
      turn: this.turn,
      stash: this.stash,
      stashBytes: this.stashBytes,
      effects: this.open,
      timers: this.timers,
      tasks: this.tasks,
      senders: this.senders,
      redriven: this.redriven,
      recent: this.recent,
      turns: this.turns,
      activeAt: this.activeAt,
      nextDueAt: this.nextDueAt(),
    };
  }

  nextId(): string {
    return `${this.seq}.${this.#n++}`;
  }

  emit(effect: NewEffect): string {
    const id = this.nextId();
    this.effects.push({ ...effect, id } as Effect);
    return id;
  }

  warn(message: string, value?: unknown): void {
    this.emit({ kind: 'log', level: 'warn', message, ...(value === undefined ? {} : { value }) });
  }

  deadLetter(error: unknown): void {
    this.emit({ kind: 'dead-letter', seq: this.seq, error: this.failure(error) });
  }

  failure(error: unknown, taskId?: string): ReturnType<typeof toFailureRecord> {
    const wrapped = isTroupeError(error)
      ? error
      : isDriverError(error)
        ? new TroupeError(error.code, error.message, { cause: error.cause })
        : new TroupeError(
            'StepFailed',
            `A step of ${formatAddress(this.address)} threw ${describe(error)}. Fix the machine; then redrive the dead letter.`,
            { cause: error },
          );
    return toFailureRecord(wrapped, {
      actor: formatAddress(this.address),
      ...(taskId === undefined ? {} : { taskId }),
    });
  }

  /**
   * Runs one machine step in the name of a turn (0 for none) and takes over what it asked for.
   * @returns what was thrown, or undefined when it succeeded.
   */
  machineStep(turnSeq: number, call: (scope: MachineScope) => MachineStep): { readonly error: unknown } | undefined {
    let step: MachineStep;
    try {
      step = call(this.#scope());
      this.#checkStorable(step);
    } catch (error) {
      return { error };
    }
    this.machine = step.state;
    if (step.changed) this.retryStash = true;
    for (const action of step.actions) this.#take(action, turnSeq);
    return undefined;
  }

  /** The first entry of an actor, or of a new life after `done`, makes its machine. */
  ensureMachine(): { readonly error: unknown } | undefined {
    if (this.machine !== undefined) return undefined;
    return this.machineStep(this.turn?.seq ?? 0, (scope) =>
      this.definition.driver.init(this.definition.input(this.address), scope),
    );
  }

  /** Ends the open turn with an outcome and tells whoever waits. */
  endTurn(outcome: Outcome): void {
    const turn = this.turn;
    if (turn === undefined) return;
    this.turn = undefined;
    this.turns++;
    this.retryStash = true;
    this.settle(turn, this.#bounded(outcome, turn.taskId));
  }

  /** Tells whoever waits for a task how it ended, and remembers it for repeats. */
  settle(task: Pick<OpenTurn, 'seq' | 'taskId' | 'origin' | 'trace'>, outcome: Outcome): void {
    const { origin } = task;
    if (origin.kind === 'actor') {
      this.emit({ kind: 'answer', to: origin.from, effectId: origin.effectId, outcome });
      return;
    }
    const bytes = sizeOrInfinity(outcome);
    if (origin.memoryId !== undefined) this.tasks = this.tasks.settle(origin.memoryId, task.seq, outcome, bytes);
    else if (bytes <= OUTCOME_BYTES_MAX)
      this.recent = [...this.recent.slice(1 - RECENT_MAX), { seq: task.seq, outcome }];
    this.emit({
      kind: 'reply',
      replyTo: origin.replyTo,
      taskId: task.taskId,
      turnSeq: task.seq,
      outcome,
      contentType: origin.contentType,
      repeat: false,
      trace: task.trace,
    });
  }

  /** Something that isn't the turn's own was applied: the turn can no longer be undone. */
  foreign(turnSeq: number): void {
    if (this.turn?.start !== undefined && this.turn.seq !== turnSeq) this.turn = { ...this.turn, start: undefined };
  }

  /** The children of a turn that still run outside, oldest first. */
  openOf(turnSeq: number, kinds?: ReadonlySet<string>): OpenEffect[] {
    const found: OpenEffect[] = [];
    for (const effect of this.open.values()) {
      if (effect.turn === turnSeq && (kinds === undefined || kinds.has(effect.kind))) found.push(effect);
    }
    return found.sort((a, b) => compareIds(a.id, b.id));
  }

  closeEffect(effect: OpenEffect): void {
    this.open = this.open.without(effect.id);
  }

  nextDueAt(): number {
    return nextDueAt(this.definition, {
      machine: this.machine,
      turn: this.turn,
      stash: this.stash,
      timers: this.timers,
      effects: this.open,
      activeAt: this.activeAt,
    });
  }

  /** Whether the machine takes the event at this step's time. @throws what a guard throws. */
  accepts(event: MachineEvent): Acceptance {
    return this.definition.driver.accepts(this.machine!, event, this.#scope());
  }

  #scope(): MachineScope {
    const n = this.#n;
    return {
      now: this.now,
      address: this.address,
      seed: `${formatAddress(this.address)}@${this.seq}.${n}`,
      nextId: () => this.nextId(),
    };
  }

  #checkStorable(step: MachineStep): void {
    const contexts = this.definition.driver.contexts(step.state);
    const { stateBytesMax } = this.definition;
    const bytes = sizeOfAll(contexts, measureAtMost) > stateBytesMax ? sizeOfAll(contexts, measure) : 0;
    if (bytes > stateBytesMax) {
      throw new TroupeError(
        'StateTooLarge',
        `The state of ${formatAddress(this.address)} would take about ${bytes} bytes; its limit is ${stateBytesMax}. Keep less in the context, or raise stateBytesMax.`,
        { details: { bytes, bytesMax: stateBytesMax } },
      );
    }
    for (const action of step.actions) {
      if (action.kind === 'invoke') measureAtMost(action.input, `input of ${action.src}`);
      else if (action.kind === 'reply') measureAtMost(action.output, 'reply');
      else if (action.kind === 'timer-set' || action.kind === 'send-actor' || action.kind === 'emit')
        measureAtMost(action.event, `event ${action.event.type}`);
    }
  }

  #take(action: MachineAction, turnSeq: number): void {
    switch (action.kind) {
      case 'invoke':
        this.#invoke(action, turnSeq);
        return;
      case 'stop':
        this.#stop(action.path, turnSeq);
        return;
      case 'timer-set':
        this.#setTimer(
          action.path,
          action.timerKey,
          action.delayMs,
          { kind: 'node', path: action.targetPath },
          action.event,
          turnSeq,
        );
        return;
      case 'timer-cancel':
        this.#cancelTimer(action.path, action.timerKey);
        return;
      case 'send-child': {
        const effect = this.#effectAt(action.childPath);
        if (effect) this.emit({ kind: 'child-event', effectId: effect.id, event: action.event });
        return;
      }
      case 'send-actor':
        if (action.delayMs)
          this.#setTimer(
            '',
            `tell.${this.#n}`,
            action.delayMs,
            { kind: 'actor', address: action.to },
            action.event,
            turnSeq,
          );
        else
          this.emit({
            kind: 'send',
            to: action.to,
            event: action.event,
            causedAt: this.now,
            trace: this.traceOf(turnSeq),
          });
        return;
      case 'emit':
        this.emit({ kind: 'emit', event: action.event });
        return;
      case 'log':
        this.emit({ kind: 'log', level: 'info', message: action.label ?? 'log', value: action.value });
        return;
      case 'reply':
        this.#reply(turnSeq, { ok: true, value: action.output });
        return;
      case 'fail':
        this.#reply(turnSeq, { ok: false, error: this.#failed(action.error) });
        return;
      case 'action':
        this.emit({ kind: 'action', type: action.type, run: action.run });
        return;
    }
  }

  #failed(error: unknown): ReturnType<typeof toFailureRecord> {
    const known =
      error instanceof Error
        ? error
        : new TroupeError('Failed', typeof error === 'string' ? error : `The turn failed with ${describe(error)}.`, {
            details: error,
          });
    return toFailureRecord(known, { actor: formatAddress(this.address) });
  }

  #reply(turnSeq: number, outcome: Outcome): void {
    if (this.turn === undefined || this.turn.seq !== turnSeq) {
      this.warn(
        turnSeq === 0
          ? 'A reply outside of any turn was dropped.'
          : `A late reply of turn ${turnSeq}, which has ended, was dropped.`,
      );
      return;
    }
    if (!outcome.ok && this.#nobodyWaits())
      this.deadLetter(new TroupeError('Failed', outcome.error.message, { details: outcome.error }));
    this.endTurn(outcome.ok ? this.#checkedOutput(outcome.value) : outcome);
  }

  /** A reply that breaks its own contract is an error for the asker, who couldn't use it. */
  #checkedOutput(value: unknown): Outcome {
    const checked = validate(this.definition.task.output, value, 'output');
    if (!(checked instanceof TroupeError)) return { ok: true, value: checked.value };
    this.deadLetter(checked);
    return { ok: false, error: this.failure(checked) };
  }

  #nobodyWaits(): boolean {
    return this.turn?.origin.kind === 'client' && this.turn.origin.replyTo.length === 0;
  }

  #invoke(action: Extract<MachineAction, { kind: 'invoke' }>, turnSeq: number): void {
    const options = this.definition.effects.get(action.src) ?? DEFAULT_EFFECT;
    const id = this.nextId();
    const effect: OpenEffect = {
      id,
      kind: action.invoke,
      childPath: action.childPath,
      src: action.src,
      input: action.input,
      turn: turnSeq,
      openedAt: this.now,
      deadlineAt: undefined,
      once: options.once,
      claim: undefined,
      run: 0,
      n: 0,
    };
    if (action.invoke === 'ask') this.#ask(effect, turnSeq);
    else {
      this.open = this.open.with(id, effect);
      this.effects.push({ kind: 'invoke', id });
    }
  }

  #ask(effect: OpenEffect, turnSeq: number): void {
    const meta =
      this.machine === undefined ? undefined : this.definition.driver.logicOf(this.machine, effect.childPath)?.meta;
    const request = askRequest(effect.input, meta);
    const chain = this.#chain(turnSeq);
    const refusal = refuseAsk(this.address, effect.src, request, chain);
    const timeoutMs = request?.timeoutMs ?? this.definition.effects.get(effect.src)?.timeoutMs ?? ASK_TIMEOUT_MS;
    const asked = { ...effect, deadlineAt: this.now + timeoutMs };
    this.open = this.open.with(effect.id, asked);
    if (refusal !== undefined || request === undefined) {
      this.ended.push({
        effectId: effect.id,
        outcome: { ok: false, error: toFailureRecord(refusal, { actor: formatAddress(this.address) }) },
      });
      return;
    }
    this.effects.push({
      kind: 'ask',
      id: effect.id,
      to: request.to,
      payload: request.payload,
      causedAt: this.now,
      deadlineAt: asked.deadlineAt,
      chain,
      trace: this.traceOf(turnSeq),
    });
  }

  #chain(turnSeq: number): readonly ActorAddress[] {
    const origin = this.turn?.seq === turnSeq ? this.turn.origin : undefined;
    return [...(origin?.kind === 'actor' ? origin.chain : []), this.address];
  }

  /**
   * What a message to another actor carries: the trace of the turn, else of the entry, else one derived from the entry
   * that began it, so that everything one cause leads to can be found by one id.
   */
  traceOf(turnSeq: number): TraceContext {
    const own = this.turn?.seq === turnSeq ? this.turn.trace : turnSeq === 0 ? this.cause : undefined;
    if (own !== undefined) return own;
    return derivedTrace(this.address, turnSeq || this.seq, `${formatAddress(this.address)}@${this.seq}.${this.#n}`);
  }

  #stop(path: string, turnSeq: number): void {
    for (const effect of this.open.values()) {
      if (!isWithin(effect.childPath, path)) continue;
      if (effect.turn !== turnSeq) this.#noUndo();
      this.closeEffect(effect);
      this.emit({ kind: 'cancel', effectId: effect.id });
    }
    for (const timer of this.timers.values()) {
      const isAimed = timer.target.kind === 'node' && isWithin(timer.target.path, path);
      if (isAimed || isWithin(timer.path, path)) this.timers = this.timers.without(timer.id);
    }
  }

  /** The turn stopped a child that was there before it, which can't be taken back. */
  #noUndo(): void {
    if (this.turn?.start !== undefined) this.turn = { ...this.turn, start: undefined };
  }

  #setTimer(
    path: string,
    timerKey: string,
    delayMs: number,
    target: PendingTimer['target'],
    event: PendingTimer['event'],
    turnSeq: number,
  ): void {
    this.#cancelTimer(path, timerKey);
    const id = this.nextId();
    const dueAt = this.now + Math.max(0, Number.isFinite(delayMs) ? delayMs : 0);
    this.timers = this.timers.with(id, { id, dueAt, turn: turnSeq, path, timerKey, event, target });
  }

  #cancelTimer(path: string, timerKey: string): void {
    if (this.timers.size === 0) return;
    for (const timer of this.timers.values()) {
      if (timer.path === path && timer.timerKey === timerKey) this.timers = this.timers.without(timer.id);
    }
  }

  #effectAt(childPath: string): OpenEffect | undefined {
    for (const effect of this.open.values()) if (effect.childPath === childPath) return effect;
    return undefined;
  }

  /** An outcome that no message could carry becomes an error that one can. */
  #bounded(outcome: Outcome, taskId: string): Outcome {
    const bytes = sizeOrInfinity(outcome);
    if (bytes <= OUTCOME_LIMIT_BYTES) return outcome;
    const error = new TroupeError(
      'OutcomeTooLarge',
      `The outcome of task ${taskId} takes about ${bytes} bytes; at most ${OUTCOME_LIMIT_BYTES} fit. Reply with a summary, or publish the data elsewhere.`,
      {
        details: { bytes, bytesMax: OUTCOME_LIMIT_BYTES },
      },
    );
    return { ok: false, error: this.failure(error, taskId) };
  }
}

/** Largest outcome, bytes: the default payload limit of a server, less room for the envelope. */
export const OUTCOME_LIMIT_BYTES = 1_000_000;

function sizeOfAll(values: readonly unknown[], sizeOf: typeof measure): number {
  let bytes = 0;
  for (const value of values) bytes += sizeOf(value, 'context');
  return bytes;
}

/** An upper bound while that is small enough to keep, the size itself beyond; Infinity for what can't be stored. */
function sizeOrInfinity(value: unknown): number {
  try {
    const bytesMax = measureAtMost(value, 'outcome');
    return bytesMax <= OUTCOME_BYTES_MAX ? bytesMax : measure(value, 'outcome');
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

interface AskRequest {
  readonly to: ActorAddress;
  readonly payload: unknown;
  readonly timeoutMs: number | undefined;
}

/** Reads `{ type?, key, payload, timeoutMs? }`; the type may come from the contract in `meta`. */
function askRequest(input: unknown, meta: unknown): AskRequest | undefined {
  const given = (input ?? {}) as { type?: unknown; key?: unknown; payload?: unknown; timeoutMs?: unknown };
  const type = (meta as { type?: unknown } | undefined)?.type ?? given.type;
  if (typeof type !== 'string' || typeof given.key !== 'string') return undefined;
  const timeoutMs = typeof given.timeoutMs === 'number' && given.timeoutMs > 0 ? given.timeoutMs : undefined;
  return { to: { type, key: given.key }, payload: given.payload, timeoutMs };
}

function refuseAsk(
  self: ActorAddress,
  src: string,
  request: AskRequest | undefined,
  chain: readonly ActorAddress[],
): TroupeError | undefined {
  if (request === undefined) {
    return new TroupeError(
      'InvalidPayload',
      `The input of '${src}' must be { key: string, payload } (and type, without a contract). Give the invoke an input like ({ context }) => ({ key: context.topic, payload: context.question }).`,
    );
  }
  const cycle = chain.findIndex((one) => one.type === request.to.type && one.key === request.to.key);
  if (cycle >= 0) {
    const path = [...chain.slice(cycle), request.to].map(formatAddress);
    return new TroupeError(
      'DeadlockError',
      `${formatAddress(self)} asked ${formatAddress(request.to)}, which waits for it: ${path.join(' -> ')}. Break the cycle, or tell instead of ask.`,
      { details: { cycle: path } },
    );
  }
  if (chain.length >= CHAIN_MAX) {
    return new TroupeError(
      'ChainTooDeep',
      `The ask of ${formatAddress(request.to)} would be number ${chain.length + 1} in a chain; at most ${CHAIN_MAX} actors may wait for each other.`,
    );
  }
  return undefined;
}

/** Whether a path is a node or lies below it. */
function isWithin(path: string, node: string): boolean {
  return node === '' || path === node || path.startsWith(`${node}/`);
}

/** Orders `<seq>.<n>` ids by number. */
export function compareIds(a: string, b: string): number {
  const [aSeq, aN] = a.split('.') as [string, string];
  const [bSeq, bN] = b.split('.') as [string, string];
  return Number(aSeq) - Number(bSeq) || Number(aN) - Number(bN);
}

/** Codes of the driver's own errors, which are none of the machine's. */
const DRIVER_CODES = new Set([
  'AnonymousLogic',
  'EndlessStep',
  'NotStorable',
  'UnhandledError',
  'UnknownChild',
  'UnknownLogic',
  'UnreadableState',
]);

function isDriverError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && DRIVER_CODES.has((error as { code?: string }).code ?? '');
}

function describe(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  try {
    return JSON.stringify(error)?.slice(0, 200) ?? String(error);
  } catch {
    return typeof error;
  }
}
