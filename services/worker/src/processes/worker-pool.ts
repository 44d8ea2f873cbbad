/**
 * The parent of several worker processes: starts them, starts them again when they end, and ends with them.
 *
 * Invariants
 * 1. A process that ends by itself is started again after a wait that grows (`restart-policy.ts`); one that ends with 0 was
 *    drained by an operator and is not. When none is left, the parent ends with 0.
 * 2. It gives up when nothing ever worked and the config can't be used, or when every process has failed at its start again
 *    and again: then it ends with the last one's exit code. One healthy process is reason enough to go on, and one that
 *    worked and crashed is always started again.
 * 3. Asked to stop, it starts nothing more, and ends within the drain's deadline and a grace: what is left then is killed.
 * 4. No process outlives it: a process whose parent is gone drains by itself (`stop-signals.ts`).
 * 5. A restarted process has a new worker id, so that nobody takes it for the one that died.
 */
import type { Logger } from '@troupe/diagnostics';
import { WORKER_EXIT } from '../exit-codes.ts';
import type { HealthAnswer } from '../health-server.ts';
import type { StopReason } from '../stop-signals.ts';
import { Child, type ChildEnd } from './child.ts';
import { RESTART_LIMITS, RestartPolicy } from './restart-policy.ts';

export interface PoolOptions {
  readonly count: number;
  /** First part of the worker ids; the number of the process follows, and how often it was started anew. */
  readonly id: string;
  /** Flags of every process. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly drainMs: number;
  /** 0: a stuck process is not killed. */
  readonly stuckMs: number;
  readonly log: Logger;
}

/** Beyond the drain's own deadline and the worker's own grace, ms. */
const STOP_GRACE_MS = 4_000;
/** A stuck process ends itself at the limit and says where it was; the parent sees to it a little later, ms. */
const STUCK_GRACE_MS = 2_000;

