/**
 * What comes in from outside the actor: tasks, signals, asks and messages. Admits each once, gives
 * it its place (now, later, never), and opens turns.
 */
import type { ActorAddress, AskBody, MessageBody, Outcome, SignalBody, TaskBody } from '@troupe/wire';
import { formatAddress, isReservedEvent, TroupeError, type toFailureRecord } from '@troupe/wire';
import { parseEffectId } from '../effect.ts';
import type { Acceptance, MachineEvent } from '../machine/types.ts';
import { PersistentMap } from '../persistent-map.ts';
import { stepRules } from '../rules.ts';
import type { OpenTurn, StashedInput, TurnOrigin } from '../state.ts';
import { MEMORY_WINDOW_MS, TASKS_MAX } from '../task-memory.ts';
import { type TaskKey, taskKeyOf } from '../task-runs.ts';
import type { Draft } from './draft.ts';
import { afterMachineStep, failTurn } from './turns.ts';
import { validate } from './validate.ts';

/** Reply addresses kept per task: one per repeat. */
const REPLY_TO_MAX = 8;
const DEADLINE_MS_MIN = 10;
/** What says that it was made later than this after it was stored, ms, is refused. */
const CREATED_AHEAD_MS_MAX = 3_600_000;

/** An input on its way in has the form in which it would wait. */
type Input = StashedInput;

/** @param refusal why it is refused, though admitted and remembered like any other. So in the other three, too. */
export function applyTask(draft: Draft, body: TaskBody, at: number, bytes: number, refusal?: TroupeError): void {
  const taskId = body.taskId ?? String(draft.seq);
  const key = body.taskId === undefined ? undefined : taskKeyOf(body.taskId);
  const origin: TurnOrigin = {
    kind: 'client',
    replyTo: body.replyTo === undefined ? [] : [body.replyTo],
    contentType: body.contentType,
    memoryId: key?.id,
  };
  const task = { seq: draft.seq, taskId, origin, trace: body.trace };
  if (body.invalidReplyTo !== undefined) {
    draft.deadLetter(
      new TroupeError(
        'InvalidReplyTo',
        `Task ${taskId} asks for its outcome at ${JSON.stringify(body.invalidReplyTo)}, which isn't an inbox; it is not sent there. Use a subject like _INBOX.abc.`,
        { taskId },
      ),
    );
  }
  if (key !== undefined) {
    if (!admitNamed(draft, task, key, body)) return;
    draft.tasks = draft.tasks.add(key, body.payloadHash, expiry(body, at), draft.now, isClients(body));
  }
  if (refusal !== undefined) {
    refuse(draft, task, refusal);
    return;
  }
  if (key !== undefined && isAhead(body, at)) {
    refuse(draft, task, ahead(taskId));
    return;
  }
  const deadlineAt = deadlineOf(draft, body, at);
  if (deadlineAt <= at) {
    refuse(
      draft,
      task,
      new TroupeError(
        'DeadlineExceeded',
        `The deadline of task ${taskId} had passed when it was stored. Send it with a later deadline.`,
      ),
    );
    return;
  }
  const event = eventOf(draft, body.payload, body.raw, { id: taskId, at });
  if (event instanceof TroupeError) refuse(draft, task, event);
  else admit(draft, { kind: 'task', seq: draft.seq, taskId, at, event, bytes, deadlineAt, origin, trace: body.trace });
}

export function applySignal(draft: Draft, body: SignalBody, at: number, bytes: number, refusal?: TroupeError): void {
  const taskId = body.taskId ?? String(draft.seq);
  if (body.taskId !== undefined) {
    const key = taskKeyOf(body.taskId);
    const known = draft.tasks.lookup(key, body.payloadHash, draft.now);
    if (known.kind === 'conflict') {
      draft.deadLetter(conflict(taskId));
      return;
    }
    if (known.kind !== 'unknown') return;
    if (draft.now > expiry(body, at)) {
      draft.deadLetter(tooLate(taskId));
      return;
    }
    if (draft.tasks.isFull(draft.now)) {
      draft.deadLetter(tooMany(draft));
      return;
    }
    draft.tasks = draft.tasks
      .add(key, body.payloadHash, expiry(body, at), draft.now, isClients(body))
      .settle(key.id, draft.seq, { ok: true, value: null }, 1);
    if (isAhead(body, at)) {
      draft.deadLetter(ahead(taskId));
      return;
    }
  }
  if (refusal !== undefined) {
    draft.deadLetter(refusal);
    return;
  }
  const event = isEventLike(body.payload)
    ? eventOf(draft, body.payload, false, { id: taskId, at })
    : new TroupeError(
        'InvalidPayload',
        `A signal must be an object with a string "type"; seen ${typeof body.payload}. Send {"type":"approve"}, or publish it as a task.`,
      );
  if (event instanceof TroupeError) draft.deadLetter(event);
  else
    admit(draft, {
      kind: 'signal',
      seq: draft.seq,
      taskId,
      at,
      event,
      bytes,
      deadlineAt: Number.POSITIVE_INFINITY,
      origin: undefined,
      trace: body.trace,
    });
}

