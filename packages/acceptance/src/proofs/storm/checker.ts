/**
 * Judges a storm by what its clients and the world outside wrote down. It shares no code with Troupe: plain data in, sentences
 * out.
 *
 * Invariants that it checks
 * 1. No acknowledged task is lost: it is in the state of its ledger, or was delivered.
 * 2. None is applied twice: it is there once; the answer tells its place, and that is where it is.
 * 3. Order: one caller sends to one actor, one task after the other, so they took effect in the order of sending.
 * 4. One outcome per task id: asked again, it is the same.
 * 5. `retry: 'never'` is called once at most; what may be repeated always has the same id.
 */
import { deliveryName, type StormRecord, type TaskRecord } from './record.ts';

/** @returns what doesn't hold, a sentence each. */
export function checkStorm(record: StormRecord): string[] {
  return [...checkOutcomes(record.tasks), ...checkLedgers(record), ...checkDeliveries(record)];
}

function checkOutcomes(tasks: readonly TaskRecord[]): string[] {
  const seen = new Set<string>();
  return tasks.flatMap((task) => {
    const wrong: string[] = [];
    const id = `${task.actor} ${task.taskId}`;
    if (seen.has(id)) wrong.push(`${id}: two tasks have this id`);
    seen.add(id);
    const different = new Set(task.outcomes);
    if (different.size > 1) wrong.push(`${id}: several outcomes: ${[...different].join(' | ')}`);
    return wrong;
  });
}

function checkLedgers({ tasks, states }: StormRecord): string[] {
  const violations: string[] = [];
  const byActor = Map.groupBy(
    tasks.filter(({ type }) => type === 'ledger'),
    ({ actor }) => actor,
  );
  for (const [actor, sent] of byActor) {
    const state = states[actor];
    if (state === undefined) {
      if (sent.some(({ acknowledged }) => acknowledged)) violations.push(`${actor}: its state can't be read`);
      continue;
    }
    const known = new Set(sent.map(({ task }) => task));
    const places = new Map<number, number>();
    state.forEach((task, at) => {
      if (places.has(task)) violations.push(`${actor}: task ${task} took effect twice`);
      if (!known.has(task)) violations.push(`${actor}: task ${task} was never sent`);
      if (at > 0 && task < state[at - 1]!) violations.push(`${actor}: task ${task} came after ${state[at - 1]}`);
      places.set(task, at + 1);
    });
    for (const { task, acknowledged, outcomes } of sent) {
      if (acknowledged && !places.has(task)) violations.push(`${actor}: acknowledged task ${task} is lost`);
      for (const outcome of outcomes)
        if (outcome !== `ok ${places.get(task)}`)
          violations.push(`${actor}: task ${task} was answered with "${outcome}", it is number ${places.get(task)}`);
    }
  }
  return violations;
}

function checkDeliveries({ tasks, deliveries }: StormRecord): string[] {
  const violations: string[] = [];
  const made = Map.groupBy(deliveries, ({ name }) => name);
  for (const { type, actor, task, outcomes } of tasks.filter(({ type }) => type !== 'ledger')) {
    const name = deliveryName(type, actor, task);
    const calls = made.get(name) ?? [];
    made.delete(name);
    const ids = new Set(calls.map(({ effectId }) => effectId));
    if (ids.size > 1) violations.push(`${name} was called under several ids: ${[...ids].join(', ')}`);
    if (type === 'once-courier' && calls.length > 1)
      violations.push(`${name} was called ${calls.length} times, in ${calls.map(({ pid }) => pid).join(', ')}`);
    if (new Set(calls.map(({ pid }) => pid)).size < calls.length)
      violations.push(`${name} was called twice by one process`);
    for (const outcome of outcomes) {
      const isExpected = outcome === `ok "${name}"`;
      if (isExpected && calls.length === 0) violations.push(`${name} was answered but never called`);
      if (!isExpected && !(type === 'once-courier' && outcome === 'failed OutcomeUnknown'))
        violations.push(`${name} was answered with ${outcome}`);
    }
  }
  for (const name of made.keys()) violations.push(`${name} was called but never sent`);
  return violations;
}
