/** One journal record of every kind and variant, with every optional field once present and once absent. */
import type { InternalBody } from '@troupe/wire';

const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
const error = {
  code: 'EffectFailed',
  message: 'The card was declined.',
  actor: 'order/42',
  retryable: false,
  details: { status: 402 },
  cause: { code: 'Internal', message: 'HTTP 402', retryable: false, name: 'HttpError' },
};
const effectId = 'order/42@17.0';
const from = { type: 'order', key: 'a/b.c' };
const external = { payloadHash: 0, payload: { type: 'placed' }, raw: false, contentType: 'application/json' } as const;

export const bodies: readonly InternalBody[] = [
  { kind: 'outcome', effectId, result: { ok: true, value: { total: 12.5, at: new Date(1_700_000_000_000) } } },
  { kind: 'outcome', effectId, result: { ok: true, value: undefined } },
  { kind: 'outcome', effectId, result: { ok: false, error } },
  { kind: 'stream', effectId, run: 3, n: 1, item: { kind: 'event', event: { type: 'token' } } },
  { kind: 'stream', effectId, run: 3, n: 2, item: { kind: 'next', value: new Map([['a', 1n]]) } },
  { kind: 'stream', effectId, run: 3, n: 3, item: { kind: 'complete' } },
  { kind: 'stream', effectId, run: 3, n: 3, item: { kind: 'error', error } },
  {
    kind: 'ask',
    effectId,
    from,
    causedAt: 1_700_000_000_000,
    payload: 'How much?',
    deadlineAt: 1_700_000_030_000,
    chain: [{ type: 'team', key: 'x' }, from],
    trace: { ...trace, tracestate: 'vendor=1' },
  },
  { kind: 'ask', effectId, from, causedAt: 1, payload: undefined, deadlineAt: 2, chain: [] },
  { kind: 'message', effectId, from, causedAt: 1_700_000_000_000, event: { type: 'shipped' }, trace },
  { kind: 'message', effectId, from, causedAt: 1_700_000_000_000, event: { type: 'shipped' } },
  { kind: 'self', effectId: `${effectId}/1`, path: 'child/grandchild', event: { type: 'done' } },
  { kind: 'tick' },
  { kind: 'claim', effectId, epoch: 4, worker: 'w-1' },
  { kind: 'version', version: 3, hash: 'c0ffee' },
  { kind: 'redrive', deadSeq: 99, entry: { kind: 'task', ...external } },
  {
    kind: 'redrive',
    deadSeq: 99,
    entry: {
      ...{ kind: 'task', ...external, taskId: 'order-17', payloadHash: 4_711, createdAt: 1_700_000_000_000, raw: true },
      ...{
        contentType: 'text/plain',
        trace,
        replyTo: '_INBOX.a.b',
        invalidReplyTo: 'x',
        deadline: { afterMs: 30_000 },
      },
    } as never,
  },
  { kind: 'redrive', deadSeq: 99, entry: { kind: 'task', ...external, deadline: { atMs: 1_700_000_000_000 } } },
  { kind: 'redrive', deadSeq: 99, entry: { kind: 'signal', ...external, contentType: 'application/msgpack' } },
  { kind: 'redrive', deadSeq: 99, entry: { kind: 'message', effectId, from, causedAt: 1, event: { type: 'shipped' } } },
  {
    kind: 'redrive',
    deadSeq: 99,
    entry: { kind: 'ask', effectId, from, causedAt: 1, payload: 1, deadlineAt: 2, chain: [from] },
  },
  { kind: 'reset', by: 'ann' },
  { kind: 'import', by: 'ann', state: { value: 'open', context: { seen: new Set([1]) } } },
  { kind: 'cancel-timer', timerId: '17.2', by: 'ann' },
];
