import assert from 'node:assert/strict';
import { type BusMessage, PortError } from '../ports.ts';
import type { Suite } from './harness.ts';
import { bytes, range, rejects, textOf } from './samples.ts';

/** Long enough for a subscription to be known to the server, ms. */
const SETTLE_MS = 100;

function throwsPortError(action: () => void, kind: string): void {
  assert.throws(action, (error) => error instanceof PortError && error.kind === kind);
}

/** The bus: subjects, queue groups, requests; nothing kept. */
export const busSuite: Suite = (example) => {
  example('a message reaches every subscription that matches', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    const got: string[] = [];
    const head = `${world.subjects.prefix}.out.support`;
    for (const subject of [`${head}.john`, `${head}.*`, `${head}.>`, `${head}.anna`, `${head}.john.>`]) {
      b.bus.subscribe(subject, {}, (message) => got.push(`${subject} ${textOf(message.payload)}`));
    }
    await world.pass(SETTLE_MS);
    a.bus.publish(`${head}.john`, bytes('hello'));
    await world.pass(SETTLE_MS);
    assert.deepEqual(got.sort(), [`${head}.* hello`, `${head}.> hello`, `${head}.john hello`]);
  });

  example('headers and subject arrive with it; without a reply there is none', async (world) => {
    const ports = await world.connect();
    const got: BusMessage[] = [];
    ports.bus.subscribe('a.>', {}, (message) => got.push(message));
    await world.pass(SETTLE_MS);
    ports.bus.publish('a.b', bytes('x'), { 'Troupe-Seq': '7', 'X-B': ' padded ' });
    await world.until(() => got.length === 1);
    const message = got[0]!;
    assert.deepEqual([message.subject, message.reply], ['a.b', undefined]);
    assert.deepEqual([message.header('Troupe-Seq'), message.header('X-B')], ['7', 'padded']);
    assert.equal(message.header('X-C'), undefined);
    message.respond(bytes('nobody hears it'));
  });

  example('a queue group gets each message once', async (world) => {
    const workers = [await world.connect(), await world.connect(), await world.connect()];
    const got: string[] = [];
    for (const ports of workers)
      ports.bus.subscribe('jobs', { queue: 'q' }, (message) => got.push(textOf(message.payload)));
    await world.pass(SETTLE_MS);
    for (const i of range(30)) workers[0]!.bus.publish('jobs', bytes(`${i}`));
    await world.until(() => got.length >= 30);
    await world.pass(SETTLE_MS);
    assert.deepEqual(
      got.map(Number).sort((x, y) => x - y),
      range(30),
    );
  });

  example('messages of one publisher arrive in order', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    const got: number[] = [];
    b.bus.subscribe('ordered', {}, (message) => got.push(Number(textOf(message.payload))));
    await world.pass(SETTLE_MS);
    for (const i of range(500)) a.bus.publish('ordered', bytes(`${i}`));
    await world.until(() => got.length === 500);
    assert.deepEqual(got, range(500));
  });

  example('a request gets the answer, with its headers', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    b.bus.subscribe('echo', {}, (message) =>
      message.respond(message.payload, { 'X-From': message.header('X-Who') ?? '' }),
    );
    await world.pass(SETTLE_MS);
    const answer = await world.run(
      a.bus.request('echo', bytes('hi'), { timeoutMs: 2_000, headers: { 'X-Who': 'anna' } }),
    );
    assert.equal(textOf(answer.payload), 'hi');
    assert.equal(answer.header('X-From'), 'anna');
  });

  example('a request that nobody listens to fails at once with no-responders', async (world) => {
    const ports = await world.connect();
    const startedAt = ports.clock.monotonic();
    await rejects(world.run(ports.bus.request('nobody', bytes('hi'), { timeoutMs: 5_000 })), 'no-responders');
    assert.ok(ports.clock.monotonic() - startedAt < 2_000);
  });

  example('a request that nobody answers times out', async (world) => {
    const ports = await world.connect();
    ports.bus.subscribe('silent', {}, () => undefined);
    await world.pass(SETTLE_MS);
    await rejects(world.run(ports.bus.request('silent', bytes('hi'), { timeoutMs: 200 })), 'timeout');
  });

  example('a closed subscription gets nothing', async (world) => {
    const ports = await world.connect();
    let count = 0;
    const subscription = ports.bus.subscribe('a', {}, () => count++);
    await world.pass(SETTLE_MS);
    subscription.close();
    subscription.close();
    ports.bus.publish('a', bytes('x'));
    await world.pass(SETTLE_MS);
    assert.equal(count, 0);
  });

  example('subjects and payloads that the server would refuse throw', async (world) => {
    const ports = await world.connect();
    for (const subject of ['', 'a b', 'a..b', 'a.*', '.a', 'a\r\nPUB x']) {
      throwsPortError(() => ports.bus.publish(subject, bytes('x')), 'other');
    }
    throwsPortError(() => ports.bus.subscribe('a b', {}, () => undefined), 'other');
    throwsPortError(() => ports.bus.publish('a', new Uint8Array(ports.bus.payloadBytesMax + 1)), 'too-large');
    await rejects(world.run(ports.bus.request('a b', bytes('x'), { timeoutMs: 100 })), 'other');
    assert.equal(ports.bus.connected, true);
  });

  example('the largest payload passes', async (world) => {
    const ports = await world.connect();
    let length = 0;
    ports.bus.subscribe('large', {}, (message) => {
      length = message.payload.length;
    });
    await world.pass(SETTLE_MS);
    ports.bus.publish('large', new Uint8Array(ports.bus.payloadBytesMax));
    await world.until(() => length === ports.bus.payloadBytesMax);
  });

  example('a durable publish resolves and reaches subscribers', async (world) => {
    const ports = await world.connect();
    const got: string[] = [];
    for (const type of ['kept', 'other']) {
      const subject = `${world.subjects.prefix}.out.${type}.john`;
      ports.bus.subscribe(subject, {}, (message) => got.push(`${type} ${textOf(message.payload)}`));
      await world.pass(SETTLE_MS);
      await world.run(ports.bus.publishDurable(subject, bytes('done'), { 'Troupe-Effect-Id': 'x' }));
    }
    await world.until(() => got.length === 2);
    assert.deepEqual(got, ['kept done', 'other done']);
  });
};
