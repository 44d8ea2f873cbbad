import { encodeKey, encodePayload, type JournalEntry, TroupeError } from '@troupe/wire';
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { createReplyAction, defineActor, emptyState, step } from '../src/index.ts';
import { refuseEntry } from '../src/internal.ts';

const machine = setup({}).createMachine({
  context: { n: 0 },
  on: {
    task: {
      actions: [
        assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 }) as never,
        createReplyAction('reply', 'done') as never,
      ],
    },
  },
});
const definition = defineActor({ type: 'counter', version: 1, machine: machine as never });
const address = { type: 'counter', key: encodeKey('a') };
const refusal = new TroupeError('Quarantined', 'It ended its worker.');

function task(seq: number, taskId?: string): JournalEntry {
  return {
    seq,
    at: 1_000 + seq,
    body: {
      kind: 'task',
      ...(taskId === undefined ? {} : { taskId }),
      payloadHash: taskId === undefined ? 0 : 5,
      payload: encodePayload(1).length,
      raw: false,
      contentType: 'application/json',
      replyTo: `_INBOX.a.${seq}`,
    },
  };
}

test('a refused entry leaves the machine and its time alone, moves the sequence on, and tells whoever waits', () => {
  const before = step(definition, emptyState(address, 1, definition.hash), task(1)).state;
  const { state, effects } = refuseEntry(definition, before, task(2), refusal);
  expect({ seq: state.seq, count: state.count, now: state.now }).toEqual({ seq: 2, count: 2, now: before.now });
  expect(state.machine).toBe(before.machine);
  expect(effects.map((effect) => effect.kind)).toEqual(['dead-letter', 'reply']);
  expect(effects[1]).toMatchObject({ replyTo: ['_INBOX.a.2'], outcome: { ok: false, error: { code: 'Quarantined' } } });
});

test('a repeat of a refused task gets the same refusal, and is not applied', () => {
  const refused = refuseEntry(definition, emptyState(address, 1, definition.hash), task(1, 'once'), refusal).state;
  const { state, effects } = step(definition, refused, task(2, 'once'));
  expect(state.turns).toBe(refused.turns);
  expect(effects).toMatchObject([{ kind: 'reply', repeat: true, outcome: { error: { code: 'Quarantined' } } }]);
});

test('a refused ask is answered, and its sender stays remembered', () => {
  const from = { type: 'asker', key: 'b' };
  const ask = (seq: number): JournalEntry => ({
    seq,
    at: 1_000 + seq,
    body: {
      kind: 'ask',
      effectId: 'asker/b@7.0',
      from,
      causedAt: 1_000,
      payload: 1,
      deadlineAt: 99_000,
      chain: [from],
    },
  });
  const { state, effects } = refuseEntry(definition, emptyState(address, 1, definition.hash), ask(1), refusal);
  expect(effects).toMatchObject([
    { kind: 'dead-letter' },
    { kind: 'answer', to: from, effectId: 'asker/b@7.0', outcome: { ok: false, error: { code: 'Quarantined' } } },
  ]);
  expect(step(definition, state, ask(2)).effects).toEqual([]);
});

test('an entry that was folded already is not refused any more', () => {
  const { state } = step(definition, emptyState(address, 1, definition.hash), task(1));
  expect(refuseEntry(definition, state, task(1), refusal)).toEqual({ state, effects: [] });
});
