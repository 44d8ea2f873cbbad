/** Folding entries by hand: a clock that the test moves, and builders of entries. */
import {
  type ActorDefinition,
  type ActorState,
  decodeStoredState,
  type Effect,
  emptyState,
  step,
  storeState,
} from '@troupe/core';
import {
  type ActorAddress,
  decodeState,
  type EntryBody,
  encodeState,
  hash53,
  type Outcome,
  type TaskBody,
} from '@troupe/wire';

export const JOHN: ActorAddress = { type: 'agent', key: 'john' };
const START = 1_800_000_000_000;

export type Reply = Extract<Effect, { kind: 'reply' }>;

/** One actor whose entries the test writes. */
export class Folded {
  state: ActorState;
  effects: readonly Effect[] = [];
  readonly all: Effect[] = [];
  readonly #definition: ActorDefinition;
  #seq = 0;
  at = START;

  constructor(definition: ActorDefinition, address: ActorAddress = JOHN) {
    this.#definition = definition;
    this.state = emptyState(address, definition.version, definition.hash);
  }

  /** Journals an entry `afterMs` later and folds it. */
  entry(body: EntryBody, afterMs = 0): readonly Effect[] {
    this.at += afterMs;
    const result = step(this.#definition, this.state, { seq: ++this.#seq, at: this.at, body }, 100);
    this.state = result.state;
    this.effects = result.effects;
    this.all.push(...result.effects);
    return result.effects;
  }

  task(payload: unknown, more: Partial<TaskBody> = {}, afterMs = 0): readonly Effect[] {
    const hash = more.taskId === undefined ? 0 : hash53(JSON.stringify(payload));
    return this.entry(
      {
        kind: 'task',
        payload,
        payloadHash: hash,
        raw: false,
        contentType: 'application/json',
        replyTo: '_INBOX.a',
        ...more,
      },
      afterMs,
    );
  }

  signal(payload: unknown, afterMs = 0): readonly Effect[] {
    return this.entry(
      { kind: 'signal', payload, payloadHash: 0, raw: false, contentType: 'application/json' },
      afterMs,
    );
  }

  tick(afterMs: number): readonly Effect[] {
    return this.entry({ kind: 'tick' }, afterMs);
  }

  /** Ends the n-th open effect. */
  settle(result: Outcome, which = 0): readonly Effect[] {
    const open = [...this.state.effects.values()].sort((a, b) => (a.id < b.id ? -1 : 1))[which];
    if (open === undefined) throw new Error('no effect is open');
    return this.entry({
      kind: 'outcome',
      effectId: `${this.state.address.type}/${this.state.address.key}@${open.id}`,
      result,
    });
  }

  /** The state through bytes and back, as a restart would see it. */
  restart(): void {
    const bytes = encodeState(storeState(this.#definition, this.state));
    this.state = decodeStoredState(this.#definition, this.state.address, decodeState(bytes));
  }

  get view(): ReturnType<ActorDefinition['driver']['view']> {
    return this.#definition.driver.view(this.state.machine!);
  }

  /** Outcomes told so far. */
  get replies(): Reply[] {
    return this.all.filter((effect): effect is Reply => effect.kind === 'reply');
  }

  get lastOutcome(): Outcome | undefined {
    return this.replies.at(-1)?.outcome;
  }

  deadCodes(): string[] {
    return this.all.flatMap((effect) => (effect.kind === 'dead-letter' ? [effect.error.code] : []));
  }
}

export const ok = (value: unknown): Outcome => ({ ok: true, value });

export function code(outcome: Outcome | undefined): string | undefined {
  return outcome === undefined || outcome.ok ? undefined : outcome.error.code;
}
