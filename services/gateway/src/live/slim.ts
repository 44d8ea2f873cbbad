/** Steps as rows need them: without contexts, which are asked for when they are looked at. Pure. */
import type { ActorState } from '@troupe/core';
import type { LiveEffect, LiveStashed, LiveState, LiveStep } from '@troupe/service-inspector';
import type { EffectObservation, ObservedState, StepFacts } from '@troupe/wire';

/** An event larger than this is cut down to its type, characters of JSON. */
const EVENT_CHARS_MAX = 512;
/** A waiting input larger than this is shown by its type. */
const STASHED_BYTES_MAX = 16_384;

export function liveStep(facts: StepFacts & { readonly stepUs?: number }): LiveStep {
  const { actor: _actor, trace: _trace, before, after, entry, stepUs, ...rest } = pickFacts(facts);
  const { event } = entry;
  const large = event !== undefined && JSON.stringify(event).length > EVENT_CHARS_MAX;
  return {
    ...rest,
    entry: large ? { ...entry, event: { type: event.type } } : entry,
    before: { status: before.status, value: before.value },
    after: liveState(after),
    ...(stepUs === undefined ? {} : { stepUs }),
  };
}

export function liveState({ status, value, tags, children }: ObservedState): LiveState {
  return { status, value, tags, children };
}

/** An input that waits; it is bounded as stored already, together with the others. */
export function liveStashed({
  seq,
  kind,
  taskId,
  at,
  deadlineAt,
  bytes,
  event,
}: ActorState['stash'][number]): LiveStashed {
  const large = bytes > STASHED_BYTES_MAX;
  return { seq, kind, taskId, at, deadlineAt, bytes, event: large ? { type: event.type } : event, cut: large };
}

export function liveEffect(observation: EffectObservation): LiveEffect {
  const { phase, effectId, seq, src, attempt, durationMs, ok, error, observedAt } = observation;
  return {
    phase,
    effectId,
    seq,
    src,
    attempt,
    observedAt,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(ok === undefined ? {} : { ok }),
    ...(error === undefined ? {} : { error }),
  };
}

/** A record may carry more than its facts. */
function pickFacts(facts: StepFacts & { readonly stepUs?: number }): StepFacts & { readonly stepUs?: number } {
  const { actor, seq, at, entry, before, after, transitions, effects, settled, turn, ended, error } = facts;
  const { correlation, waiting, running, timers, count, turns, version, stepUs } = facts;
  return {
    ...{ actor, seq, at, entry, before, after, transitions, effects, ended, correlation },
    ...{ waiting, running, timers, count, turns, version },
    ...(settled === undefined ? {} : { settled }),
    ...(turn === undefined ? {} : { turn }),
    ...(error === undefined ? {} : { error }),
    ...(stepUs === undefined ? {} : { stepUs }),
  };
}
