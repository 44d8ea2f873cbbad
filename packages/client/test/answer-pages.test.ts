/** Answers that come in pages. */
import { encodeValue } from '@troupe/wire';
import { expect, test } from 'vitest';
import { headerOf, rig, track } from './support/fake-wire.ts';
import { settled } from './support/virtual-clock.ts';

const ANSWER = { text: 'x'.repeat(100), at: new Date(5) };
const BYTES = encodeValue(ANSWER);
const expired = { code: 'PageExpired', message: 'No longer kept.', retryable: true };

type Rig = ReturnType<typeof rig>;

function page({ wire }: Rig, n: number, pages: number, token = 'a', reply = wire.last('query').reply): void {
  const size = Math.ceil(BYTES.length / pages);
  const headers = `NATS/1.0\r\nContent-Type: application/msgpack\r\nTroupe-Page: ${n}/${pages};${token}\r\n\r\n`;
  wire.deliver(reply, BYTES.subarray((n - 1) * size, n * size), headers);
}
const asked = ({ wire }: Rig) => wire.published.map((query) => headerOf(query, 'Troupe-Page'));
const read = ({ troupe }: Rig) => track(troupe.actor('support', 'john').query('state'));

test('pages are asked for one after the other, and put together', async () => {
  const one = rig();
  const state = read(one);
  for (const n of [1, 2, 3]) page(one, n, 3);
  await settled();
  expect(asked(one)).toEqual(['1', '2;a', '3;a']);
  expect(state.result).toEqual({ value: ANSWER });
});

test('a page that does not come is asked for again; what comes twice, or belongs to another answer, is left out', async () => {
  const one = rig();
  const state = read(one);
  page(one, 1, 3);
  await one.clock.advance(2_100);
  expect(asked(one)).toEqual(['1', '2;a', '2;a']);
  page(one, 1, 3);
  page(one, 1, 3, 'b');
  page(one, 3, 3);
  page(one, 2, 3, 'b');
  expect(asked(one)).toHaveLength(3);
  page(one, 2, 3);
  page(one, 2, 3);
  page(one, 3, 3);
  await settled();
  expect(asked(one)).toEqual(['1', '2;a', '2;a', '3;a']);
  expect(state.result).toEqual({ value: ANSWER });
});

test('when the pages are gone it begins again, three times at most', async () => {
  const one = rig();
  const state = read(one);
  for (const token of ['a', 'b']) {
    page(one, 1, 2, token);
    one.wire.refuse(one.wire.last('query'), expired);
  }
  expect(asked(one)).toEqual(['1', '2;a', '1', '2;b', '1']);
  page(one, 1, 2, 'c');
  one.wire.refuse(one.wire.last('query'), expired);
  await settled();
  expect(state.result).toMatchObject({ error: { code: 'PageExpired' } });
});

test('listings take no pages', () => {
  const { wire, troupe } = rig();
  void troupe.actors().catch(() => undefined);
  expect(headerOf(wire.published[0]!, 'Troupe-Page')).toBeUndefined();
});
