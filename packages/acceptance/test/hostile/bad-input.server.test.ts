/** What bad input gets, row by row, and that the next good task on the same actor works (docs: reference/errors.md). */
import { decodePayload, type TroupeError } from '@troupe/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { echo, strict } from './support/agents.ts';
import { headerOf, type RawNats } from './support/raw-nats.ts';
import { fresh, Stage, until } from './support/stage.ts';

let stage: Stage;
let raw: RawNats;
let key: string;
const inbox = `_INBOX.${fresh()}`;

beforeAll(async () => {
  stage = await Stage.open({ definitions: [echo, strict] });
  raw = await stage.attacker();
  raw.subscribe(`${inbox}.>`);
});
afterAll(async () => {
  raw?.close();
  await stage?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  key = `k-${fresh()}`;
});

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

async function refusal(subject: string, payload: string | Buffer, headers = ''): Promise<Refusal> {
  const reply = `${inbox}.${fresh()}`;
  raw.publishWith(subject, `${headers}Troupe-Reply-To: ${reply}\r\n`, payload);
  const message = await raw.next(reply);
  expect(headerOf(message, 'Nats-Service-Error-Code')).toBeDefined();
  return decodePayload(message.payload, headerOf(message, 'Content-Type')).value as Refusal;
}

async function letters(): Promise<
  { code: string; message: string; key: string; type: string; payload: string; headers: Record<string, string> }[]
> {
  await using admin = await stage.admin();
  const found = [];
  for await (const one of admin.deadLetters.list({}))
    found.push({
      code: one.code,
      message: one.message,
      ...one.address,
      payload: Buffer.from(one.payload).toString(),
      headers: one.headers,
    });
  return found;
}

async function deadLetterOf(code: string, type: string, ofKey: string) {
  const isIt = (one: { code: string; type: string; key: string }) =>
    one.code === code && one.type === type && one.key === ofKey;
  await until(async () => (await letters()).some(isIt), 10_000, 50);
  const found = (await letters()).find(isIt);
  expect(found, `a dead letter ${code} of ${type}/${ofKey}`).toBeDefined();
  return found!;
}

async function expectGoodTask(): Promise<void> {
  expect(await stage.troupe.actor('strict', key).ask({ n: 7 })).toBe(7);
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no error',
    (error: TroupeError) => error.code,
  );
}

test('a subject with an unknown type: dead letter; UnknownActorType, naming the known ones', async () => {
  const { code, message, details } = await refusal(`troupe.task.nosuch.${key}`, '"x"', 'X-Mine: kept\r\n');
  expect({ code, details }).toEqual({ code: 'UnknownActorType', details: { known: ['echo', 'strict'] } });
  expect(message).toContain('echo, strict');
  expect(await deadLetterOf('UnknownActorType', 'nosuch', key)).toMatchObject({
    payload: '"x"',
    headers: { 'X-Mine': 'kept' },
  });
  await expectGoodTask();
});

describe('a payload that does not parse, or fails the schema: dead letter; InvalidPayload', () => {
  test.each([
    ['that is not JSON', '{"n":', 'Content-Type: application/json\r\n', /not JSON/],
    ['that is no MessagePack', Buffer.from('c1', 'hex'), 'Content-Type: application/msgpack\r\n', /./],
    ['that is not UTF-8', Buffer.from([0xff, 0xfe]), '', /UTF-8/],
    ['with a field of another type', '{"n":"seven"}', '', /at n:.*number/],
    ['with a field too many', '{"n":7,"m":1}', '', /m/],
    ['that is none at all', '', '', /expected object/i],
    ['with __proto__', '{"n":7,"__proto__":{}}', '', /__proto__/],
    ['with constructor', '{"n":7,"constructor":{}}', '', /constructor/],
    ['nested 65 deep', `${'['.repeat(65)}${']'.repeat(65)}`, '', /deep|nest/i],
    ['with a huge MessagePack length', Buffer.from('ddffffffff', 'hex'), 'Content-Type: application/msgpack\r\n', /./],
  ] as [string, string | Buffer, string, RegExp][])('one %s', async (_, payload, headers, said) => {
    const { code, message } = await refusal(`troupe.task.strict.${key}`, payload, headers);
    expect(code).toBe('InvalidPayload');
    expect(message).toMatch(said);
    await deadLetterOf('InvalidPayload', 'strict', key);
    await expectGoodTask();
  });

  test('an event that fails its schema, as a task and as a signal', async () => {
    expect((await refusal(`troupe.task.strict.${key}`, '{"type":"approve","by":5}')).code).toBe('InvalidPayload');
    raw.publish(`troupe.signal.strict.${key}s`, '{"type":"approve","by":5}');
    raw.publish(`troupe.signal.strict.${key}t`, '"no event"');
    await deadLetterOf('InvalidPayload', 'strict', `${key}s`);
    await deadLetterOf('InvalidPayload', 'strict', `${key}t`);
    await expectGoodTask();
  });
});

