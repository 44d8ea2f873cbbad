import { requestStructures, watchActors } from '@troupe/inspect';
import { decodeInspection, type InspectionEvent, type Observation, type StepObservation } from '@troupe/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { busy, ObservedWorker, subjects } from './support/observed.ts';

const ONE = { type: 'busy', key: 'one' };
const TWO = { type: 'busy', key: 'two' };

describe('observations', () => {
  let troupe: ObservedWorker;
  let heard: Observation[];
  let events: InspectionEvent[];
  let watching: { close(): void } | undefined;

  beforeEach(async () => {
    troupe = await ObservedWorker.start([busy]);
    heard = [];
    events = [];
  });
  afterEach(() => {
    watching?.close();
    watching = undefined;
    troupe.close();
  });

  async function watch(only: { actors?: string[]; types?: string[]; ttlMs?: number } = {}): Promise<void> {
    watching = watchActors({
      bus: troupe.ports.bus,
      subjects,
      clock: troupe.clock,
      ...only,
      onObservation: (observation) => heard.push(observation),
      onEvent: (event) => events.push(event),
    });
    await troupe.pump.settle();
  }

  const steps = (): StepObservation[] => heard.filter((one) => one.kind === 'step');

  /** Time for what was observed to be written out. */
  const written = (): Promise<void> => troupe.pump.advance(100);

  test('are made of nothing while nobody watches', async () => {
    troupe.ports.bus.subscribe(subjects.every('inspect'), {}, ({ payload }) => events.push(decodeInspection(payload)!));
    await troupe.send('signal', ONE, { type: 'note', key: 'a', value: 1 });
    await written();
    expect(events).toEqual([]);
  });

  test('tell each step: entry, states before and after, transitions, effects, turn, sizes', async () => {
    await watch();
    const seq = await troupe.send('task', ONE, 7);
    await written();
    const [opened, claimed] = steps();
    expect(opened).toMatchObject({
      actor: 'busy/one',
      seq,
      worker: 'w',
      entry: { kind: 'task', event: { type: 'task', input: 7 } },
      before: { children: {} },
      after: { value: 'working', context: { n: 0 }, children: { job: { src: 'work', kind: 'promise' } } },
      effects: [{ kind: 'invoke', src: 'work' }],
      turn: { seq, taskId: String(seq) },
      running: 1,
      dropped: 0,
    });
    expect(opened!.transitions.map(({ id }) => id)).toEqual(['busy.idle|task|0']);
    expect(opened!.entry.bytes).toBeGreaterThan(0);
    expect(claimed).toMatchObject({ entry: { kind: 'outcome' }, settled: `busy/one@${opened!.effects[0]!.id}` });
    expect(claimed!.ended).toMatchObject([{ seq, ok: true }]);
    expect(claimed!.correlation).toBe(opened!.correlation);
  });

  test('tell when an effect begins and how it ends, with its duration', async () => {
    await watch();
    const seq = await troupe.send('task', ONE, 7);
    await written();
    const effects = heard.filter((one) => one.kind === 'effect');
    expect(effects.map(({ phase }) => phase)).toEqual(['started', 'ended']);
    expect(effects[0]).toMatchObject({ src: 'work', invoke: 'promise', path: 'job', turn: seq, seq, attempt: 1 });
    expect(effects[1]).toMatchObject({ ok: false, error: { code: 'EffectFailed', message: 'five' } });
    expect(effects[1]!.durationMs).toBeGreaterThanOrEqual(0);
  });

  test('tell a failed step with its reason, and one correlation for what actors cause in each other', async () => {
    await watch();
    await troupe.send('signal', ONE, { type: 'boom' });
    const seq = await troupe.send('signal', ONE, { type: 'tell' });
    await written();
    expect(steps()[0]).toMatchObject({ error: { code: 'StepFailed' }, transitions: [] });
    const told = steps().find((one) => one.seq === seq)!;
    const got = steps().find(({ actor }) => actor === 'busy/other')!;
    expect(got).toMatchObject({ entry: { kind: 'message', from: 'busy/one' }, correlation: told.correlation });
  });

  test('are of the actors and types that were asked for only', async () => {
    await watch({ actors: ['busy/two'] });
    await troupe.send('signal', ONE, { type: 'note', key: 'a', value: 1 });
    await troupe.send('signal', TWO, { type: 'note', key: 'a', value: 1 });
    await written();
    expect(new Set(heard.map(({ actor }) => actor))).toEqual(new Set(['busy/two']));
  });

  test('end with the lease of a watcher who has vanished', async () => {
    await watch({ ttlMs: 9_000 });
    troupe.ports.bus.publish(
      subjects.control('watch'),
      new TextEncoder().encode(JSON.stringify({ watcher: 'gone', ttlMs: 2_000 })),
    );
    watching!.close();
    await troupe.pump.settle();
    troupe.ports.bus.subscribe(subjects.every('inspect'), {}, ({ payload }) => events.push(decodeInspection(payload)!));
    await troupe.send('signal', ONE, { type: 'note', key: 'a', value: 1 });
    await written();
    const told = events.length;
    expect(told).toBeGreaterThan(0);
    await troupe.pump.advance(2_000);
    await troupe.send('signal', ONE, { type: 'note', key: 'b', value: 1 });
    await written();
    expect(events.length).toBe(told);
  });

  test('are dropped and counted when too many come at once, never tasks; then the state is told', async () => {
    await watch();
    const message = new TextEncoder().encode('{"type":"note","key":"a","value":1}');
    for (let i = 0; i < 1_500; i++) void troupe.ports.journal.publish('signal', ONE, message, {});
    await troupe.pump.settle();
    await troupe.pump.advance(1_000);
    const state = (await troupe.query(ONE))!;
    expect(state.count).toBe(1_500);
    const last = heard.at(-1)!;
    expect(last.dropped).toBeGreaterThan(0);
    expect(steps().length + last.dropped).toBe(1_500);
    expect(last).toMatchObject({ kind: 'state', seq: state.seq, count: 1_500, after: { value: 'idle' } });
  });

  test('leave out a context that is too large, and say how large', async () => {
    await watch();
    await troupe.send('signal', ONE, { type: 'note', key: 'a', value: 'x'.repeat(40_000) });
    await written();
    expect(steps()[0]!.after.context).toBeUndefined();
    expect(steps()[0]!.after.contextBytes).toBeGreaterThan(40_000);
    expect(steps()[0]!.entry.event).toEqual({ type: 'note' });
  });

  test('travel as events of Stately: the actor with its machine first, then event and snapshot', async () => {
    await watch();
    await troupe.send('signal', ONE, { type: 'pulse' });
    await written();
    expect(events.map(({ type, sessionId }) => [type, sessionId])).toEqual([
      ['@xstate.actor', 'busy/one'],
      ['@xstate.event', 'busy/one'],
      ['@xstate.actor', 'busy/one#beat'],
      ['@xstate.snapshot', 'busy/one'],
    ]);
    const [actor] = events;
    const definition = JSON.parse((actor as { definition: string }).definition) as object;
    expect(definition).toMatchObject({ id: 'busy', initial: 'idle', states: { pulsing: { on: {} } } });
  });

  test('a plain subscriber is noticed, where the worker looks for one', async () => {
    troupe.close();
    troupe = await ObservedWorker.start([busy], {}, { watchProbeMs: 1_000 });
    await troupe.send('signal', ONE, { type: 'note', key: 'a', value: 1 });
    const subscription = troupe.ports.bus.subscribe(subjects.every('inspect'), {}, ({ payload }) => {
      const event = decodeInspection(payload);
      if (event !== undefined) events.push(event);
    });
    await troupe.pump.advance(2_000);
    await troupe.send('signal', ONE, { type: 'note', key: 'b', value: 1 });
    await written();
    expect(events.length).toBeGreaterThan(0);
    subscription.close();
    await troupe.pump.advance(10_000);
  });

  test('the structure of a machine is asked of any worker that has it', async () => {
    const structureOf = requestStructures({ bus: troupe.ports.bus, subjects });
    expect(await troupe.run(structureOf('busy'))).toMatchObject({ type: 'busy', version: 1, root: { id: 'busy' } });
  });
});
