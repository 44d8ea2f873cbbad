/** Any NATS client in any language can speak to actors: here a bare socket does, with PUB, HPUB and SUB. */
import { decodePayload, encodeKey, encodePayload } from '@troupe/wire';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { echo, mirror } from './support/agents.ts';
import { headerOf, RawNats } from './support/raw-nats.ts';
import { fresh, Stage } from './support/stage.ts';

let stage: Stage;
let raw: RawNats;
const inbox = `_INBOX.${fresh()}`;

beforeAll(async () => {
  stage = await Stage.open({ definitions: [echo, mirror] });
  raw = await RawNats.open({ port: stage.server.port });
  raw.subscribe(`${inbox}.>`);
});
afterAll(async () => {
  raw?.close();
  await stage?.[Symbol.asyncDispose]();
});

const isOutcome = (message: Parameters<typeof headerOf>[0]): boolean => headerOf(message, 'Troupe-Actor') !== undefined;

async function outcomeOf(subject: string, headers: string, payload: string | Buffer) {
  const reply = `${inbox}.${fresh()}`;
  raw.publishWith(subject, `${headers}Troupe-Reply-To: ${reply}\r\n`, payload);
  return raw.next(reply);
}

test('PUB alone makes a task; its outcome is found by asking for it', async () => {
  raw.write('SUB troupe.out.echo.plain 99\r\nPUB troupe.task.echo.plain 5\r\nhello\r\n');
  const out = await raw.next('troupe.out.echo.plain');
  expect(JSON.parse(out.payload.toString())).toEqual({ key: 'plain', input: 'hello', count: 1 });
  const seq = headerOf(out, 'Troupe-Seq')!;
  raw.publish('troupe.query.echo.plain', JSON.stringify({ query: 'outcome', taskId: seq }), `${inbox}.q`);
  const found = JSON.parse((await raw.next(`${inbox}.q`)).payload.toString());
  expect(found).toMatchObject({ status: 'ended', ok: true, value: { input: 'hello' } });
});

test('HPUB with Troupe-Reply-To is answered there, with who answered in the headers; the PubAck comes to the reply', async () => {
  const [ack, reply] = [`${inbox}.${fresh()}`, `${inbox}.${fresh()}`];
  raw.publishWith('troupe.task.echo.hpub', `Troupe-Reply-To: ${reply}\r\nTroupe-Task-Id: my-task\r\n`, '{"a":1}', ack);
  expect(JSON.parse((await raw.next(ack)).payload.toString())).toMatchObject({
    stream: 'TROUPE_JOURNAL',
    seq: expect.any(Number),
  });
  const outcome = await raw.next(reply);
  expect(JSON.parse(outcome.payload.toString())).toEqual({ key: 'hpub', input: { a: 1 }, count: 1 });
  expect(headerOf(outcome, 'Troupe-Actor')).toBe('echo/hpub');
  expect(headerOf(outcome, 'Troupe-Task-Id')).toBe('my-task');
  expect(headerOf(outcome, 'Troupe-Version')).toBe('1');
  expect(headerOf(outcome, 'Content-Type')).toBe('application/json');
  expect(headerOf(outcome, 'Nats-Service-Error-Code')).toBeUndefined();
});

test('the same id again is answered with the same outcome', async () => {
  const first = await outcomeOf('troupe.task.echo.twice', 'Troupe-Task-Id: t\r\n', '1');
  const second = await outcomeOf('troupe.task.echo.twice', 'Troupe-Task-Id: t\r\n', '1');
  expect(second.payload).toEqual(first.payload);
  expect(JSON.parse(second.payload.toString()).count).toBe(1);
});

test('a request to troupe.ask is answered as any service would be', async () => {
  const reply = `${inbox}.${fresh()}`;
  raw.publish('troupe.ask.echo.asked', 'hello', reply);
  const outcome = await raw.next(reply);
  expect(JSON.parse(outcome.payload.toString())).toMatchObject({ key: 'asked', input: 'hello' });
  expect(raw.messages.filter(({ subject }) => subject === reply)).toEqual([]);
});

test('PUB of a signal is applied', async () => {
  raw.publish('troupe.signal.echo.signalled', '{"type":"approve"}');
  await expect
    .poll(
      async () =>
        (
          (await stage.troupe
            .actor('echo', 'signalled')
            .query('state')
            .catch(() => undefined)) as { context?: { approvals: number } } | undefined
        )?.context?.approvals,
    )
    .toBe(1);
});

const values: [string, unknown][] = [
  ['an object', { a: [1, 'ü', null, { b: true }] }],
  ['a string', 'hello'],
  ['a number', 1.5],
  ['null', null],
  ['a list', [1, 2]],
];