test('a payload above the limit: refused at the client and by the server; PayloadTooLarge with both sizes', async () => {
  const big = 'x'.repeat(1_100_000);
  const error = await stage.troupe
    .actor('echo', key)
    .ask(big)
    .catch((thrown: TroupeError) => thrown);
  expect(error).toMatchObject({ code: 'PayloadTooLarge', details: { bytes: expect.any(Number), bytesMax: 1_048_576 } });
  using other = await stage.attacker();
  other.publish(`troupe.task.echo.${key}`, big);
  await other.flush();
  expect(other.closed).toBe(true);
  // Between the stream's limit and the server's: the server refuses to store it.
  const between = 'x'.repeat(1_045_000);
  const ack = `${inbox}.${fresh()}`;
  raw.publish(`troupe.task.echo.${key}`, between, ack);
  expect((await raw.next(ack)).payload.toString()).toContain('message size exceeds maximum allowed');
  expect(await codeOf(stage.troupe.actor('echo', key).ask(between))).toBe('PayloadTooLarge');
  await expectGoodTask();
});

describe('a key', () => {
  test.each(['a.b', 'a b', 'a*', 'a>', 'ü🦊'])(
    '%j is encoded to one token, and users see the original',
    async (odd) => {
      expect(await stage.troupe.actor('echo', `${key}${odd}`).ask(1)).toMatchObject({ key: `${key}${odd}` });
    },
  );

  test('over 256 bytes, with lone surrogates, in a second spelling, or of several tokens: InvalidKey', async () => {
    for (const bad of ['k'.repeat(257), '🦊'.repeat(65), 'a\ud800', ''])
      expect(await codeOf((async () => stage.troupe.actor('echo', bad).ask(1))())).toBe('InvalidKey');
    for (const [token, expected] of [
      ['a=2eb', 'a=2Eb'],
      ['a.b', 'a=2Eb'],
    ] as const) {
      const { code, message } = await refusal(`troupe.task.strict.${token}`, '{"n":1}');
      expect(code).toBe('InvalidKey');
      expect(message).toContain(expected);
    }
    expect(
      await until(async () => (await letters()).some((one) => one.code === 'InvalidKey' && one.type === 'invalid')),
    ).toBe(true);
    await expectGoodTask();
  });
});

test('an event type beginning with xstate. or troupe.: ReservedEvent', async () => {
  for (const type of ['xstate.done.actor.x', 'troupe.deadline'])
    expect((await refusal(`troupe.task.strict.${key}`, JSON.stringify({ type }))).code).toBe('ReservedEvent');
  await deadLetterOf('ReservedEvent', 'strict', key);
  await expectGoodTask();
});

