/**
 * One actor as it is looked at: its machine, its steps as far back as they are kept, and the moment that is shown.
 *
 * Invariants
 * 1. `steps` is in order of sequence, without repeats. While older ones are loading there is one hole, behind `headCount`.
 * 2. The newest steps come first, then the others from the oldest on, so that an actor can be looked at while its history
 *    loads. At most `STEPS_MAX` are loaded.
 * 3. Following (`moment` undefined) shows the newest step; a moment stays where it is while steps come in.
 */
import type { MachineStructure } from '@troupe/wire';
import type { FullStep, LiveSpan, LiveStep, StepsPush } from '../../src/live-protocol.ts';
import { Activity, type Machines, machinesOf } from './activity.ts';
import type { LiveFailure, LiveSocket } from './live-socket.ts';
import { Store } from './store.ts';
import { EffectFates } from './timeline-rows.ts';

/** Steps that come first. */
const NEWEST = 300;
const STEPS_MAX = 120_000;
const FULL_MAX = 64;

export class ActorModel extends Store {
  readonly actor: string;
  readonly fates = new EffectFates();
  structure: MachineStructure | undefined;
  machines: Machines = new Map();
  span: LiveSpan | undefined;
  /** Why there is no chart, or no history. */
  problem: string | undefined;
  /** False while older steps are still coming. */
  complete = false;
  readonly #socket: LiveSocket;
  readonly #stops: (() => void)[] = [];
  readonly #full = new Map<number, Promise<FullStep>>();
  #head: LiveStep[] = [];
  #tail: LiveStep[] = [];
  #steps: readonly LiveStep[] = [];
  #momentSeq: number | undefined;
  #activity = new Activity(new Map());
  #closed = false;
  #loading = false;
  #reloadWanted = false;

  constructor(socket: LiveSocket, actor: string, momentSeq?: number) {
    super();
    this.#socket = socket;
    this.actor = actor;
    this.#momentSeq = momentSeq;
    this.#stops.push(socket.onPush((push) => push.push === 'steps' && push.actor === actor && this.#receive(push)));
    this.#stops.push(socket.onOpen(() => void this.#open()));
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    void this.#socket.ask('watchActor', { actor: this.actor, on: false }).catch(() => undefined);
  }

  get type(): string {
    return this.actor.slice(0, this.actor.indexOf('/'));
  }

  get steps(): readonly LiveStep[] {
    return this.#steps;
  }

  /** Steps before the hole. */
  get headCount(): number {
    return this.complete ? 0 : this.#head.length;
  }

  /** Sequence of the moment; undefined while following. */
  get momentSeq(): number | undefined {
    return this.#momentSeq;
  }

