/** What a client sends and gets, as the other side reads it: `task-message.ts`, `outcome.ts`, `effect-id.ts`, `hash.ts`. */

import {
  type ContentType,
  decodeEntry,
  decodeOutcome,
  encodeOutcome,
  failure,
  formatEffectId,
  hash53,
  type OutcomeInfo,
  parseEffectId,
  type StoredMessage,
  signalMessage,
  taskMessage,
  type WireMessage,
} from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const coded = (code: string) => expect.objectContaining({ code });
const source = ({ payload, headers }: WireMessage) => ({ payload, header: (name: string) => headers[name] });
const stored = (verb: 'task' | 'signal', message: WireMessage): StoredMessage => ({
  ...{ seq: 1, at: 2, verb, type: 'support', keyToken: 'john', ...source(message) },
  headers: () => message.headers,
});

describe('taskMessage', () => {
  test('is read by the journal as it was meant', () => {
    const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'v=1' };
    const options = { taskId: 't-1', createdAt: 1_700_000_000_000, replyTo: '_INBOX.a', raw: true, trace };
    for (const contentType of ['application/json', 'application/msgpack'] as const) {
      const message = taskMessage({ type: 'x' }, { ...options, deadline: 5_000, contentType });
      expect(decodeEntry(stored('task', message)).body).toMatchObject({
        ...{ kind: 'task', payload: { type: 'x' }, ...options, deadline: { afterMs: 5_000 }, contentType },
      });
    }
  });

  test('of plain JSON needs no header at all', () => {
    expect(taskMessage('42').headers).toEqual({});
    expect(decodeEntry(stored('task', taskMessage('42'))).body).toMatchObject({
      payload: '42',
      contentType: 'application/json',
    });
  });

  test('any deadline that is accepted is read', () => {
    for (const deadline of ['30s', '2026-01-31T12:00:00Z', 0, 0.4, 12_345]) {
      expect(decodeEntry(stored('task', taskMessage('x', { deadline }))).body.kind).toBe('task');
    }
  });

  test('refuses early what the other side would refuse', () => {
    expect(() => taskMessage('x', { taskId: 'a b' })).toThrow(coded('InvalidTaskId'));
    expect(() => taskMessage('x', { replyTo: 'troupe.task.a.b' })).toThrow(coded('InvalidReplyTo'));
    expect(() => taskMessage('x', { deadline: 'soon' })).toThrow(coded('InvalidHeader'));
    expect(() => taskMessage({ type: 'xstate.init' })).toThrow(coded('ReservedEvent'));
    expect(() => taskMessage({ run() {} })).toThrow(coded('NotStorable'));
    expect(() => taskMessage({ type: 'xstate.init' }, { raw: true })).not.toThrow();
  });
});

describe('signalMessage', () => {
  test('is read by the journal as it was meant', () => {
    const message = signalMessage({ type: 'approve' }, { taskId: 's-1' });
    expect(decodeEntry(stored('signal', message)).body).toMatchObject({
      kind: 'signal',
      taskId: 's-1',
      payload: { type: 'approve' },
    });
  });

  test('needs an event that is not one of ours', () => {
    expect(() => signalMessage({} as never)).toThrow(coded('InvalidPayload'));
    expect(() => signalMessage(undefined as never)).toThrow(coded('InvalidPayload'));
    expect(() => signalMessage({ type: 'troupe.deadline' })).toThrow(coded('ReservedEvent'));
  });
});