test("a reply address that isn't an inbox: not sent there; InvalidReplyTo is recorded", async () => {
  const heard: string[] = [];
  await using admin = await stage.admin();
  admin.bus.subscribe('elsewhere.>', {}, ({ subject }) => heard.push(subject));
  raw.publishWith(`troupe.task.strict.${key}`, 'Troupe-Reply-To: elsewhere.x\r\n', '{"n":7}');
  expect((await deadLetterOf('InvalidReplyTo', 'strict', key)).message).toContain('elsewhere.x');
  await expectGoodTask();
  expect(heard).toEqual([]);
});

test.each([
  ['Troupe-Deadline: soon', 'InvalidHeader'],
  ['Troupe-Created: yesterday', 'InvalidHeader'],
  ['Troupe-Input: cooked', 'InvalidHeader'],
  ['Content-Type: image/png', 'InvalidHeader'],
  ['Troupe-Task-Id: a b', 'InvalidTaskId'],
  ['Troupe-Deadline: 2020-01-01T00:00:00Z', 'DeadlineExceeded'],
  ['Troupe-Task-Id: old\r\nTroupe-Created: 2020-01-01T00:00:00Z', 'TooLate'],
])('the header %j: %s', async (header, code) => {
  expect((await refusal(`troupe.task.strict.${key}`, '{"n":7}', `${header}\r\n`)).code).toBe(code);
  await deadLetterOf(code, 'strict', key);
  await expectGoodTask();
});

test('unknown headers and fields are ignored, and kept', async () => {
  raw.publishWith(`troupe.task.echo.${key}`, 'X-Unknown: 1\r\nTroupe-Unknown: 2\r\n', '{"unknown":{"deep":[1]}}');
  // Two connections: without it, what is sent second may arrive first.
  await raw.flush();
  const actor = stage.troupe.actor('echo', key);
  expect(await actor.ask({ unknown: 1 })).toMatchObject({ input: { unknown: 1 }, count: 2 });
  const { entries } = (await actor.query('history', { last: 2 })) as { entries: { body: { payload: unknown } }[] };
  expect(entries[0]!.body.payload).toEqual({ unknown: { deep: [1] } });
});

test('an event that the machine can never accept: UnknownEvent, naming what it does', async () => {
  const { code, message } = await refusal(`troupe.task.strict.${key}`, '{"type":"aprove"}');
  expect(code).toBe('UnknownEvent');
  expect(message).toContain('approve');
  await deadLetterOf('UnknownEvent', 'strict', key);
  await expectGoodTask();
});

test('a step that throws: StepFailed, dead letter, and the state from before', async () => {
  expect((await refusal(`troupe.task.strict.${key}`, '{"n":1,"do":"throw"}')).code).toBe('StepFailed');
  expect((await deadLetterOf('StepFailed', 'strict', key)).message).toContain('as it was told');
  await expectGoodTask();
});

test('a turn that fails by its own word: its own code', async () => {
  expect(await refusal(`troupe.task.strict.${key}`, '{"n":1,"do":"fail"}')).toMatchObject({
    code: 'Told',
    message: 'as it was told',
  });
  await expectGoodTask();
});

test('the same id with another payload: TaskIdConflict', async () => {
  await stage.troupe.actor('strict', key).ask({ n: 1 }, { taskId: 'same' });
  expect(await codeOf(stage.troupe.actor('strict', key).ask({ n: 2 }, { taskId: 'same' }))).toBe('TaskIdConflict');
  await expectGoodTask();
});

test('a read of an actor that never was: NotFound; of an unknown type: UnknownActorType', async () => {
  expect(await codeOf(stage.troupe.actor('strict', key).query('state'))).toBe('NotFound');
  expect(await codeOf(stage.troupe.actor('nosuch', key).query('state'))).toBe('UnknownActorType');
  expect(await codeOf(stage.troupe.actor('nosuch', key).ask('x'))).toBe('UnknownActorType');
});

test('a forged internal entry is none of ours: refused, and the actor goes on', async () => {
  raw.publish(`troupe.event.strict.${key}`, '{"kind":"outcome"}');
  expect(await until(async () => (await letters()).some((one) => one.key === key), 10_000, 50)).toBe(true);
  await expectGoodTask();
});