export function applyAsk(draft: Draft, body: AskBody, at: number, bytes: number, refusal?: TroupeError): void {
  const origin: TurnOrigin = { kind: 'actor', from: body.from, effectId: body.effectId, chain: body.chain };
  const task = { seq: draft.seq, taskId: body.effectId, origin, trace: body.trace };
  const fresh = freshFrom(draft, body);
  if (fresh === 'repeat') return;
  if (fresh === 'late') {
    draft.settle(task, { ok: false, error: draft.failure(tooLate(body.effectId)) });
    return;
  }
  if (refusal !== undefined) {
    refuse(draft, task, refusal);
    return;
  }
  if (body.deadlineAt <= at) {
    draft.settle(task, {
      ok: false,
      error: draft.failure(
        new TroupeError('DeadlineExceeded', `The ask ${body.effectId} had timed out when it was stored.`),
      ),
    });
    return;
  }
  const event = eventOf(draft, body.payload, false, { id: body.effectId, at, from: body.from });
  if (event instanceof TroupeError) refuse(draft, task, event);
  else
    admit(draft, {
      kind: 'task',
      seq: draft.seq,
      taskId: body.effectId,
      at,
      event,
      bytes,
      deadlineAt: body.deadlineAt,
      origin,
      trace: body.trace,
    });
}

export function applyMessage(draft: Draft, body: MessageBody, at: number, bytes: number, refusal?: TroupeError): void {
  const fresh = freshFrom(draft, body);
  if (fresh === 'repeat') return;
  if (fresh === 'late') {
    draft.deadLetter(tooLate(body.effectId));
    return;
  }
  if (refusal !== undefined) {
    draft.deadLetter(refusal);
    return;
  }
  const event = eventOf(draft, body.event, false, { id: body.effectId, at, from: body.from });
  if (event instanceof TroupeError) draft.deadLetter(event);
  else
    admit(draft, {
      kind: 'signal',
      seq: draft.seq,
      taskId: body.effectId,
      at,
      event,
      bytes,
      deadlineAt: Number.POSITIVE_INFINITY,
      origin: undefined,
      trace: body.trace,
    });
}

/** Gives the inputs that had to wait another chance, in order of arrival, until none can move. */
export function retryStash(draft: Draft): void {
  while (draft.retryStash && draft.stash.length > 0 && draft.machine !== undefined) {
    draft.retryStash = false;
    const at = draft.stash.findIndex((one) => canStart(draft, one));
    if (at < 0) return;
    const one = draft.stash[at]!;
    removeStashed(draft, one);
    draft.retryStash = true;
    start(draft, one);
  }
}

export function removeStashed(draft: Draft, one: StashedInput): void {
  draft.stash = draft.stash.filter((other) => other !== one);
  draft.stashBytes -= one.bytes;
}

/** The outcome is an error, and the input is kept for a person. */
export function refuse(
  draft: Draft,
  task: Pick<OpenTurn, 'seq' | 'taskId' | 'origin' | 'trace'>,
  error: unknown,
): void {
  draft.deadLetter(error);
  draft.settle(task, { ok: false, error: draft.failure(error, task.taskId) });
}

/** Without R10: the last few senders only. */
function lastOf(senders: Draft['senders'], count: number): Draft['senders'] {
  const marks = [...senders.entries()].sort(([, a], [, b]) => b.until - a.until);
  return PersistentMap.from(marks.slice(0, count));
}

