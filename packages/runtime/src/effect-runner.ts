/**
 * Runs what machines invoke: promises, callbacks, observables.
 *
 * Invariants
 * 1. An effect starts only when its partition is live and its ownership fresh (R5); the caller sees to it.
 * 2. One outcome per effect is journaled by this owner, without a message id; the step takes the first.
 * 3. R11: `retry: never` starts only under the first journaled claim, if that is this owner's of this
 *    epoch; an owner that finds another's claim journals `OutcomeUnknown`.
 * 4. Items of a stream are journaled one after the other, and its end after all of them. 64 may wait; beyond, an
 *    observable keeps the latest value only, and a callback with 1,024 more fails with `EffectOverflow`.
 * 5. What is stopped journals nothing more.
 * 6. A call that goes on while its partition is handed over (`leave`) is not tried again here: to start is its owner's.
 */
import {
  DEFAULT_EFFECT,
  effectIdOf,
  type OpenEffect,
  type ResolvedEffectOptions,
  type RunningChild,
  retryDelayMs,
  withEffectId,
} from '@troupe/core';
import {
  type EffectObservation,
  formatAddress,
  type InternalBody,
  type Outcome,
  type StreamBody,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import { retryWhile } from './backoff.ts';
import { EffectFigures } from './effect-figures.ts';
import type { Log } from './log.ts';
import type { Observer } from './observer.ts';
import { type Clock, type JournalPort, PortError, type Timer } from './ports.ts';
import type { ProgressPublisher } from './progress.ts';
import { rules } from './rules.ts';
import { Slots } from './slots.ts';

/** Items of one stream that wait for the journal; beyond, an observable's latest value takes the place of the last. */
const STREAM_WAITING_MAX = 64;
/** So many more events of a callback may wait, none of which can be left out. */
const CALLBACK_WAITING_MAX = 1_024;
/** How often a drain looks whether what it left under way has ended, ms. */
const LEFT_STEP_MS = 20;

/** What running an effect needs of the partition. */
export interface EffectHost {
  readonly epoch: number;
  readonly workerId: string;
  /** Whether effects may start now (R5, R6). */
  readonly fresh: boolean;
  readonly dropped: boolean;
  /** The partition is being handed over: no call marked `retry: never` is claimed any more. */
  readonly leaving?: boolean;
  /** Whether the owner before still has this call under way. */
  isElsewhere?(effectId: string): boolean;
  /** Calls back when ownership is fresh again. */
  whenFresh(callback: () => void): void;
  /** Publishes on the actor's out subject. */
  emit(cell: ActorCell, effectId: string, event: { readonly type: string }): void;
}

/** What stands in for a partition that was handed over while calls of it go on. */
interface LeftHost extends EffectHost {
  readonly partition: number;
  dropped: boolean;
}

interface Run {
  host: EffectHost;
  readonly cell: ActorCell;
  readonly effect: OpenEffect;
  readonly effectId: string;
  readonly options: ResolvedEffectOptions;
  child: RunningChild | undefined;
  timer: Timer | undefined;
  attempt: number;
  /** Monotonic time of the first start, ms; undefined before it. */
  startedMs: number | undefined;
  n: number;
  /** Items that wait for the journal. */
  readonly queue: StreamBody['item'][];
  journaling: boolean;
  release: (() => void) | undefined;
  over: boolean;
}

export class EffectRunner {
  readonly figures = new EffectFigures();
  readonly #journal: JournalPort;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #slots: Slots;
  readonly #observer: Observer;
  readonly #progress: ProgressPublisher;
  readonly #runs = new Map<string, Run>();
  /** By epoch and effect, for whom it was claimed. */
  readonly #claims = new Map<string, EffectHost>();
  readonly #left = new Set<LeftHost>();

  constructor(
    journal: JournalPort,
    clock: Clock,
    log: Log,
    runningMax: number,
    observer: Observer,
    progress: ProgressPublisher,
  ) {
    this.#observer = observer;
    this.#progress = progress;
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
    this.#slots = new Slots(runningMax);
  }

  get running(): number {
    return this.#runs.size;
  }

  /** Starts an open effect of a cell unless it runs already. */
  start(host: EffectHost, cell: ActorCell, effect: OpenEffect): void {
    if (effect.kind === 'ask') return;
    const effectId = effectIdOf(cell.address, effect.id);
    const runId = `${host.epoch}:${effectId}`;
    if (this.#runs.has(runId) || host.isElsewhere?.(effectId) === true) return;
    if (effect.once && rules.claims && !this.#mayStartOnce(host, cell, effect, effectId)) return;
    const options = cell.definition.effects.get(effect.src) ?? DEFAULT_EFFECT;
    const run: Run = {
      host,
      cell,
      effect,
      effectId,
      options,
      child: undefined,
      timer: undefined,
      attempt: 1,
      startedMs: undefined,
      n: 0,
      queue: [],
      journaling: false,
      release: undefined,
      over: false,
    };
    this.#runs.set(runId, run);
    this.#slots.acquire(`${cell.definition.type}.${effect.src}`, options.concurrencyMax, (release) => {
      run.release = release;
      this.#begin(run);
    });
  }

  stop(host: EffectHost, cell: ActorCell, id: string): void {
    const run = this.#runs.get(`${host.epoch}:${effectIdOf(cell.address, id)}`);
    if (run !== undefined) this.#end(run);
  }

  send(host: EffectHost, cell: ActorCell, id: string, event: { readonly type: string }): void {
    this.#runs.get(`${host.epoch}:${effectIdOf(cell.address, id)}`)?.child?.send(event);
  }

  /** Ends everything a partition runs, journaling nothing. */
  stopAll(host: EffectHost): void {
    for (const run of [...this.#runs.values()]) if (run.host === host) this.#end(run);
    for (const [key, one] of this.#claims) if (one === host) this.#claims.delete(key);
  }

  /** Whether a claim is on its way whose call has not begun: who gives the partition back now would leave it unknown. */
  claiming(host: EffectHost): boolean {
    for (const one of this.#claims.values()) if (one === host) return true;
    return false;
  }

  /**
   * The partition is handed over: calls that have begun go on here, and their outcomes are journaled from here; what streams
   * ends, and so does what has not begun.
   * @returns the ids of those that go on.
   */
  leave(host: EffectHost, partition: number): readonly string[] {
    const left: LeftHost = {
      partition,
      epoch: host.epoch,
      workerId: host.workerId,
      fresh: false,
      dropped: false,
      whenFresh: () => {},
      emit: (cell, effectId, event) => host.emit(cell, effectId, event),
    };
    const ids: string[] = [];
    for (const run of this.#runs.values()) {
      const streams = run.effect.kind === 'callback' || run.effect.kind === 'observable';
      if (run.host !== host || streams || run.child === undefined) continue;
      run.host = left;
      ids.push(run.effectId);
    }
    if (ids.length > 0) this.#left.add(left);
    this.stopAll(host);
    return ids;
  }

  /** Of the calls left under way in that partition and epoch, ends those that nobody waits for. @returns those that go on. */
  leftOf(partition: number, epoch: number, waitedFor: ReadonlySet<string>): readonly string[] {
    const ids: string[] = [];
    for (const run of this.#leftRuns()) {
      if ((run.host as LeftHost).partition !== partition || run.host.epoch !== epoch) continue;
      if (waitedFor.has(run.effectId)) ids.push(run.effectId);
      else this.#end(run);
    }
    return ids;
  }

  /** Waits until what was left under way has ended, or ends it at that time of the monotonic clock. */
  async leftEnd(endAtMs: number): Promise<void> {
    while (this.#leftRuns().length > 0 && this.#clock.monotonic() < endAtMs) {
      await new Promise<void>((resolve) => {
        this.#clock.setTimer(resolve, LEFT_STEP_MS);
      });
    }
    this.endLeft();
  }

  /** Ends what was left under way; nothing more is journaled of it. */
  endLeft(): void {
    for (const run of this.#leftRuns()) this.#end(run);
    for (const left of this.#left) left.dropped = true;
    this.#left.clear();
  }

  #leftRuns(): Run[] {
    if (this.#left.size === 0) return [];
    const runs = [...this.#runs.values()].filter(({ host }) => this.#left.has(host as LeftHost));
    const hosts = new Set<EffectHost>(runs.map(({ host }) => host));
    for (const left of this.#left) if (!hosts.has(left)) this.#left.delete(left);
    return runs;
  }

  #mayStartOnce(host: EffectHost, cell: ActorCell, effect: OpenEffect, effectId: string): boolean {
    const { claim } = effect;
    const key = `${host.epoch}:${effectId}`;
    if (claim === undefined) {
      if (!this.#claims.has(key) && host.leaving !== true) {
        this.#claims.set(key, host);
        void this.#append(host, cell, { kind: 'claim', effectId, epoch: host.epoch, worker: host.workerId });
      }
      return false;
    }
    const mine = claim.epoch === host.epoch && claim.worker === host.workerId && this.#claims.has(key);
    this.#claims.delete(key);
    if (mine) return true;
    const error = new TroupeError(
      'OutcomeUnknown',
      `Effect ${effectId} was started by worker ${claim.worker}, which is gone, and may not be repeated. Find out from the called system whether it happened.`,
    );
    void this.#append(host, cell, {
      kind: 'outcome',
      effectId,
      result: { ok: false, error: toFailureRecord(error, { actor: formatAddress(cell.address) }) },
    });
    return false;
  }

  #begin(run: Run): void {
    if (run.over) return;
    if (!run.host.fresh) {
      run.host.whenFresh(() => this.#begin(run));
      return;
    }
    const { cell, effect } = run;
    if (cell.state?.machine === undefined || cell.state.effects.get(effect.id) === undefined) {
      this.#end(run);
      return;
    }
    const { machine } = cell.state;
    if (run.startedMs === undefined) {
      run.startedMs = this.#clock.monotonic();
      this.figures.started(cell.definition.type, effect.src);
    }
    if (this.#observer.active) this.#tell(run, run.attempt === 1 ? 'started' : 'retrying');
    if (run.options.timeoutMs !== undefined) {
      run.timer = this.#clock.setTimer(() => this.#timedOut(run), run.options.timeoutMs);
    }
    try {
      run.child = withEffectId(
        run.effectId,
        () =>
          cell.definition.driver.start({
            src: effect.src,
            childPath: effect.childPath,
            state: machine,
            input: effect.input,
            effectId: run.effectId,
            onOutput: (output) => this.#finish(run, { ok: true, value: output }),
            onError: (error) => this.#failed(run, error),
            onEvent: (event) => this.#item(run, { kind: 'event', event }),
            onNext: (value) => this.#item(run, { kind: 'next', value }),
            onEmit: (event) => run.host.emit(cell, run.effectId, event),
          }),
        this.#progressOf(run),
      );
      if (run.over) run.child.stop();
    } catch (error) {
      this.#failed(run, error);
    }
  }

  /** Only for as long as this run goes on, and its turn with it. */
  #progressOf(run: Run): (chunk: unknown) => boolean {
    const { cell, effect, effectId } = run;
    const taskId = (): string | undefined => {
      const turn = cell.state?.turn;
      return run.over || turn?.seq !== effect.turn ? undefined : turn.taskId;
    };
    return this.#progress.of({ address: cell.address, effectId, taskId });
  }

  #timedOut(run: Run): void {
    run.child?.stop();
    this.#failed(
      run,
      new TroupeError(
        'EffectTimeout',
        `'${run.effect.src}' of ${formatAddress(run.cell.address)} took longer than ${run.options.timeoutMs} ms. Raise effects.${run.effect.src}.timeoutMs, or make it faster.`,
        { retryable: true },
      ),
    );
  }

  #failed(run: Run, error: unknown): void {
    if (run.over) return;
    run.timer?.cancel();
    if (run.attempt < run.options.retry.attemptsMax && !run.effect.once) {
      if (this.#left.has(run.host as LeftHost)) {
        // The next try is its owner's.
        this.#end(run);
        return;
      }
      const waitMs = retryDelayMs(run.options.retry, run.attempt, Math.random());
      run.attempt++;
      this.figures.retried(run.cell.definition.type, run.effect.src);
      run.timer = this.#clock.setTimer(() => this.#begin(run), waitMs);
      return;
    }
    this.#finish(run, {
      ok: false,
      error: toFailureRecord(error, { code: 'EffectFailed', actor: formatAddress(run.cell.address) }),
    });
  }

  #finish(run: Run, result: Outcome): void {
    if (run.over) return;
    run.over = true;
    const tookMs = this.#clock.monotonic() - (run.startedMs ?? this.#clock.monotonic());
    this.figures.ended(run.cell.definition.type, run.effect.src, result.ok, tookMs);
    if (this.#observer.active) this.#tell(run, 'ended', result);
    run.timer?.cancel();
    if (run.effect.kind === 'callback' || run.effect.kind === 'observable') {
      run.queue.push(result.ok ? { kind: 'complete' } : { kind: 'error', error: result.error });
      void this.#journalItems(run);
    } else {
      const body: InternalBody = { kind: 'outcome', effectId: run.effectId, result };
      // Handed over meanwhile, it is still this worker that journals it.
      const whose = {
        get dropped() {
          return run.host.dropped;
        },
      };
      void this.#append(whose, run.cell, body).finally(() => this.#end(run));
    }
  }

  #tell(run: Run, phase: EffectObservation['phase'], result?: Outcome): void {
    const { cell, effect, effectId, attempt, startedMs } = run;
    this.#observer.effect(cell, {
      phase,
      effectId,
      seq: Number(effect.id.slice(0, effect.id.indexOf('.'))),
      src: effect.src,
      invoke: effect.kind,
      path: effect.childPath,
      turn: effect.turn,
      attempt,
      ...(result === undefined || startedMs === undefined ? {} : { durationMs: this.#clock.monotonic() - startedMs }),
      ...(result === undefined ? {} : { ok: result.ok }),
      ...(result?.ok === false ? { error: { code: result.error.code, message: result.error.message } } : {}),
    });
  }

  #item(run: Run, item: StreamBody['item']): void {
    if (run.over) return;
    const { queue } = run;
    if (queue.length < STREAM_WAITING_MAX) queue.push(item);
    else if (item.kind === 'next') queue[queue.length - 1] = item;
    else if (queue.length < STREAM_WAITING_MAX + CALLBACK_WAITING_MAX) queue.push(item);
    else {
      run.child?.stop();
      this.#finish(run, {
        ok: false,
        error: toFailureRecord(
          new TroupeError(
            'EffectOverflow',
            `'${run.effect.src}' of ${formatAddress(run.cell.address)} sends faster than the journal takes it: ${queue.length} events wait. Send less, or use an observable, which keeps the latest value.`,
          ),
        ),
      });
    }
    void this.#journalItems(run);
  }

  /** One after the other, whatever has to be repeated: the step takes only what lies above the last one. */
  async #journalItems(run: Run): Promise<void> {
    if (run.journaling) return;
    run.journaling = true;
    for (let item = run.queue.shift(); item !== undefined; item = run.queue.shift()) {
      const body: StreamBody = { kind: 'stream', effectId: run.effectId, run: run.host.epoch, n: ++run.n, item };
      const stored = await this.#append(run.host, run.cell, body);
      if (!stored || item.kind === 'complete' || item.kind === 'error') this.#end(run);
    }
    run.journaling = false;
  }

  #end(run: Run): void {
    run.over = true;
    run.queue.length = 0;
    run.timer?.cancel();
    run.child?.stop();
    run.release?.();
    run.release = undefined;
    this.#runs.delete(`${run.host.epoch}:${run.effectId}`);
  }

  /**
   * Appends while the partition is owned; what can't be stored becomes an error that can.
   * @returns whether it is stored as it is.
   */
  async #append(host: { readonly dropped: boolean }, cell: ActorCell, body: InternalBody): Promise<boolean> {
    try {
      const seq = await retryWhile(
        this.#clock,
        () => !host.dropped,
        () => this.#journal.append(cell.address, body),
      );
      return seq !== undefined;
    } catch (error) {
      const instead = substitute(body, error, formatAddress(cell.address));
      if (instead === undefined) {
        this.#log.error(
          { actor: formatAddress(cell.address), kind: body.kind, error: String(error) },
          'an entry could not be journaled',
        );
        return false;
      }
      await this.#append(host, cell, instead);
      return false;
    }
  }
}

/** An outcome that can't be stored, as an error that says why; undefined when it is such an error already. */
function substitute(body: InternalBody, error: unknown, actor: string): InternalBody | undefined {
  if (error instanceof PortError && error.kind !== 'too-large') return undefined;
  const code = error instanceof PortError ? 'PayloadTooLarge' : 'NotStorable';
  const message = error instanceof Error ? error.message : String(error);
  const record = toFailureRecord(
    new TroupeError(
      code,
      `What the effect returned can't be journaled: ${message} Return plain data within the payload limit.`,
    ),
    { actor },
  );
  if (body.kind === 'outcome' && body.result.ok) return { ...body, result: { ok: false, error: record } };
  if (body.kind === 'stream' && (body.item.kind === 'next' || body.item.kind === 'event'))
    return { ...body, item: { kind: 'error', error: record } };
  return undefined;
}
