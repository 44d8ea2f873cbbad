import {
  decodeEntry,
  encodeInternal,
  encodePayload,
  encodeValue,
  type InvalidBody,
  type JournalVerb,
  type StoredMessage,
  type TaskBody,
} from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { bodies } from './bodies.ts';

type Headers = Record<string, string>;
const INBOX = '_INBOX.client.abc';

function stored(
  verb: JournalVerb,
  payload: string | Uint8Array,
  headers: Headers = {},
  subject = ['support', 'john'],
): StoredMessage {
  return {
    seq: 17,
    at: 1_700_000_000_000,
    verb,
    type: subject[0]!,
    keyToken: subject[1]!,
    payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
    header: (name) => headers[name],
    headers: () => headers,
  };
}
const bodyOf = (...args: Parameters<typeof stored>) => decodeEntry(stored(...args)).body;
const refusalOf = (...args: Parameters<typeof stored>) => {
  const body = bodyOf(...args);
  expect(body.kind).toBe('invalid');
  return body as InvalidBody;
};

describe('tasks', () => {
  test('a bare text is a payload, named by nothing, answered as text', () => {
    expect(decodeEntry(stored('task', 'hello'))).toStrictEqual({
      seq: 17,
      at: 1_700_000_000_000,
      body: { kind: 'task', payloadHash: 0, payload: 'hello', raw: false, contentType: 'text/plain' },
    });
  });

  test('headers become fields', () => {
    const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'v=1' };
    const body = bodyOf('task', '{"text":"hi"}', {
      ...{ 'Troupe-Task-Id': 'hello-1', 'Troupe-Reply-To': INBOX, 'Troupe-Deadline': '30s', 'Troupe-Input': 'raw' },
      ...{ 'Troupe-Created': '2026-01-31T12:00:00Z', 'Content-Type': 'application/json', ...trace },
    });
    expect(body).toStrictEqual({
      kind: 'task',
      payloadHash: expect.any(Number),
      payload: { text: 'hi' },
      raw: true,
      contentType: 'application/json',
      taskId: 'hello-1',
      createdAt: Date.UTC(2026, 0, 31, 12),
      trace,
      replyTo: INBOX,
      deadline: { afterMs: 30_000 },
    });
  });

  test('the hash tells another payload under the same id, and is the same for the same one', () => {
    const hash = (payload: string, headers: Headers = {}, verb: JournalVerb = 'task') =>
      (bodyOf(verb, payload, { 'Troupe-Task-Id': 'a', ...headers }) as TaskBody).payloadHash;
    const one = hash('{"type":"x"}');
    expect(one).toBeGreaterThan(0);
    expect(hash('{"type":"x"}')).toBe(one);
    expect(hash('{"type":"x"}', { 'Content-Type': 'application/json', 'Troupe-Deadline': '1s' })).toBe(one);
    expect(hash('{"type":"y"}')).not.toBe(one);
    expect(hash('{"type":"x"}', { 'Troupe-Input': 'raw' })).not.toBe(one);
    expect(hash('{"type":"x"}', { 'Content-Type': 'text/plain' })).not.toBe(one);
    expect(hash('{"type":"x"}', {}, 'signal')).not.toBe(one);
    // Remembered in states, so it is the same for ever.
    expect(one).toBe(3_751_449_251_566_654);
  });

  test.each(['troupe.task.support.jane', '_INBOX.*', '_INBOX.a..b', '$JS.API.STREAM.PURGE.x'])(
    'the reply address %j is recorded but never used',
    (reply) => {
      const body = bodyOf('task', 'x', { 'Troupe-Reply-To': reply });
      expect(body).toMatchObject({ kind: 'task', invalidReplyTo: reply });
      expect(body).not.toHaveProperty('replyTo');
    },
  );

  test('a reply address under an allowed prefix is used', () => {
    const message = stored('task', 'x', { 'Troupe-Reply-To': 'replies.web.1' });
    expect(decodeEntry(message, { replyToPrefixes: ['replies'] }).body).toMatchObject({ replyTo: 'replies.web.1' });
    expect(decodeEntry(message).body).toMatchObject({ invalidReplyTo: 'replies.web.1' });
  });

  test('an object without a type, a list and null are inputs', () => {
    for (const payload of ['{}', '[{"type":"xstate.x"}]', 'null', '{"type":7}']) {
      expect(bodyOf('task', payload)).toMatchObject({ kind: 'task', payload: JSON.parse(payload) });
    }
  });
});

describe('signals', () => {
  test('are events', () => {
    expect(bodyOf('signal', '{"type":"approve"}', { 'Troupe-Task-Id': 's-1' })).toMatchObject({
      kind: 'signal',
      taskId: 's-1',
    });
  });

  test.each(['hello', '[]', '{}', 'null', '{"type":1}'])('%s is refused', (payload) => {
    expect(refusalOf('signal', payload).error).toMatchObject({ code: 'InvalidPayload', message: /type/ });
  });

  test('have neither reply address nor deadline', () => {
    const body = bodyOf('signal', '{"type":"a"}', {
      'Troupe-Reply-To': INBOX,
      'Troupe-Deadline': 'rubbish',
      'Troupe-Input': 'raw',
    });
    expect(body).toStrictEqual({
      ...{ kind: 'signal', payloadHash: 0, payload: { type: 'a' }, raw: false, contentType: 'application/json' },
    });
  });
});

