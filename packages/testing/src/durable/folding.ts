/** Folding a script, step by step, as a worker would: with everything that a step leaves behind as bytes. */
import {
  type ActorDefinition,
  type ActorState,
  decodeStoredState,
  type Effect,
  effectIdOf,
  emptyState,
  step,
  storeState,
} from '@troupe/core';
import { decodeState, type EntryBody, encodeState, type JournalEntry, type Outcome } from '@troupe/wire';
import type { Operation } from './script.ts';

/** What a step left behind. */
export interface Trace {
  /** Stored form, as bytes: equal states have equal bytes. */
  readonly bytes: Uint8Array;
  /** The effects, without functions, as text. */
  readonly effects: string;
  /** Code of a dead letter of this step. */
  readonly refused: string | undefined;
  readonly refusal: string | undefined;
  /** Inputs that wait after it. */
  readonly waiting: number;
}

/** What a fold may do differently from another of the same script. */
export interface FoldOptions {
  /** Go through the stored form at `crash`. */
  readonly crashes: boolean;
}

const ADDRESS_KEY = 'checked';
const START_AT = Date.UTC(2026, 0, 1);
/** Size of an entry as the mailbox counts it. */
const ENTRY_BYTES = 100;

/** Folds a script. Deterministic for a machine that is. @throws what storing a state throws. */
export function foldScript(definition: ActorDefinition, script: readonly Operation[], options: FoldOptions): Trace[] {
  const fold = new Fold(definition, options);
  return script.map((operation) => fold.apply(operation));
}

class Fold {
  readonly #definition: ActorDefinition;
  readonly #options: FoldOptions;
  #state: ActorState;
  #seq = 0;
  #at = START_AT;

  constructor(definition: ActorDefinition, options: FoldOptions) {
    this.#definition = definition;
    this.#options = options;
    this.#state = emptyState({ type: definition.type, key: ADDRESS_KEY }, definition.version, definition.hash);
  }

  apply(operation: Operation): Trace {
    const effects = this.#perform(operation);
    const letter = effects.find((effect) => effect.kind === 'dead-letter');
    return {
      bytes: this.#store(),
      effects: describeEffects(effects),
      refused: letter?.error.code,
      refusal: letter?.error.message,
      waiting: this.#state.stash.length,
    };
  }

  #perform(operation: Operation): readonly Effect[] {
    switch (operation.kind) {
      case 'task':
      case 'signal':
        return this.#entry(inputBody(operation.kind, operation.payload));
      case 'outcome':
        return this.#outcome(operation);
      case 'wait':
        return this.#wait(operation);
      case 'crash':
        if (this.#options.crashes) this.#restore();
        return [];
    }
  }

  #entry(body: EntryBody): readonly Effect[] {
    const entry: JournalEntry = { seq: ++this.#seq, at: ++this.#at, body };
    const result = step(this.#definition, this.#state, entry, ENTRY_BYTES);
    this.#state = result.state;
    return result.effects;
  }

  #outcome({ which, ok, value }: Extract<Operation, { kind: 'outcome' }>): readonly Effect[] {
    const open = [...this.#state.effects.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const effect = open[which % Math.max(1, open.length)];
    if (effect === undefined) return [];
    const byName = (value as { byName?: Record<string, unknown> } | null)?.byName;
    const result: Outcome = ok
      ? { ok: true, value: byName === undefined ? value : byName[effect.src] }
      : { ok: false, error: { code: 'EffectFailed', message: 'a failure made up by expectDurable', retryable: false } };
    const effectId = effectIdOf(this.#state.address, effect.id);
    if (effect.kind === 'callback')
      return this.#entry({ kind: 'stream', effectId, run: 1, n: effect.n + 1, item: { kind: 'complete' } });
    if (effect.kind === 'observable')
      return this.#entry({
        kind: 'stream',
        effectId,
        run: 1,
        n: effect.n + 1,
        item: { kind: 'next', value: result.ok ? result.value : null },
      });
    return this.#entry({ kind: 'outcome', effectId, result });
  }

  #wait({ ms, toTimer }: Extract<Operation, { kind: 'wait' }>): readonly Effect[] {
    const due = this.#state.nextDueAt;
    this.#at = toTimer && Number.isFinite(due) ? Math.max(this.#at, due) : this.#at + ms;
    return this.#entry({ kind: 'tick' });
  }

  #store(): Uint8Array {
    return encodeState(storeState(this.#definition, this.#state));
  }

  #restore(): void {
    this.#state = decodeStoredState(this.#definition, this.#state.address, decodeState(this.#store()));
  }
}

function inputBody(kind: 'task' | 'signal', payload: unknown): EntryBody {
  return { kind, payload, payloadHash: 0, raw: false, contentType: 'application/json' };
}

/** Functions have no form of their own; that there is one is part of it. */
function describeEffects(effects: readonly Effect[]): string {
  return JSON.stringify(effects, (_key, value: unknown) => {
    if (typeof value === 'function') return '[function]';
    if (typeof value === 'bigint') return `${value}n`;
    if (value instanceof Map) return [...value];
    if (value instanceof Set) return [...value];
    return value instanceof Error ? { name: value.name, message: value.message } : value;
  });
}
