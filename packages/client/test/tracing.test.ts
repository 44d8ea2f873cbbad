/** The client in the caller's traces. */
import { describe, expect, test } from 'vitest';
import type { ClientSpan } from '../src/index.ts';
import { resolveOptions } from '../src/options.ts';
import { failed, headerOf, ok, rig, track } from './support/fake-wire.ts';
import { settled } from './support/virtual-clock.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const active = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=1' };
const refused = { traceparent: `00-${TRACE}-${SPAN}-00` };

describe('the context of the caller', () => {
  test('is asked for at every call, and one given with the call goes before it', () => {
    let now: typeof active | undefined = active;
    const { wire, troupe } = rig({ trace: () => now });
    const john = troupe.actor('support', 'john');
    track(john.ask('hi'));
    expect(headerOf(wire.last('task'), 'traceparent')).toBe(active.traceparent);
    expect(headerOf(wire.last('task'), 'tracestate')).toBe('vendor=1');
    track(john.ask('hi', { trace: refused }));
    expect(headerOf(wire.last('task'), 'traceparent')).toBe(refused.traceparent);
    now = undefined;
    track(john.signal({ type: 'approve' }));
    expect(headerOf(wire.last('signal'), 'traceparent')).toBeUndefined();
  });

  test('that can not be had, or is none, stops no call', async () => {
    const broken = rig({
      trace: () => {
        throw new Error('no context here');
      },
    });
    const asked = track(broken.troupe.actor('support', 'john').ask('hi'));
    broken.wire.outcome(broken.wire.last('task'), ok('yes'));
    await settled();
    expect(asked.result).toEqual({ value: 'yes' });
    const odd = rig({ trace: () => ({ traceparent: 'what?\r\nX: y' }) });
    track(odd.troupe.actor('support', 'john').send('hi'));
    expect(headerOf(odd.wire.last('task'), 'traceparent')).toBeUndefined();
  });

  test('is a function, or refused when connecting', () => {
    expect(() => resolveOptions({ trace: active as never }, {})).toThrow(/trace is a object: it is a function/);
    expect(() => resolveOptions({ onSpan: true as never }, {})).toThrow(/onSpan is a boolean/);
  });
});

describe('spans of calls', () => {
  test('lie between the caller and the turn, and last until the outcome', async () => {
    const spans: ClientSpan[] = [];
    const { wire, clock, troupe } = rig({ trace: () => active, onSpan: (span) => spans.push(span) });
    track(troupe.actor('support', 'john').ask('secret words', { taskId: 't-1' }));
    const sent = headerOf(wire.last('task'), 'traceparent')!;
    await clock.advance(1_500);
    expect(spans).toEqual([]);
    wire.outcome(wire.last('task'), ok('yes'));
    await settled();
    const [span] = spans;
    expect(span).toMatchObject({
      traceId: TRACE,
      parentId: SPAN,
      name: 'ask support',
      kind: 'client',
      error: undefined,
      attributes: { 'troupe.actor.type': 'support', 'troupe.actor.key': 'john', 'troupe.task': 't-1' },
    });
    expect(span!.endMs - span!.startMs).toBe(1_500);
    expect(sent).toBe(`00-${TRACE}-${span!.spanId}-01`);
    expect(span!.spanId).not.toBe(SPAN);
    expect(JSON.stringify(spans)).not.toContain('secret words');
  });

  test('begin a trace where there is none, and carry the code of what went wrong', async () => {
    const spans: ClientSpan[] = [];
    const { wire, troupe } = rig({ onSpan: (span) => spans.push(span) });
    const john = troupe.actor('support', 'john');
    const asked = track(john.ask('hi'));
    wire.outcome(wire.last('task'), failed('OutOfStock', 'No shoes are left.'));
    const sent = track(john.send('hi'));
    wire.ack(wire.last('task'), 7);
    await settled();
    expect(asked.result).toMatchObject({ error: { code: 'OutOfStock' } });
    expect(spans.map(({ name, kind, error, parentId }) => [name, kind, error, parentId])).toEqual([
      ['ask support', 'client', 'OutOfStock', undefined],
      ['send support', 'producer', undefined, undefined],
    ]);
    expect(spans[1]!.attributes['troupe.task']).toBe((sent.result as { value: { taskId: string } }).value.taskId);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(2);
    for (const { traceId, spanId } of spans) expect(`${traceId} ${spanId}`).toMatch(/^[0-9a-f]{32} [0-9a-f]{16}$/);
  });

  test('are not told of a trace that the caller does not export; its context goes on as it is', async () => {
    const spans: ClientSpan[] = [];
    const { wire, troupe } = rig({ trace: () => refused, onSpan: (span) => spans.push(span) });
    track(troupe.actor('support', 'john').ask('hi'));
    expect(headerOf(wire.last('task'), 'traceparent')).toBe(refused.traceparent);
    wire.outcome(wire.last('task'), ok('yes'));
    await settled();
    expect(spans).toEqual([]);
  });

  test('whose listener throws end no call', async () => {
    const { wire, troupe } = rig({
      onSpan: () => {
        throw new Error('the exporter is broken');
      },
    });
    const asked = track(troupe.actor('support', 'john').ask('hi'));
    wire.outcome(wire.last('task'), ok('yes'));
    await settled();
    expect(asked.result).toEqual({ value: 'yes' });
  });
});
