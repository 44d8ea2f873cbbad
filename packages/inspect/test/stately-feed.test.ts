/** What Stately's inspector is told of sessions whose beginning it has not seen. */
import { createSubjects } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { createStatelyFeed } from '../src/index.ts';

/** A feed, and what its inspector got. */
function startFeed() {
  const sent: Record<string, unknown>[] = [];
  let deliver: (message: { readonly payload: Uint8Array }) => void = () => {};
  const feed = createStatelyFeed({
    socket: { bufferedAmount: 0, send: (text: string) => sent.push(JSON.parse(text) as never) },
    subjects: createSubjects(),
    bus: {
      publish: () => {},
      subscribe: (_subject, _options, onMessage) => {
        deliver = onMessage;
        return { close: () => {} };
      },
    },
  });
  const tell = (event: object) => deliver({ payload: new TextEncoder().encode(JSON.stringify(event)) });
  return { sent, tell, close: () => feed.close() };
}

const base = { rootId: 'order/s1', createdAt: '5', _version: '1', event: { type: 'x' }, snapshot: { status: 'done' } };

describe("Stately's feed", () => {
  test('introduces a child by the name of its logic when its effect is the first that is seen of it', () => {
    const { sent, tell, close } = startFeed();
    const troupe = { kind: 'effect', src: 'work' };
    tell({ ...base, type: '@xstate.snapshot', sessionId: 'order/s1#job', id: '1', troupe });
    close();
    expect(sent.map(({ type }) => type)).toEqual(['@xstate.actor', '@xstate.snapshot']);
    expect(sent[0]).toMatchObject({ sessionId: 'order/s1#job', name: 'work', parentId: 'order/s1' });
    expect(sent[1]).not.toHaveProperty('troupe');
  });

  test('puts a child of a child under its parent, and names it by its path while nothing else is known', () => {
    const { sent, tell, close } = startFeed();
    tell({ ...base, type: '@xstate.snapshot', sessionId: 'order/s1#job/part', id: '1' });
    close();
    expect(sent[0]).toMatchObject({ sessionId: 'order/s1#job/part', name: 'job/part', parentId: 'order/s1#job' });
  });

  test('introduces an actor by its type, and every session once', () => {
    const { sent, tell, close } = startFeed();
    for (const id of ['1', '2']) tell({ ...base, type: '@xstate.snapshot', sessionId: 'order/s1', id });
    close();
    expect(sent.map(({ type }) => type)).toEqual(['@xstate.actor', '@xstate.snapshot', '@xstate.snapshot']);
    expect(sent[0]).toMatchObject({ name: 'order' });
    expect(sent[0]).not.toHaveProperty('parentId');
  });
});