/** @returns whether a named task is new; a repeat has been answered. */
function admitNamed(
  draft: Draft,
  task: Pick<OpenTurn, 'seq' | 'taskId' | 'origin' | 'trace'>,
  key: TaskKey,
  body: TaskBody,
): boolean {
  const known = draft.tasks.lookup(key, body.payloadHash, draft.now);
  if (!stepRules.taskOnce) return true;
  if (!stepRules.refusalsRemembered && known.kind === 'ended' && known.outcome?.ok === false) return true;
  if (known.kind === 'unknown') {
    const error =
      draft.now > expiry(body, draft.now)
        ? tooLate(task.taskId)
        : draft.tasks.isFull(draft.now)
          ? tooMany(draft)
          : undefined;
    if (error === undefined) return true;
    unremembered(draft, task, error);
    return false;
  }
  if (known.kind === 'conflict') unremembered(draft, task, conflict(task.taskId));
  else if (known.kind === 'pending') addReplyTo(draft, key.id, body.replyTo);
  else
    repeatOutcome(
      draft,
      task,
      known.outcome ?? {
        ok: false,
        error: draft.failure(
          new TroupeError('OutcomeExpired', `Task ${task.taskId} took effect before; its outcome is no longer kept.`),
          task.taskId,
        ),
      },
    );
  return false;
}

/** Refuses without touching what is remembered under the same id. */
function unremembered(
  draft: Draft,
  task: Pick<OpenTurn, 'seq' | 'taskId' | 'origin' | 'trace'>,
  error: TroupeError,
): void {
  draft.deadLetter(error);
  repeatOutcome(draft, task, { ok: false, error: draft.failure(error, task.taskId) });
}

function repeatOutcome(
  draft: Draft,
  task: Pick<OpenTurn, 'seq' | 'taskId' | 'origin' | 'trace'>,
  outcome: Outcome,
): void {
  if (task.origin.kind !== 'client') return;
  draft.emit({
    kind: 'reply',
    replyTo: task.origin.replyTo,
    taskId: task.taskId,
    turnSeq: task.seq,
    outcome,
    contentType: task.origin.contentType,
    repeat: true,
    trace: task.trace,
  });
}

function addReplyTo(draft: Draft, memoryId: number, replyTo: string | undefined): void {
  if (replyTo === undefined) return;
  const add = <T extends { readonly origin: TurnOrigin | undefined }>(one: T): T => {
    const { origin } = one;
    if (origin?.kind !== 'client' || origin.memoryId !== memoryId || origin.replyTo.includes(replyTo)) return one;
    return { ...one, origin: { ...origin, replyTo: [...origin.replyTo, replyTo].slice(-REPLY_TO_MAX) } };
  };
  if (draft.turn !== undefined) draft.turn = add(draft.turn);
  draft.stash = draft.stash.map(add);
}

/** Starts an input now, keeps it for later, or refuses it. */
function admit(draft: Draft, input: Input): void {
  const failed = draft.ensureMachine();
  if (failed !== undefined) {
    refuseInput(draft, input, failed.error);
    return;
  }
  if (isDone(draft)) {
    if (draft.definition.onDone === 'restart' && input.kind === 'task') restart(draft);
    else {
      refuseInput(draft, input, doneError(draft));
      return;
    }
    if (draft.machine === undefined) return;
  }
  let acceptance: Acceptance;
  try {
    acceptance = draft.accepts(input.event);
  } catch (error) {
    refuseInput(draft, input, error);
    return;
  }
  if (acceptance === 'never') {
    const known = draft.definition.driver.eventTypes;
    refuseInput(
      draft,
      input,
      new TroupeError(
        'UnknownEvent',
        `${formatAddress(draft.address)} never accepts "${input.event.type}". It accepts: ${known.length > 0 ? known.join(', ') : 'no events at all'}.`,
        { details: { accepts: known } },
      ),
    );
    return;
  }
  if (acceptance === 'now' && (input.kind === 'signal' || draft.turn === undefined)) start(draft, input);
  else wait(draft, input, acceptance);
}

function restart(draft: Draft): void {
  draft.machine = undefined;
  const failed = draft.ensureMachine();
  if (failed !== undefined) draft.deadLetter(failed.error);
}

export function isDone(draft: Draft): boolean {
  return draft.machine !== undefined && draft.definition.driver.status(draft.machine).status === 'done';
}

function doneError(draft: Draft): TroupeError {
  const { output } = draft.definition.driver.status(draft.machine!);
  return new TroupeError(
    'ActorDone',
    `${formatAddress(draft.address)} has reached its final state. Reset it, use another key, or define it with onDone: 'restart'.`,
    { details: { output } },
  );
}

function canStart(draft: Draft, one: StashedInput): boolean {
  if (one.kind === 'task' && draft.turn !== undefined) return false;
  if (isDone(draft)) return true;
  try {
    return draft.accepts(one.event) === 'now';
  } catch {
    return true;
  }
}

