/** The lines of a timeline: every entry, and under it the effects that it asked for and the turns that it ended. Pure. */
import type { LiveEffect, LiveStep } from '../../src/live-protocol.ts';

export type TimelineRow =
  | { readonly kind: 'step'; readonly step: LiveStep }
  | { readonly kind: 'effect'; readonly step: LiveStep; readonly index: number }
  | { readonly kind: 'ended'; readonly step: LiveStep; readonly index: number }
  | { readonly kind: 'gap' };

/** Effects that have a beginning and an end. */
const LASTING = new Set(['invoke', 'stream', 'ask', 'tool']);

export function rowsOf(step: LiveStep): TimelineRow[] {
  return [
    { kind: 'step', step },
    ...step.effects.map((_, index) => ({ kind: 'effect' as const, step, index })),
    ...step.ended.map((_, index) => ({ kind: 'ended' as const, step, index })),
  ];
}

export function isLasting(kind: string): boolean {
  return LASTING.has(kind);
}

/** How an effect went, as far as told. */
export interface EffectFate {
  readonly durationMs: number | undefined;
  readonly ok: boolean | undefined;
  readonly error: string | undefined;
  readonly attempt: number;
}

/**
 * The ends of effects: from the steps that they led to, and, for those seen live, from their owner.
 *
 * Invariant: what the owner told is not overwritten by what the journal's times suggest.
 */
export class EffectFates {
  readonly #startedAt = new Map<string, number>();
  readonly #fates = new Map<string, EffectFate>();

  addStep(step: LiveStep): void {
    for (const { id, kind } of step.effects) if (isLasting(kind)) this.#startedAt.set(id, step.at);
    if (step.settled === undefined) return;
    const id = localId(step.settled);
    if (this.#fates.get(id)?.durationMs !== undefined) return;
    const startedAt = this.#startedAt.get(id);
    const durationMs = startedAt === undefined ? undefined : Math.max(0, step.at - startedAt);
    this.#fates.set(id, { durationMs, ok: step.entry.ok, error: undefined, attempt: 1 });
  }

  addEffect({ effectId, phase, durationMs, ok, error, attempt }: LiveEffect): void {
    const ended = phase === 'ended';
    this.#fates.set(localId(effectId), {
      durationMs: ended ? durationMs : undefined,
      ok: ended ? ok : undefined,
      error: error === undefined ? undefined : `${error.code}: ${error.message}`,
      attempt,
    });
  }

  of(id: string): EffectFate | undefined {
    return this.#fates.get(id);
  }
}

/** `<seq>.<n>` of an effect's global id. */
export function localId(effectId: string): string {
  return /(\d+\.\d+)$/.exec(effectId)?.[1] ?? effectId;
}