describe('outcomes', () => {
  const info: OutcomeInfo = {
    actor: { type: 'support', key: 'john.doe@x.org' },
    seq: 17,
    taskId: 'hello-1',
    version: 3,
    effectId: 'support/john.doe@x.org@17.0',
    outcome: { ok: true, value: { text: 'Hello John.' } },
  };

  test.each<ContentType>(['application/json', 'application/msgpack'])('come back through %s', (type) => {
    expect(decodeOutcome(source(encodeOutcome(info, type)))).toStrictEqual(info);
    const failed = {
      ...info,
      outcome: { ok: false, error: failure('MailboxFull', 'full', { details: { depth: 1 } }) },
    } as const;
    expect(decodeOutcome(source(encodeOutcome(failed, type)))).toStrictEqual(failed);
  });

  test('have the headers of the protocol', () => {
    expect(encodeOutcome(info).headers).toEqual({
      'Troupe-Actor': 'support/john.doe@x.org',
      'Troupe-Seq': '17',
      'Troupe-Task-Id': 'hello-1',
      'Troupe-Version': '3',
      'Troupe-Effect-Id': 'support/john.doe@x.org@17.0',
      'Content-Type': 'application/json',
    });
  });

  test('as text are the text itself; a failure is JSON even then', () => {
    const text = encodeOutcome({ ...info, outcome: { ok: true, value: 'Hello' } }, 'text/plain');
    expect(new TextDecoder().decode(text.payload)).toBe('Hello');
    const failed = encodeOutcome({ ...info, outcome: { ok: false, error: failure('NotFound', 'none') } }, 'text/plain');
    expect(failed.headers['Content-Type']).toBe('application/json');
    expect(JSON.parse(new TextDecoder().decode(failed.payload))).toEqual({
      code: 'NotFound',
      message: 'none',
      retryable: false,
    });
  });

  test('that failed carry number and text as NATS services do, in one line', () => {
    const message = 'a\r\nNats-Status: 200\u0000b';
    const { headers } = encodeOutcome({ ...info, outcome: { ok: false, error: failure('MailboxFull', message) } });
    expect(headers['Nats-Service-Error-Code']).toBe('429');
    expect(headers['Nats-Service-Error']).toBe('a  Nats-Status: 200 b');
    const empty = encodeOutcome({ ...info, outcome: { ok: false, error: failure('Mine', '') } });
    expect(empty.headers).toMatchObject({ 'Nats-Service-Error-Code': '500', 'Nats-Service-Error': 'Mine' });
  });

  test('name any actor in a header that holds no control character, and it comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (key) => {
        const message = encodeOutcome({ ...info, actor: { type: 'support', key }, effectId: `support/${key}@1.0` });
        for (const value of Object.values(message.headers)) {
          expect([...value].some((c) => c < ' ' || c === '\u007f')).toBe(false);
          expect(value.trim().length).toBeGreaterThan(0);
        }
        const back = decodeOutcome(source(message));
        expect(back.actor).toEqual({ type: 'support', key });
        expect(back.effectId).toBe(`support/${key}@1.0`);
      }),
    );
  });

  test('of a foreign service, or damaged ones, are failures', () => {
    const foreign = {
      payload: new Uint8Array(),
      header: (name: string) => ({ 'Nats-Service-Error-Code': '500', 'Nats-Service-Error': 'boom' })[name],
    };
    expect(decodeOutcome(foreign).outcome).toMatchObject({
      ok: false,
      error: { message: 'boom', details: { status: '500' } },
    });
    const damaged = { payload: new Uint8Array([0xff]), header: () => undefined };
    expect(decodeOutcome(damaged).outcome).toMatchObject({ ok: false, error: { code: 'Internal' } });
  });
});

describe('effect ids', () => {
  test('come back from their text, also when the key holds what separates', () => {
    for (const key of ['john', 'a@1.0', 'x/y@', 'ü\n']) {
      const id = { actor: { type: 'support', key }, seq: 17, n: 3 };
      expect(parseEffectId(formatEffectId(id))).toEqual(id);
    }
    expect(formatEffectId({ actor: { type: 'support', key: 'john' }, seq: 17, n: 0 })).toBe('support/john@17.0');
  });
  test.each(['', 'support/john', 'support/john@17', 'john@17.0', 'support/@17.0', 'support/john@x.0'])(
    '%j is none',
    (text) => {
      expect(() => parseEffectId(text)).toThrow(expect.objectContaining({ name: 'TroupeError' }));
    },
  );
});

describe('hash53', () => {
  test('gives these numbers on every machine, for ever: they are in stored states', () => {
    expect(hash53('')).toBe(HASHES.empty);
    expect(hash53('order-17')).toBe(HASHES.text);
    expect(hash53(new Uint8Array([1, 2, 3, 4, 5]))).toBe(HASHES.bytes);
  });

  test('is a safe integer, and different for what differs a little', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 100_000; i++) {
      const bytes = new Uint8Array(16);
      new DataView(bytes.buffer).setUint32(i % 12, i);
      bytes[15] = i % 12;
      seen.add(hash53(bytes));
    }
    expect([...seen].every((hash) => Number.isSafeInteger(hash) && hash >= 0)).toBe(true);
    expect(seen.size).toBe(100_000);
    expect(hash53(new Uint8Array(3))).not.toBe(hash53(new Uint8Array(4)));
    expect(hash53('a', 1)).not.toBe(hash53('a', 2));
  });
});

const HASHES = { empty: 3_338_908_027_751_811, text: 7_334_371_045_871_275, bytes: 5_335_337_266_732_657 };