function start(draft: Draft, input: Input): void {
  if (isDone(draft)) {
    admit(draft, input);
    return;
  }
  const { driver } = draft.definition;
  if (input.kind === 'signal') {
    const turnSeq = draft.turn?.seq ?? 0;
    draft.foreign(0);
    const failed = draft.machineStep(turnSeq, (scope) => driver.transition(draft.machine!, '', input.event, scope));
    if (failed !== undefined) draft.deadLetter(failed.error);
    else afterMachineStep(draft, turnSeq);
    return;
  }
  draft.turn = {
    seq: input.seq,
    taskId: input.taskId,
    openedAt: draft.now,
    deadlineAt: input.deadlineAt,
    origin: input.origin!,
    trace: input.trace,
    start: { machine: draft.machine!, effects: draft.open, timers: draft.timers },
  };
  const failed = draft.machineStep(input.seq, (scope) => driver.transition(draft.machine!, '', input.event, scope));
  if (failed !== undefined) failTurn(draft, input.seq, failed.error);
  else afterMachineStep(draft, input.seq);
}

function wait(draft: Draft, input: Input, acceptance: 'now' | 'later'): void {
  const policy = input.kind === 'task' ? draft.definition.task.policy : draft.definition.signalPolicy;
  const why = acceptance === 'now' ? 'another turn is open' : `its state does not accept "${input.event.type}" now`;
  if (policy === 'drop') {
    refuseInput(
      draft,
      input,
      new TroupeError(
        'EventDropped',
        `${formatAddress(draft.address)} dropped "${input.event.type}": ${why}. Send it later, or define the policy 'defer'.`,
      ),
    );
    return;
  }
  if (policy === 'reject') {
    refuseInput(
      draft,
      input,
      new TroupeError(
        'EventRejected',
        `${formatAddress(draft.address)} rejected "${input.event.type}": ${why}. Send it later, or define the policy 'defer'.`,
        { details: { acceptsNow: draft.definition.driver.acceptedNow(draft.machine!) } },
      ),
    );
    return;
  }
  const { depthMax, bytesMax } = draft.definition.mailbox;
  if (draft.stash.length >= depthMax || draft.stashBytes + input.bytes > bytesMax) {
    refuseInput(
      draft,
      input,
      new TroupeError(
        'MailboxFull',
        `${formatAddress(draft.address)} has ${draft.stash.length} inputs waiting (${draft.stashBytes} bytes); at most ${depthMax} and ${bytesMax} bytes may wait. Send it again later.`,
        {
          details: { depth: draft.stash.length, depthMax, bytes: draft.stashBytes, bytesMax },
        },
      ),
    );
    return;
  }
  draft.stash = [...draft.stash, input];
  draft.stashBytes += input.bytes;
}

function refuseInput(draft: Draft, input: Input, error: unknown): void {
  if (input.origin === undefined) draft.deadLetter(error);
  else refuse(draft, { seq: input.seq, taskId: input.taskId, origin: input.origin, trace: input.trace }, error);
}

/** R9 and R10: one watermark per sender; what is older than the memory is refused, never applied twice. */
function freshFrom(draft: Draft, body: AskBody | MessageBody): 'fresh' | 'repeat' | 'late' {
  const sender = formatAddress(body.from);
  const id = parseEffectId(body.effectId);
  if (id === undefined || id.actor !== sender) return 'repeat';
  const mark = draft.senders.get(sender);
  const until = body.causedAt + MEMORY_WINDOW_MS;
  const known = mark !== undefined && mark.until >= draft.now;
  if (stepRules.senderWatermark && known && (id.seq < mark.seq || (id.seq === mark.seq && id.n <= mark.n)))
    return 'repeat';
  if (!known && draft.now > until) return 'late';
  draft.senders = draft.senders.with(sender, { seq: id.seq, n: id.n, until: Math.max(until, mark?.until ?? 0) });
  if (!stepRules.sendersByTime) draft.senders = lastOf(draft.senders, 2);
  return 'fresh';
}

/** The event a machine gets, or why it gets none. */
function eventOf(
  draft: Draft,
  payload: unknown,
  raw: boolean,
  task: { readonly id: string; readonly at: number; readonly from?: ActorAddress },
): MachineEvent | TroupeError {
  if (!raw && isEventLike(payload)) {
    if (isReservedEvent(payload.type)) {
      return new TroupeError(
        'ReservedEvent',
        `Events whose type begins with "xstate." or "troupe." are made inside Troupe only; seen "${payload.type}". Use another type.`,
      );
    }
    if (payload.type !== 'task') return validEvent(draft, payload);
    return taskEvent(draft, (payload as { input?: unknown }).input, task);
  }
  return taskEvent(draft, payload, task);
}

