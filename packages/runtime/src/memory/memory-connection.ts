/**
 * One worker's line to the memory broker: every port call crosses it.
 *
 * Invariants
 * 1. A call settles within its deadline, whatever the fault plan does, unless virtual time stands still.
 * 2. Losing the connection fails at once every call in flight; calls made meanwhile wait for the connection within their
 *    deadline, at most `HELD_MAX` of them.
 * 3. A request delayed by the plan arrives even after its sender has gone: the broker can't tell.
 * 4. What travels, travels on the server's clock; what reaches this side happens on its own clock: while that stands still,
 *    requests that are on their way arrive, and answers wait.
 */
import { PORT_DEADLINE_MS } from '../conditional-write.ts';
import { type Clock, PortError, type Timer } from '../ports.ts';
import type { Fault, FaultPlan, OperationKind } from './faults.ts';

/** Calls that may wait for the connection to come back. */
const HELD_MAX = 10_000;

interface Pending {
  settled: boolean;
  /** The line was cut after it was sent: no answer can come. */
  cut: boolean;
  timer: Timer | undefined;
  resolve(value: unknown): void;
  reject(error: PortError): void;
}
interface Held {
  readonly pending: Pending;
  send(): void;
}

export class MemoryConnection {
  readonly name: string;
  readonly clock: Clock;
  readonly #serverClock: Clock;
  readonly #faults: FaultPlan | undefined;
  readonly #inFlight = new Set<Pending>();
  readonly #statusListeners = new Set<(connected: boolean) => void>();
  #held: Held[] = [];
  #state: 'connected' | 'disconnected' | 'closed' = 'connected';