test.each(values)('JSON of %s is answered in JSON', async (_, value) => {
  const outcome = await outcomeOf('troupe.task.mirror.m', 'Content-Type: application/json\r\n', JSON.stringify(value));
  expect(headerOf(outcome, 'Content-Type')).toBe('application/json');
  expect(JSON.parse(outcome.payload.toString())).toEqual(value);
});

test.each([...values, ['a date', new Date(5)], ['bytes', new Uint8Array([1, 2, 255])]] as [string, unknown][])(
  'MessagePack of %s is answered in MessagePack',
  async (_, value) => {
    const outcome = await outcomeOf(
      'troupe.task.mirror.m',
      'Content-Type: application/msgpack\r\n',
      Buffer.from(encodePayload(value, 'application/msgpack')),
    );
    expect(headerOf(outcome, 'Content-Type')).toBe('application/msgpack');
    expect(decodePayload(outcome.payload, 'application/msgpack').value).toEqual(value);
  },
);

test('MessagePack as another library writes it is read', async () => {
  const outcome = await outcomeOf(
    'troupe.task.mirror.m',
    'Content-Type: application/vnd.msgpack\r\n',
    Buffer.from('82a161cd0001a162d90178', 'hex'),
  );
  expect(decodePayload(outcome.payload, 'application/msgpack').value).toEqual({ a: 1, b: 'x' });
});

test('text is answered in text; without a content type what is not JSON is text', async () => {
  for (const headers of ['Content-Type: text/plain\r\n', '']) {
    const outcome = await outcomeOf('troupe.task.mirror.m', headers, 'grüß dich {');
    expect(headerOf(outcome, 'Content-Type')).toBe('text/plain');
    expect(outcome.payload.toString()).toBe('grüß dich {');
  }
  const json = await outcomeOf('troupe.task.mirror.m', 'Content-Type: text/plain\r\n', '{"a":1}');
  expect(json.payload.toString()).toBe('{"a":1}');
});

const keys = [
  'k'.repeat(256),
  '🦊'.repeat(64),
  '.'.repeat(256),
  'john.doe@x.org',
  'two words  and more ',
  'a*b>c',
  '*',
  '>',
  '=',
  '=2E',
  '🦊 ünï',
  'a/b/c',
  '\t\n\r',
  '\u00a0',
  '%20+&?#',
  '__proto__',
  'constructor',
];
test.each(keys)('the key %j travels, and the actor sees it as it is', async (key) => {
  const outcome = await outcomeOf(`troupe.task.echo.${encodeKey(key)}`, '', '"x"');
  expect(JSON.parse(outcome.payload.toString())).toEqual({ key, input: 'x', count: 1 });
  expect(await stage.troupe.actor('echo', key).ask('y')).toEqual({ key, input: 'y', count: 2 });
  const { key: seen } = (await stage.troupe.actor('echo', key).query('state')) as { key: string };
  expect(seen).toBe(key);
});

test.each([
  ['john=2edoe', 'john=2Edoe'],
  ['=6Aohn', 'john'],
  ['a=3db', 'a=3Db'],
  ['a=b', 'a=3Db'],
  ['a.b', 'a=2Eb'],
  ['=F0=9F=A6=8A', '🦊'],
])('the second spelling %s is refused with InvalidKey, naming %s', async (token, right) => {
  for (const verb of ['task', 'ask'] as const) {
    const reply = `${inbox}.${fresh()}`;
    if (verb === 'task') raw.publishWith(`troupe.task.echo.${token}`, `Troupe-Reply-To: ${reply}\r\n`, '"x"');
    else raw.publish(`troupe.ask.echo.${token}`, '"x"', reply);
    const refusal = await raw.next(reply);
    expect(headerOf(refusal, 'Nats-Service-Error-Code')).toMatch(/^4/);
    const body = JSON.parse(refusal.payload.toString());
    expect(body).toMatchObject({ code: 'InvalidKey', details: { expected: right } });
    expect(body.message).toContain(right);
  }
});

test('a key of 257 bytes, and one that is no UTF-8, are refused with InvalidKey', async () => {
  for (const token of [Buffer.from('k'.repeat(257)), Buffer.from('a\xff', 'latin1')]) {
    const reply = `${inbox}.${fresh()}`;
    raw.publishWith(Buffer.concat([Buffer.from('troupe.task.echo.'), token]), `Troupe-Reply-To: ${reply}\r\n`, '"x"');
    expect(JSON.parse((await raw.next(reply)).payload.toString())).toMatchObject({ code: 'InvalidKey' });
  }
});

test('every answer came to whoever asked, and the line was never cut', () => {
  expect(raw.messages.filter(isOutcome)).toEqual([]);
  expect(raw.errors).toEqual([]);
  expect(stage.drops).toBe(0);
});