function taskEvent(
  draft: Draft,
  input: unknown,
  task: { readonly id: string; readonly at: number; readonly from?: ActorAddress },
): MachineEvent | TroupeError {
  const checked = validate(draft.definition.task.input, input, 'input');
  return checked instanceof TroupeError ? checked : { type: 'task', input: checked.value, task };
}

function validEvent(draft: Draft, event: MachineEvent): MachineEvent | TroupeError {
  const schema = Object.hasOwn(draft.definition.events, event.type) ? draft.definition.events[event.type] : undefined;
  const checked = validate(schema, event, `event "${event.type}"`);
  if (checked instanceof TroupeError) return checked;
  const value = checked.value as object;
  return { ...value, type: event.type };
}

function isEventLike(payload: unknown): payload is MachineEvent {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    !Array.isArray(payload) &&
    typeof (payload as { type?: unknown }).type === 'string'
  );
}

/** Whether the client made the id up: only then it says for how long it may come again. */
function isClients(body: TaskBody | SignalBody): boolean {
  return body.rememberMs !== undefined;
}

/**
 * When an id may be forgotten: its fixed time plus the window (R10). One expression decides both sides, and it is the same
 * for every repeat; only what is refused for lying too far ahead is bounded by the entry's own time.
 */
function expiry(body: TaskBody | SignalBody, at: number): number {
  const createdAt = Math.min(body.createdAt ?? at, at + CREATED_AHEAD_MS_MAX);
  return createdAt + (body.rememberMs ?? MEMORY_WINDOW_MS);
}

/** A client's clock may run ahead, but not so far that ids would be kept for ever. */
function isAhead(body: TaskBody | SignalBody, at: number): boolean {
  return body.createdAt !== undefined && body.createdAt > at + CREATED_AHEAD_MS_MAX;
}

function ahead(taskId: string): TroupeError {
  return new TroupeError(
    'InvalidHeader',
    `Troupe-Created of ${taskId} lies more than an hour ahead of the server's time. Set the client's clock, or leave the header out.`,
  );
}

function deadlineOf(draft: Draft, body: TaskBody, at: number): number {
  const { deadlineMs, deadlineMsMax } = draft.definition.task;
  if (body.deadline === undefined) return at + deadlineMs;
  if ('afterMs' in body.deadline) return at + Math.min(Math.max(body.deadline.afterMs, DEADLINE_MS_MIN), deadlineMsMax);
  return body.deadline.atMs <= at
    ? body.deadline.atMs
    : Math.min(Math.max(body.deadline.atMs, at + DEADLINE_MS_MIN), at + deadlineMsMax);
}

function conflict(taskId: string): TroupeError {
  return new TroupeError(
    'TaskIdConflict',
    `Task id ${taskId} was used before with another payload. Use a fresh id for new work, and the same payload for a retry.`,
  );
}

function tooLate(taskId: string): TroupeError {
  return new TroupeError(
    'TooLate',
    `${taskId} was made longer ago than its id is remembered (24 h, or its Troupe-Remember), and it is no longer known whether it took effect. Look at the actor's state before sending it under a new id.`,
  );
}

function tooMany(draft: Draft): TroupeError {
  return new TroupeError(
    'TooManyTasks',
    `${formatAddress(draft.address)} remembers ${TASKS_MAX} named tasks, the most it can. Give a shorter Troupe-Remember, send tasks without an id, spread them over more keys, or wait.`,
  );
}

/** For entries that could not even be read. */
export function applyInvalid(
  draft: Draft,
  body: {
    readonly taskId?: string;
    readonly replyTo?: string;
    readonly contentType: TaskBody['contentType'];
    readonly error: ReturnType<typeof toFailureRecord>;
    readonly verb: string;
  },
): void {
  draft.emit({ kind: 'dead-letter', seq: draft.seq, error: body.error });
  if (body.verb !== 'task') return;
  draft.emit({
    kind: 'reply',
    replyTo: body.replyTo === undefined ? [] : [body.replyTo],
    taskId: body.taskId ?? String(draft.seq),
    turnSeq: draft.seq,
    outcome: { ok: false, error: body.error },
    contentType: body.contentType,
    repeat: false,
    trace: undefined,
  });
}
