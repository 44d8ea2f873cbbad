/** A driver with everything a test needs around it: scopes with counted ids, bytes, and the children it runs outside. */
import { Packr } from 'msgpackr';
import {
  type AnyStateMachine,
  createMachineDriver,
  type MachineAction,
  type MachineDriver,
  type MachineEvent,
  type MachineScope,
  type MachineState,
  type MachineStep,
} from '../../src/machine/index.ts';

const packr = new Packr({ structuredClone: true, moreTypes: true });

/** What the codec makes of a value. */
export function throughBytes<T>(value: T): T {
  return packr.unpack(packr.pack(value)) as T;
}

/** Encoded, for handing to another process. */
export function toBytes(value: unknown): Buffer {
  return packr.pack(value);
}

/** The scope of step `seq`. */
export function scopeAt(seq: number, now = seq * 1_000): MachineScope {
  let n = 0;
  const address = { type: 'test', key: 'one' };
  return { now, address, seed: `test/one@${seq}`, nextId: () => `${seq}.${n++}` };
}

/** One actor under test: it keeps the state and the actions of its last step. */
export class Driven {
  readonly driver: MachineDriver;
  state: MachineState;
  actions: readonly MachineAction[];
  changed = true;
  seq = 1;

  constructor(machine: AnyStateMachine, input?: unknown) {
    this.driver = createMachineDriver(machine);
    const step = this.driver.init(input, scopeAt(1));
    this.state = step.state;
    this.actions = step.actions;
  }

  send(event: MachineEvent | string, path = ''): this {
    const sent = typeof event === 'string' ? { type: event } : event;
    return this.#take((scope) => this.driver.transition(this.state, path, sent, scope));
  }

  resolve(childPath: string, output?: unknown): this {
    return this.#take((scope) => this.driver.settle(this.state, childPath, { ok: true, output }, scope));
  }

  reject(childPath: string, error: unknown): this {
    return this.#take((scope) => this.driver.settle(this.state, childPath, { ok: false, error }, scope));
  }

  next(childPath: string, value: unknown): this {
    return this.#take((scope) => this.driver.next(this.state, childPath, value, scope));
  }

  /** Fires the timer with this key (or the only one) of the last step. */
  fire(timerKey?: string): this {
    const timer = this.of('timer-set').find((each) => timerKey === undefined || each.timerKey === timerKey);
    if (timer === undefined) throw new Error(`No timer ${timerKey ?? ''} among ${JSON.stringify(this.actions)}`);
    return this.send(timer.event, timer.targetPath);
  }

  /** Persists, encodes, decodes, restores. */
  reload(): this {
    this.state = this.driver.restore(throughBytes(this.driver.persist(this.state)));
    return this;
  }

  /** Takes over a state from its bytes. */
  restore(bytes: Uint8Array): this {
    this.state = this.driver.restore(packr.unpack(bytes));
    return this;
  }

  of<K extends MachineAction['kind']>(kind: K): Extract<MachineAction, { kind: K }>[] {
    return this.actions.filter((action) => action.kind === kind) as Extract<MachineAction, { kind: K }>[];
  }

  get view() {
    return this.driver.view(this.state);
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into contexts of machines of all kinds
  get context(): any {
    return this.view.context;
  }

  #take(step: (scope: MachineScope) => MachineStep): this {
    this.seq++;
    const { state, actions, changed } = step(scopeAt(this.seq));
    this.state = state;
    this.actions = actions;
    this.changed = changed;
    return this;
  }
}

/** Drives a machine. */
export function drive(machine: AnyStateMachine, input?: unknown): Driven {
  return new Driven(machine, input);
}
