/** Takes a driven machine through random operations: says what each comes to in this state, and keeps its timers. */
import {
  type AnyStateMachine,
  type ChildView,
  type MachineEvent,
  type MachineView,
  parentPath,
} from '../../src/machine/index.ts';
import { Driven } from './driving.ts';

/** What may be done, independent of any state. */
export interface Operation {
  readonly kind: 'send' | 'sendChild' | 'resolve' | 'reject' | 'next' | 'back' | 'fire';
  readonly pick: number;
  readonly event: number;
}

export interface Timer {
  readonly path: string;
  readonly key: string;
  readonly due: number;
  readonly target: string;
  readonly event: MachineEvent;
}

/** What an operation comes to. `path` is the child it concerns, if any. */
export type Move =
  | { readonly kind: 'send'; readonly path: string; readonly event: MachineEvent }
  | { readonly kind: 'sendChild'; readonly path: string; readonly event: MachineEvent }
  | { readonly kind: 'back'; readonly path: string; readonly event: MachineEvent }
  | { readonly kind: 'resolve'; readonly path: string; readonly value: number }
  | { readonly kind: 'reject'; readonly path: string; readonly value: number }
  | { readonly kind: 'next'; readonly path: string; readonly value: number }
  | { readonly kind: 'fire'; readonly timer: Timer };

const WANTED: Record<string, readonly string[]> = {
  sendChild: ['machine', 'transition'],
  resolve: ['promise'],
  reject: ['promise'],
  next: ['observable'],
  back: ['callback'],
};

export class Pilot {
  readonly driven: Driven;
  now = 0;
  /** Whether a timer was set under the key of a pending one, which live actors treat otherwise. */
  replacedTimer = false;
  #timers: Timer[] = [];

  constructor(machine: AnyStateMachine) {
    this.driven = new Driven(machine);
    this.#noteTimers();
  }

  /** Timers whose target still runs. */
  get timers(): readonly Timer[] {
    return this.#timers.filter(({ target }) => this.driven.driver.hasChild(this.driven.state, target));
  }

  /** What the operation comes to now; `undefined` when it can't be done. */
  plan({ kind, pick, event: n }: Operation): Move | undefined {
    const event = { type: n > 3 ? 'e.x' : `e${n}` };
    if (kind === 'send') return { kind, path: '', event };
    if (kind === 'fire') return this.#planFire();
    const paths = running(this.driven.view).filter(({ child }) => WANTED[kind]!.includes(child.kind));
    const path = paths[pick % Math.max(1, paths.length)]?.path;
    if (path === undefined) return undefined;
    return kind === 'sendChild' || kind === 'back' ? { kind, path, event } : { kind, path, value: n };
  }

  /** Does it. */
  make(move: Move): void {
    const { driven } = this;
    if (move.kind === 'send' || move.kind === 'sendChild') driven.send(move.event, move.path);
    else if (move.kind === 'back') driven.send(move.event, parentPath(move.path));
    else if (move.kind === 'resolve') driven.resolve(move.path, move.value);
    else if (move.kind === 'reject') driven.reject(move.path, move.value);
    else if (move.kind === 'next') driven.next(move.path, move.value);
    else this.#fire(move.timer);
    this.#noteTimers();
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.now = timer.due;
    this.driven.send(timer.event, timer.target);
  }

  /** The next timer, unless two are due together: their order is not promised. */
  #planFire(): Move | undefined {
    const [first, second] = [...this.timers].sort((a, b) => a.due - b.due);
    if (first === undefined || second?.due === first.due) return undefined;
    return { kind: 'fire', timer: first };
  }

  #noteTimers(): void {
    for (const action of this.driven.actions) {
      if (action.kind === 'timer-set') {
        const same = ({ path, key }: Timer) => path === action.path && key === action.timerKey;
        this.replacedTimer ||= this.#timers.some(same);
        this.#drop(same);
        const due = this.now + action.delayMs;
        this.#timers.push({
          path: action.path,
          key: action.timerKey,
          due,
          target: action.targetPath,
          event: action.event,
        });
      }
      if (action.kind === 'timer-cancel')
        this.#drop(({ path, key }) => path === action.path && key === action.timerKey);
      if (action.kind === 'stop')
        this.#drop(({ path, target }) => isWithin(path, action.path) || isWithin(target, action.path));
    }
  }

  #drop(test: (timer: Timer) => boolean): void {
    this.#timers = this.#timers.filter((timer) => !test(timer));
  }
}

function isWithin(path: string, stopped: string): boolean {
  return stopped === '' || path === stopped || path.startsWith(`${stopped}/`);
}

function running(view: MachineView): { path: string; child: ChildView }[] {
  return Object.entries(view.children).flatMap(([path, child]) => [
    ...(child.status === 'active' ? [{ path, child }] : []),
    ...(child.view === undefined ? [] : running(child.view)),
  ]);
}