  /** Index of the step that is shown; -1 without any. */
  get index(): number {
    if (this.#momentSeq === undefined) return this.#steps.length - 1;
    return lastAtOrBefore(this.#steps, this.#momentSeq);
  }

  get shown(): LiveStep | undefined {
    return this.#steps[this.index];
  }

  /** Counts and times up to the newest step. */
  get activity(): Activity {
    const first = this.#steps[this.headCount];
    if (first !== undefined) for (const step of newerThan(this.#steps, this.#activity.seq)) this.#activity.add(step);
    return this.#activity;
  }

  /** Shows the state after this step; undefined follows the newest. */
  goTo(seq: number | undefined): void {
    this.#momentSeq = seq;
    this.changed();
  }

  goToIndex(index: number): void {
    const step = this.#steps[Math.max(0, Math.min(index, this.#steps.length - 1))];
    if (step !== undefined) this.goTo(step.seq);
  }

  /** The whole of a step. Asked for once. */
  full(seq: number): Promise<FullStep> {
    let found = this.#full.get(seq);
    if (found === undefined) {
      found = this.#socket.ask('step', { actor: this.actor, seq });
      found.catch(() => this.#full.delete(seq));
      this.#full.set(seq, found);
      if (this.#full.size > FULL_MAX) this.#full.delete(this.#full.keys().next().value!);
    }
    return found;
  }

  async #open(): Promise<void> {
    const { actor, type } = this;
    try {
      await this.#socket.ask('watchActor', { actor, on: true });
      await Promise.all([this.#loadStructure(type), this.#load()]);
    } catch (error) {
      this.problem = (error as LiveFailure).message;
    }
    this.changed();
  }

  async #loadStructure(type: string): Promise<void> {
    this.structure = await this.#socket.ask('structure', { type });
    this.machines = machinesOf(this.structure);
    this.#activity = new Activity(this.machines);
    this.changed();
  }

  /** First the newest, then from the oldest on until they meet. */
  async #load(): Promise<void> {
    if (this.#loading) {
      this.#reloadWanted = true;
      return;
    }
    this.#loading = true;
    try {
      do {
        this.#reloadWanted = false;
        await this.#loadAll();
      } while (this.#reloadWanted && !this.#closed);
      this.problem = undefined;
    } finally {
      this.#loading = false;
    }
  }

  async #loadAll(): Promise<void> {
    const { actor } = this;
    const seen = this.#tail.at(-1)?.seq;
    this.span = await this.#socket.ask('span', { actor });
    const newest = await this.#socket.ask('steps', { actor, last: NEWEST });
    this.#merge(newest.steps, seen);
    for (;;) {
      const missingFrom = (this.#head.at(-1)?.seq ?? this.span.firstSeq - 1) + 1;
      const missingTo = (this.#tail[0]?.seq ?? 0) - 1;
      if (missingTo < missingFrom || this.#steps.length >= STEPS_MAX || this.#closed) break;
      const page = await this.#socket.ask('steps', { actor, fromSeq: missingFrom, toSeq: missingTo });
      if (page.steps.length === 0) break;
      this.#head.push(...page.steps);
      this.#join();
    }
    this.complete = this.#steps.length < STEPS_MAX;
    this.#join();
  }

  #receive({ steps, effects, gap }: StepsPush): void {
    for (const effect of effects) this.fates.addEffect(effect);
    const last = this.#tail.at(-1)?.seq;
    if (last !== undefined) for (const step of steps) if (step.seq > last) this.#append(step);
    if (gap || (last === undefined && !this.#loading)) void this.#load().catch(() => undefined);
    this.changed();
  }

  #append(step: LiveStep): void {
    if (step.seq <= (this.#tail.at(-1)?.seq ?? 0)) return;
    this.#tail.push(step);
    this.fates.addStep(step);
    // The views hold the array only for a frame, and see its new length in the next.
    (this.#steps as LiveStep[]).push(step);
  }

  /** `seen`: the newest step that was here before; when the page does not reach back to it, all between is in the head. */
  #merge(page: readonly LiveStep[], seen: number | undefined): void {
    const first = page[0]?.seq ?? 0;
    const touches = seen !== undefined && first <= seen;
    if (!touches) {
      const live = this.#tail.filter((step) => step.seq > (page.at(-1)?.seq ?? 0));
      this.#head = [...this.#head, ...this.#tail.filter((step) => step.seq < first && step.seq <= (seen ?? 0))];
      this.#tail = [...page, ...live];
    } else {
      const bySeq = new Map([...this.#tail, ...page].map((step) => [step.seq, step]));
      this.#tail = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    }
    this.#join();
  }

  #join(): void {
    const before = this.#steps.length;
    this.#steps = [...this.#head, ...this.#tail];
    if (before !== this.#steps.length) {
      for (const step of this.#steps) this.fates.addStep(step);
      this.#activity = new Activity(this.machines);
    }
    this.changed();
  }
}

/** Index of the last step with at most this sequence; -1 for none. */
export function lastAtOrBefore(steps: readonly LiveStep[], seq: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (steps[middle]!.seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function newerThan(steps: readonly LiveStep[], seq: number): readonly LiveStep[] {
  return steps.slice(lastAtOrBefore(steps, seq) + 1);
}