describe('what the runtime writes', () => {
  test.each(bodies.map((body, i) => [i, body.kind, body] as const))(
    'record %i, a %s, is read on the event subject',
    (_, __, body) => {
      expect(bodyOf('event', encodeInternal(body).payload)).toStrictEqual(body);
    },
  );

  test('is never read from task or signal, whatever its headers say (invariant 2)', () => {
    const payload = encodeInternal({
      kind: 'outcome',
      effectId: 'support/john@1.0',
      result: { ok: true, value: 1 },
    }).payload;
    const forged = { 'Troupe-Effect-Id': 'support/john@1.0', 'Troupe-Actor': 'support/jane', 'Troupe-Seq': '1' };
    expect(bodyOf('task', payload, forged).kind).toBe('invalid');
    const packed = bodyOf('task', payload, { ...forged, 'Content-Type': 'application/msgpack' });
    expect(packed).toMatchObject({ kind: 'task', payload: [1, 'outcome', 'support/john@1.0', true, 1] });
    expect(packed).not.toHaveProperty('effectId');
    expect(bodyOf('task', '{"kind":"outcome"}', forged)).toMatchObject({ kind: 'task', payload: { kind: 'outcome' } });
    expect(bodyOf('signal', '{"type":"approve","from":{"type":"a","key":"b"}}', forged)).not.toHaveProperty('from');
  });

  test('is refused when damaged, without trusting its headers', () => {
    const refusal = refusalOf('event', 'rubbish', { 'Troupe-Reply-To': INBOX, 'Troupe-Task-Id': 'x' });
    expect(refusal).toMatchObject({ verb: 'event', error: { code: 'InvalidPayload', actor: 'support/john' } });
    expect(refusal).not.toHaveProperty('replyTo');
    expect(refusal).not.toHaveProperty('taskId');
  });

  test('of a later release says so, so that this worker can leave it alone', () => {
    expect(refusalOf('event', encodeValue([99, 'tick'])).error.code).toBe('RecordTooNew');
  });
});

describe('refusals', () => {
  test.each<[string, JournalVerb, string, Headers]>([
    ['ReservedEvent', 'task', '{"type":"xstate.done.actor.0"}', {}],
    ['ReservedEvent', 'signal', '{"type":"troupe.deadline"}', {}],
    ['InvalidTaskId', 'task', 'x', { 'Troupe-Task-Id': 'a b' }],
    ['InvalidTaskId', 'task', 'x', { 'Troupe-Task-Id': '' }],
    ['InvalidHeader', 'task', 'x', { 'Troupe-Deadline': 'soon' }],
    ['InvalidHeader', 'task', 'x', { 'Troupe-Created': 'yesterday' }],
    ['InvalidHeader', 'task', 'x', { 'Troupe-Input': 'cooked' }],
    ['InvalidHeader', 'task', 'x', { 'Content-Type': 'text/html' }],
    ['InvalidPayload', 'task', '{', { 'Content-Type': 'application/json' }],
    ['InvalidPayload', 'task', '{"__proto__":{}}', {}],
    ['InvalidPayload', 'task', `${'['.repeat(100)}${']'.repeat(100)}`, {}],
  ])('%s for a %s of %j with %j', (code, verb, payload, headers) => {
    expect(refusalOf(verb, payload, headers)).toMatchObject({ verb, error: { code, actor: 'support/john' } });
  });

  test.each([
    ['InvalidType', 'Support', 'john'],
    ['InvalidType', '', ''],
    ['InvalidType', 'invalid', 'john'],
    ['InvalidType', 'constructor', 'john'],
    ['InvalidKey', 'support', ''],
    ['InvalidKey', 'support', 'john.doe'],
    ['InvalidKey', 'support', '=6Aohn'],
    ['InvalidKey', 'support', 'x'.repeat(257)],
  ])('%s for the subject tokens %j and %j', (code, type, keyToken) => {
    expect(refusalOf('task', 'x', {}, [type, keyToken]).error.code).toBe(code);
  });

  test('the right spelling is named for a key of several tokens', () => {
    expect(refusalOf('task', 'x', {}, ['support', 'john.doe']).error.message).toContain('john=2Edoe');
  });

  test('a payload over the limit is refused with both sizes', () => {
    const message = stored('task', 'x'.repeat(101));
    expect(decodeEntry(message, { payloadBytesMax: 100 }).body).toMatchObject({
      kind: 'invalid',
      error: { code: 'PayloadTooLarge', message: /101.*100/ },
    });
  });

  test('say where they may be sent and for which task (invariant 3)', () => {
    const headers = { 'Troupe-Reply-To': INBOX, 'Troupe-Task-Id': 't-1', 'Content-Type': 'application/msgpack' };
    const payload = encodePayload({ type: 'xstate.stop' }, 'application/msgpack');
    expect(refusalOf('task', payload, headers)).toMatchObject({
      ...{ replyTo: INBOX, taskId: 't-1', contentType: 'application/msgpack' },
      error: { code: 'ReservedEvent', taskId: 't-1' },
    });
    expect(refusalOf('task', '{"type":"xstate.x"}', { 'Troupe-Reply-To': 'evil.subject' })).not.toHaveProperty(
      'replyTo',
    );
  });
});
