/**
 * Debug lines for the beginning, the end, the failure and the duration of every turn, step and effect.
 *
 * Invariants
 * 1. No payload, context, input or output is written: names, ids, counts, codes and messages only.
 * 2. Each line goes through a `SecretFilter` that has seen what the actor was given, so that a secret repeated in a
 *    message of an error is taken out.
 * 3. Never throws: what can't be written down must not reach the work it tells of.
 */
import { type ActorAddress, type EffectObservation, formatAddress, type Observed, type StepFacts } from '@troupe/wire';
import type { Logger } from '../logger.ts';
import { SecretFilter } from '../secrets.ts';

/** Whose line it is. */
export interface WorkOf {
  readonly address: ActorAddress;
  readonly partition: number;
  readonly seq: number;
  /** Task of the open turn, or the one that begins. */
  readonly task?: string | undefined;
  /** Correlation id: 32 hexadecimal digits, the trace id where there is one. */
  readonly trace: string;
  /** Whatever may hold secrets that messages repeat: looked at, never written. */
  readonly seen: readonly unknown[];
}

export interface StepBegins {
  readonly entry: string;
}

export interface StepEnded {
  readonly durationMs: number;
  /** Undefined when the step threw. */
  readonly facts: StepFacts | undefined;
  readonly error?: unknown;
  /** Sequence of the turn that was open before. */
  readonly turnBefore: number | undefined;
  /** An ask that this entry ended. */
  readonly asked?: { readonly effect: string; readonly durationMs: number; readonly ok: boolean } | undefined;
}

/**
 * Writes the lines.
 *
 * @example new WorkLog(createLogger()).stepBegins(work, { entry: 'task' })
 */
export class WorkLog {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  stepBegins(work: WorkOf, { entry }: StepBegins): void {
    this.#write(work, [['step begins', { entry }]]);
  }

  stepEnded(work: WorkOf, { durationMs, facts, error, turnBefore, asked }: StepEnded): void {
    if (facts === undefined) {
      this.#write(work, [['step failed', { durationMs, error: errorOf(error) }]]);
      return;
    }
    const lines: Line[] = [];
    if (asked !== undefined) {
      const { ok, ...rest } = asked;
      lines.push([ok ? 'effect ended' : 'effect failed', { src: 'ask', ...rest }]);
    }
    for (const { seq, taskId } of facts.ended)
      if (seq !== turnBefore) lines.push(['turn begins', { turn: seq, task: taskId }]);
    for (const { seq, taskId, ok, ...rest } of facts.ended)
      lines.push([ok ? 'turn ended' : 'turn failed', { turn: seq, task: taskId, ...rest }]);
    const { turn } = facts;
    if (turn !== undefined && turn.seq !== turnBefore)
      lines.push(['turn begins', { turn: turn.seq, task: turn.taskId, deadlineAt: turn.deadlineAt }]);
    for (const { id, kind, effectId, ...rest } of facts.effects) {
      if (kind === 'invoke') continue;
      const about = effectId === undefined ? {} : { of: effectId };
      const effect = `${facts.actor}@${id}`;
      lines.push([kind === 'ask' ? 'effect begins' : 'effect', { effect, src: kind, ...rest, ...about }]);
    }
    const { error: refused, waiting, running, after } = facts;
    const rest = refused === undefined ? {} : { error: refused };
    const end = { durationMs, state: after.value, effects: facts.effects.length, waiting, running, ...rest };
    lines.push([refused === undefined ? 'step ended' : 'step failed', end]);
    this.#write(work, lines);
  }

  effect(work: WorkOf, notice: Omit<EffectObservation, 'kind' | 'actor' | keyof Observed>): void {
    const { phase, effectId, src, attempt, durationMs, error } = notice;
    const message = phase === 'ended' ? (notice.ok === true ? 'effect ended' : 'effect failed') : PHASES[phase];
    const took = durationMs === undefined ? {} : { durationMs };
    this.#write(work, [
      [message, { effect: effectId, src, attempt, ...took, ...(error === undefined ? {} : { error }) }],
    ]);
  }

  /** Invariants 2 and 3. */
  #write({ address, partition, seq, task, trace, seen }: WorkOf, lines: readonly Line[]): void {
    try {
      const filter = new SecretFilter();
      filter.collect(seen);
      const { type, key } = address;
      const head = {
        actor: formatAddress(address),
        type,
        key,
        partition,
        seq,
        ...(task === undefined ? {} : { task }),
        trace,
      };
      for (const [message, fields] of lines) this.#log.debug(filter.apply({ ...head, ...fields }), message);
    } catch {
      // Not worth more than the work.
    }
  }
}

type Line = readonly [message: string, fields: object];

const PHASES = { started: 'effect begins', retrying: 'effect is tried again' } as const;

function errorOf(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { readonly code?: unknown };
  const { name, message, stack } = error;
  return { name, message, ...(code === undefined ? {} : { code }), ...(stack === undefined ? {} : { stack }) };
}