  constructor(name: string, clock: Clock, serverClock: Clock, faults: FaultPlan | undefined) {
    this.name = name;
    this.clock = clock;
    this.#serverClock = serverClock;
    this.#faults = faults;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /**
   * Carries a request to the broker and its result back. `perform` runs at the broker, throws only `PortError`, and is told
   * what goes wrong with the operation.
   */
  call<T>(
    kind: OperationKind,
    perform: (fault: Fault | undefined) => T,
    timeoutMs: number = PORT_DEADLINE_MS,
  ): Promise<T> {
    if (this.#state === 'closed') return Promise.reject(closedError());
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = {
        settled: false,
        cut: false,
        timer: undefined,
        resolve: resolve as (value: unknown) => void,
        reject,
      };
      if (this.#state === 'connected') this.#send(kind, perform, pending, timeoutMs);
      else this.#hold(kind, perform, pending, timeoutMs);
    });
  }

  /**
   * Carries something from the broker to this connection: in order unless the plan delays it. False when the plan loses
   * it.
   */
  deliver(kind: OperationKind, receive: () => void): boolean {
    return this.#carry(kind, this.clock, receive);
  }

  /** Carries something to the broker that nobody waits for. */
  post(kind: OperationKind, arrive: () => void): void {
    this.#carry(kind, this.#serverClock, arrive);
  }

  onStatus(listener: (connected: boolean) => void): { close(): void } {
    this.#statusListeners.add(listener);
    return { close: () => void this.#statusListeners.delete(listener) };
  }

  /** Cuts the line until `reconnect`. */
  disconnect(): void {
    if (this.#state !== 'connected') return;
    this.#state = 'disconnected';
    const lost = this.#cutInFlight();
    this.#notice(() => {
      const error = new PortError('disconnected', 'the connection was lost before the answer came');
      for (const pending of lost) this.#reject(pending, error);
      for (const listener of [...this.#statusListeners]) listener(false);
    });
  }

  reconnect(): void {
    if (this.#state !== 'disconnected') return;
    this.#state = 'connected';
    this.#notice(() => {
      for (const listener of [...this.#statusListeners]) listener(true);
      const held = this.#held;
      this.#held = [];
      for (const { pending, send } of held) if (!pending.settled) send();
    });
  }

  /** The process on this side is gone in the middle of everything: nobody is told, and nothing is ever answered. */
  vanish(): void {
    this.#state = 'closed';
    this.#cutInFlight();
    this.#held = [];
    this.#statusListeners.clear();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const pending of this.#cutInFlight()) this.#reject(pending, closedError());
    for (const { pending } of this.#held) this.#reject(pending, closedError());
    this.#held = [];
    this.#statusListeners.clear();
  }

  #send(kind: OperationKind, perform: Perform, pending: Pending, timeoutMs: number): void {
    this.#inFlight.add(pending);
    const fault = this.#faults?.decide({ kind, connection: this.name });
    if (fault === undefined) {
      this.#serverClock.defer(() => {
        if (!pending.settled && !pending.cut) this.#perform(perform, pending, undefined);
      });
      return;
    }
    pending.timer?.cancel();
    const travelMs = (fault.delayMs ?? 0) + (fault.answerDelayMs ?? 0);
    if (fault.lose !== undefined || travelMs >= timeoutMs) {
      pending.timer = this.clock.setTimer(() => {
        this.#reject(pending, new PortError('timeout', `${kind} was not answered within ${timeoutMs} ms`));
      }, timeoutMs);
    }
    if (fault.lose === 'request') return;
    after(this.#serverClock, fault.delayMs, () => this.#perform(perform, pending, fault));
    if (fault.duplicateAfterMs !== undefined) {
      this.#serverClock.setTimer(() => attempt(perform, fault), (fault.delayMs ?? 0) + fault.duplicateAfterMs);
    }
  }

  #perform(perform: Perform, pending: Pending, fault: Fault | undefined): void {
    const result = attempt(perform, fault);
    if (fault?.lose === 'answer' || pending.settled || pending.cut) return;
    if (fault === undefined && this.clock === this.#serverClock) this.#answer(pending, result);
    else
      after(this.clock, fault?.answerDelayMs, () => {
        if (!pending.settled && !pending.cut) this.#answer(pending, result);
      });
  }

  #answer(pending: Pending, result: Attempt): void {
    if (result.ok) {
      this.#settle(pending);
      pending.resolve(result.value);
    } else this.#reject(pending, result.error);
  }

  /** False when the plan loses it. */
  #carry(kind: OperationKind, clock: Clock, arrive: () => void): boolean {
    const fault = this.#faults?.decide({ kind, connection: this.name });
    if (fault === undefined) {
      clock.defer(arrive);
      return true;
    }
    if (fault.lose !== undefined) return false;
    after(clock, fault.delayMs, arrive);
    if (fault.duplicateAfterMs !== undefined) {
      clock.setTimer(arrive, (fault.delayMs ?? 0) + fault.duplicateAfterMs);
    }
    return true;
  }

  #hold(kind: OperationKind, perform: Perform, pending: Pending, timeoutMs: number): void {
    if (this.#held.length >= HELD_MAX) {
      pending.reject(new PortError('full', `${HELD_MAX} calls wait for the connection already`));
      return;
    }
    const startedAt = this.clock.monotonic();
    pending.timer = this.clock.setTimer(() => {
      this.#reject(pending, new PortError('disconnected', `${kind}: not connected for ${timeoutMs} ms`));
    }, timeoutMs);
    this.#held.push({
      pending,
      send: () => this.#send(kind, perform, pending, timeoutMs - (this.clock.monotonic() - startedAt)),
    });
  }

  #settle(pending: Pending): void {
    pending.settled = true;
    pending.timer?.cancel();
    this.#inFlight.delete(pending);
  }

  #reject(pending: Pending, error: PortError): void {
    if (pending.settled) return;
    this.#settle(pending);
    pending.reject(error);
  }

  #cutInFlight(): Pending[] {
    const lost = [...this.#inFlight];
    this.#inFlight.clear();
    for (const pending of lost) pending.cut = true;
    return lost;
  }

  /** What happens to the line is noticed on this side's clock (invariant 4). */
  #notice(what: () => void): void {
    if (this.clock === this.#serverClock) what();
    else this.clock.defer(what);
  }
}

type Perform = (fault: Fault | undefined) => unknown;
type Attempt = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: PortError };

function attempt(perform: Perform, fault: Fault | undefined): Attempt {
  try {
    return { ok: true, value: perform(fault) };
  } catch (error) {
    if (error instanceof PortError) return { ok: false, error };
    return { ok: false, error: new PortError('other', String(error), { cause: error }) };
  }
}

function after(clock: Clock, delayMs: number | undefined, callback: () => void): void {
  if (delayMs === undefined) clock.defer(callback);
  else clock.setTimer(callback, delayMs);
}

function closedError(): PortError {
  return new PortError('closed', 'the ports are closed');
}