/** One of the `count` processes, through all its starts. */
interface Place {
  readonly number: number;
  readonly policy: RestartPolicy;
  starts: number;
  child: Child | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Exit code, once it is not started again. */
  over: number | undefined;
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #places: readonly Place[];
  readonly #done = Promise.withResolvers<number>();
  #stopping = false;
  #gaveUp: number | undefined;
  #everReady = false;
  #late = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, at) => ({
      number: at + 1,
      policy: new RestartPolicy(RESTART_LIMITS, Math.random),
      starts: 0,
      child: undefined,
      timer: undefined,
      over: undefined,
    }));
  }

  /** Starts every process. @returns the parent's exit code, one of `WORKER_EXIT`, once all have ended for good. */
  run(): Promise<number> {
    for (const place of this.#places) this.#start(place);
    return this.#done.promise;
  }

  /** Asks every process to drain. */
  stop(reason: StopReason): void {
    if (this.#stopping) return;
    this.#options.log.info({ reason, deadlineMs: this.#options.drainMs }, 'draining all processes');
    this.#stop();
  }

  /** Kills what still runs. */
  kill(): void {
    for (const { child } of this.#places) child?.signal('SIGKILL');
  }

  /** It lives while it has not given up. */
  live(): HealthAnswer {
    const ok = this.#gaveUp === undefined;
    return { ok, body: { status: ok ? 'ok' : 'failing', reasons: ok ? [] : ['every process failed again and again'] } };
  }

  /** Ready while every process is; those that an operator drained don't count. */
  ready(): HealthAnswer {
    const wanted = this.#places.filter(({ over }) => over === undefined);
    const processes = wanted.map((place) => ({
      process: place.number,
      pid: place.child?.pid,
      starts: place.starts,
      ...(place.child?.health ?? { ready: false, reasons: ['it ended, and is started again soon'] }),
    }));
    const reasons = processes.flatMap((one) => one.reasons.map((reason) => `process ${one.process}: ${reason}`));
    if (this.#stopping) reasons.unshift('it is stopping');
    if (wanted.length === 0) reasons.push('no process is left');
    const ok = reasons.length === 0;
    return { ok, body: { status: ok ? 'ready' : 'not ready', reasons, processes } };
  }

  #start(place: Place): void {
    const { args, env, cwd, stuckMs, log, id } = this.#options;
    const workerId = `${id}-${place.number}${place.starts === 0 ? '' : `_${place.starts + 1}`}`;
    place.starts++;
    place.timer = undefined;
    const child = new Child({
      args: [...args, `--child=${place.number}`, `--id=${workerId}`],
      env,
      cwd,
      silentMsMax: stuckMs === 0 ? undefined : stuckMs + STUCK_GRACE_MS,
      onStuck: (silentMs) =>
        log.error(
          { process: place.number, pid: child.pid, worker: workerId, silentMs },
          'a process has said nothing for long: its event loop is stuck, or it is frozen; it is killed',
        ),
    });
    place.child = child;
    log.info({ process: place.number, pid: child.pid, worker: workerId }, 'process started');
    void child.ended.then((end) => this.#ended(place, end));
  }

  #ended(place: Place, end: ChildEnd): void {
    const fields = { process: place.number, pid: place.child?.pid, code: end.code, signal: end.signal };
    place.child = undefined;
    this.#everReady ||= end.readyForMs !== undefined;
    if (this.#stopping) this.#over(place, codeOf(end));
    else if (end.code === WORKER_EXIT.ok) {
      this.#options.log.info(fields, 'a process was drained by an operator; it is not started again');
      this.#over(place, WORKER_EXIT.ok);
    } else this.#failed(place, end, fields);
  }

  #failed(place: Place, end: ChildEnd, fields: object): void {
    const waitMs = place.policy.failed(end);
    if (this.#isHopeless(end)) {
      this.#giveUp(place, end, fields);
      return;
    }
    const { failuresInRow } = place.policy;
    this.#options.log.warn({ ...fields, waitMs, failuresInRow }, `${inWords(end)}; it is started again`);
    place.timer = setTimeout(() => this.#start(place), waitMs);
  }

  #isHopeless(end: ChildEnd): boolean {
    if (this.#places.some(({ child }) => child?.health.ready === true)) return false;
    if (end.code === WORKER_EXIT.usage && !this.#everReady) return true;
    return this.#places.every(({ over, policy }) => over !== undefined || policy.hopeless);
  }

  #giveUp(place: Place, end: ChildEnd, fields: object): void {
    this.#gaveUp = end.code ?? WORKER_EXIT.failed;
    const times = place.policy.failuresInRow;
    const often = times > 1 ? `, ${times} times in a row` : '';
    this.#options.log.error(
      fields,
      `gave up: ${inWords(end)}${often}, and no other process works. The lines before say why; set that right and start again`,
    );
    this.#stop();
    this.#over(place, this.#gaveUp);
  }

  #stop(): void {
    this.#stopping = true;
    this.#deadline = setTimeout(() => {
      this.#late = true;
      this.#options.log.warn({}, 'the drain did not end within its deadline; what still runs is killed');
      this.kill();
    }, this.#options.drainMs + STOP_GRACE_MS);
    for (const place of this.#places) {
      clearTimeout(place.timer);
      place.child?.signal('SIGTERM');
    }
    for (const place of this.#places)
      if (place.child === undefined && place.timer !== undefined) this.#over(place, WORKER_EXIT.ok);
  }

  #over(place: Place, code: number): void {
    place.over ??= code;
    if (this.#places.some(({ over }) => over === undefined)) return;
    clearTimeout(this.#deadline);
    this.#done.resolve(this.#gaveUp ?? (this.#late ? WORKER_EXIT.drainTimeout : worstOf(this.#places)));
  }
}

/** A process that was asked to stop before it could listen ends by the signal: nothing was taken over yet. */
function codeOf({ code, signal }: ChildEnd): number {
  return code ?? (signal === 'SIGTERM' ? WORKER_EXIT.ok : WORKER_EXIT.failed);
}

function worstOf(places: readonly Place[]): number {
  const codes = places.map(({ over }) => over ?? WORKER_EXIT.ok);
  if (codes.includes(WORKER_EXIT.drainTimeout)) return WORKER_EXIT.drainTimeout;
  return codes.find((code) => code !== WORKER_EXIT.ok) ?? WORKER_EXIT.ok;
}

function inWords({ code, signal, stuck }: ChildEnd): string {
  if (stuck) return 'a process was stuck and was killed';
  return signal === null ? `a process ended with exit code ${code}` : `a process was ended by ${signal}`;
}
