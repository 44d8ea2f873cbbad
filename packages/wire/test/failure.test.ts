import {
  encodeValue,
  FAILURE_LIMITS,
  type FailureRecord,
  failure,
  fromFailureRecord,
  isFailureRecord,
  isTroupeError,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storableValue } from './values.ts';

describe('TroupeError', () => {
  test('takes retryable from the table unless told otherwise', () => {
    expect(new TroupeError('MailboxFull', 'full').retryable).toBe(true);
    expect(new TroupeError('InvalidKey', 'bad').retryable).toBe(false);
    expect(new TroupeError('OutOfStock', 'none').retryable).toBe(false);
    expect(new TroupeError('InvalidKey', 'bad', { retryable: true }).retryable).toBe(true);
    expect(new TroupeError('MailboxFull', 'full').status).toBe(429);
  });

  test('is recognised by its brand, also when another copy of the package made it', () => {
    const other = Object.assign(new Error('x'), { code: 'MailboxFull' });
    expect(isTroupeError(other)).toBe(false);
    class TroupeErrorOfAnotherCopy extends Error {
      code = 'MailboxFull';
    }
    Object.defineProperty(TroupeErrorOfAnotherCopy.prototype, Symbol.for('troupe.error'), { value: true });
    expect(isTroupeError(new TroupeErrorOfAnotherCopy(), 'MailboxFull')).toBe(true);
    expect(isTroupeError(new TroupeErrorOfAnotherCopy(), 'Closed')).toBe(false);
  });

  test.each([undefined, null, 'x', 7, {}, new Error('x')])('%j is none', (value) => {
    expect(isTroupeError(value)).toBe(false);
  });
});

describe('failure records', () => {
  test('a TroupeError comes back with everything it had', () => {
    const error = new TroupeError('EffectFailed', 'declined', {
      actor: 'order/42',
      taskId: 't-1',
      details: { status: 402 },
      cause: new TypeError('HTTP 402'),
    });
    const back = fromFailureRecord(toFailureRecord(error));
    expect(back).toMatchObject({
      code: 'EffectFailed',
      message: 'declined',
      actor: 'order/42',
      taskId: 't-1',
      details: { status: 402 },
    });
    expect(back.cause).toMatchObject({ code: 'Internal', message: 'HTTP 402', name: 'TypeError' });
    expect(toFailureRecord(back)).toStrictEqual(toFailureRecord(error));
  });

  test('anything else gets the code of the context and keeps its class name', () => {
    expect(
      toFailureRecord(new RangeError('too far'), { code: 'EffectFailed', actor: 'a/b', taskId: 't' }),
    ).toStrictEqual({
      code: 'EffectFailed',
      message: 'too far',
      actor: 'a/b',
      taskId: 't',
      retryable: false,
      name: 'RangeError',
    });
  });

  test.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
    [{ reason: 'x' }, '{"reason":"x"}'],
    [Symbol('s'), 'Symbol(s)'],
  ])('%s that was thrown becomes a message', (thrown, message) => {
    expect(toFailureRecord(thrown).message).toBe(message);
  });

  test('is bounded whatever was thrown (invariant 1)', () => {
    let deep: unknown = 'root';
    for (let i = 0; i < 100; i++) deep = new Error('ü'.repeat(10_000), { cause: deep });
    const record = toFailureRecord(
      new TroupeError('Internal', 'x'.repeat(10_000), { details: { big: 'y'.repeat(100_000) }, cause: deep }),
    );
    const bytes = (text: string) => new TextEncoder().encode(text).length;
    expect(bytes(record.message)).toBeLessThanOrEqual(FAILURE_LIMITS.messageBytesMax);
    expect(record.message.endsWith('…')).toBe(true);
    expect(bytes(JSON.stringify(record.details))).toBeLessThanOrEqual(FAILURE_LIMITS.detailsBytesMax + 100);
    let depth = 0;
    for (let cause = record.cause; cause !== undefined; cause = cause.cause) {
      depth++;
      expect(bytes(cause.message)).toBeLessThanOrEqual(FAILURE_LIMITS.messageBytesMax);
    }
    expect(depth).toBe(FAILURE_LIMITS.causeDepthMax);
    expect(encodeValue(record).length).toBeLessThan(64_000);
  });

  test('never throws, also when the thrown value does (invariant 2)', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
        getPrototypeOf() {
          throw new Error('no');
        },
        ownKeys() {
          throw new Error('no');
        },
      },
    );
    expect(isFailureRecord(toFailureRecord(hostile))).toBe(true);
    const cyclic = new Error('a');
    cyclic.cause = cyclic;
    expect(isFailureRecord(toFailureRecord(cyclic))).toBe(true);
    const details: Record<string, unknown> = { run() {} };
    details.self = details;
    expect(() => encodeValue(toFailureRecord(new TroupeError('Internal', 'x', { details })))).not.toThrow();
  });

  test('of any value is storable', () => {
    fc.assert(
      fc.property(storableValue, storableValue, (thrown, details) => {
        encodeValue(toFailureRecord(thrown));
        encodeValue(toFailureRecord(new TroupeError('Internal', 'x', { details, cause: thrown })));
      }),
    );
  });

  test('holds no stack unless asked for (invariant 3)', () => {
    expect(toFailureRecord(new Error('x'))).not.toHaveProperty('stack');
    expect(toFailureRecord(new Error('x'), { stack: true }).stack).toContain('failure.test');
  });

  test('can be made directly', () => {
    expect(failure('MailboxFull', 'full', { actor: 'a/b', details: { depth: 1_000 } })).toStrictEqual({
      code: 'MailboxFull',
      message: 'full',
      actor: 'a/b',
      retryable: true,
      details: { depth: 1_000 },
    } satisfies FailureRecord);
  });

  test.each([null, 'x', {}, { code: 'A', message: 'b' }, { code: 1, message: 'b', retryable: true }])(
    '%j is not one',
    (value) => {
      expect(isFailureRecord(value)).toBe(false);
    },
  );
});
