/** The client against a real nats-server and a scripted worker: everything that only a real connection can do wrong. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect, type Troupe } from '../src/index.ts';
import { freePort, NatsServer } from './support/nats-server.ts';
import { ScriptedWorker } from './support/scripted-worker.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let server: NatsServer;
let worker: ScriptedWorker;
let troupe: Troupe;

describe('with a server and a worker', () => {
  beforeEach(async () => {
    server = await NatsServer.start();
    worker = await ScriptedWorker.start({
      url: server.url,
      script: (input) => (input === 'later' ? 'later' : { ok: true, value: { heard: input } }),
      queries: {
        state: (_args, key) => (key === 'nobody' ? undefined : { type: 'support', key, value: 'idle', seq: 1 }),
      },
    });
    troupe = await connect({ url: server.url, ackTimeoutMs: 300 });
  });
  afterEach(async () => {
    await troupe.close();
    await worker[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test('ask, send, signal, snapshot, outcome', async () => {
    const john = troupe.actor('support', 'john.doe@x.org');
    expect(await john.ask({ text: 'hello' })).toEqual({ heard: { text: 'hello' } });
    const { seq, taskId } = await john.send('a', { taskId: 't-1' });
    expect([seq, taskId]).toEqual([2, 't-1']);
    expect(await john.signal({ type: 'approve' })).toMatchObject({ seq: 3 });
    expect((await john.snapshot()).value).toBe('idle');
    expect(await john.outcome('t-1')).toEqual({ status: 'ended', ok: true, value: { heard: 'a' } });
    expect(await john.outcome('t-2')).toEqual({ status: 'unknown' });
    await expect(troupe.actor('support', 'nobody').snapshot()).rejects.toMatchObject({ code: 'NotFound' });
    expect(worker.applied.map(({ subject }) => subject)).toEqual([
      'troupe.task.support.john=2Edoe@x=2Eorg',
      'troupe.task.support.john=2Edoe@x=2Eorg',
      'troupe.signal.support.john=2Edoe@x=2Eorg',
    ]);
  });

  test('the same id is the same task', async () => {
    const john = troupe.actor('support', 'john');
    const answers = await Promise.all([1, 2, 3].map(() => john.ask('once', { taskId: 't-1' })));
    expect(answers).toEqual(Array(3).fill({ heard: 'once' }));
    expect(worker.applied).toHaveLength(1);
  });

  test('watch sees outcomes and emitted events', async () => {
    const john = troupe.actor('support', 'john');
    await using events = john.watch();
    await john.ask('hi', { taskId: 't-1' });
    expect((await events.next()).value).toMatchObject({
      kind: 'outcome',
      taskId: 't-1',
      ok: true,
      value: { heard: 'hi' },
    });
    worker.emit('support', 'john', { type: 'greeted' }, 'support/john@1.2');
    expect((await events.next()).value).toMatchObject({
      kind: 'event',
      event: { type: 'greeted' },
      effectId: 'support/john@1.2',
    });
  });

  test('an outcome whose message is lost is asked for', async () => {
    worker.loseReplies = true;
    const from = Date.now();
    expect(await troupe.actor('support', 'john').ask('hi')).toEqual({ heard: 'hi' });
    expect(Date.now() - from).toBeLessThan(15_000);
    expect(worker.stored).toBe(1);
  });

  test('killed and restarted: what was under way ends once, with its outcome', async () => {
    const john = troupe.actor('support', 'john');
    const accepted = john.ask('later', { taskId: 'accepted' });
    await expect.poll(() => worker.applied.length).toBe(1);
    await server.kill();
    await expect.poll(() => troupe.status.connected).toBe(false);
    const meanwhile = Promise.all(Array.from({ length: 50 }, (_, n) => john.ask({ n })));
    expect(troupe.status.waiting).toBe(50);
    await server.run();
    expect(await meanwhile).toEqual(Array.from({ length: 50 }, (_, n) => ({ heard: { n } })));
    worker.finish('accepted', { ok: true, value: 'at last' });
    expect(await accepted).toBe('at last');
    expect(worker.applied).toHaveLength(51);
  });

  test('killed again and again under load: every ask takes effect once', async () => {
    const actors = Array.from({ length: 8 }, (_, i) => troupe.actor('support', `user-${i}`));
    const kills = (async () => {
      for (let i = 0; i < 3; i++) {
        await pause(150);
        await server.kill();
        await pause(100);
        await server.run();
      }
    })();
    let asked = 0;
    const callers = actors.map(async (actor, caller) => {
      for (let n = 0; n < 150; n++) {
        expect(await actor.ask({ caller, n }, { deadlineMs: 30_000 })).toEqual({ heard: { caller, n } });
        asked++;
        await pause(5);
      }
    });
    await Promise.all([kills, ...callers]);
    expect(asked).toBe(1_200);
    expect(worker.applied).toHaveLength(1_200);
    expect(new Set(worker.applied.map(({ input }) => JSON.stringify(input))).size).toBe(1_200);
  });

  test('a server that stays away is NotConnected at the deadline', async () => {
    await server.kill();
    await expect.poll(() => troupe.status.connected).toBe(false);
    const asking = troupe.actor('support', 'john').ask('hi', { deadlineMs: 300 });
    await expect(asking).rejects.toMatchObject({ code: 'NotConnected' });
  });

  test('queries outlive the owner that should have answered', async () => {
    worker.stopQueries();
    const reading = troupe.actor('support', 'john').snapshot();
    await pause(400);
    worker.serveQueries();
    expect((await reading).value).toBe('idle');
  });

  test('more than the server takes is refused here, with both sizes', async () => {
    const asking = troupe.actor('support', 'john').ask('x'.repeat(1_048_576));
    await expect(asking).rejects.toMatchObject({ code: 'PayloadTooLarge', details: { bytesMax: 1_048_576 } });
    expect(await troupe.actor('support', 'john').ask('still alive')).toEqual({ heard: 'still alive' });
  });

  test('close flushes what was sent', async () => {
    const sending = expect(troupe.actor('support', 'john').send('last words')).rejects.toMatchObject({
      code: 'Closed',
    });
    await troupe.close();
    await sending;
    await expect.poll(() => worker.applied.length).toBe(1);
  });
});

describe('streams and permissions', () => {
  test('no stream: NotAccepted after 2 s, with the next step', async () => {
    await using bare = await NatsServer.start();
    await using client = await connect({ url: bare.url, ackTimeoutMs: 300 });
    await expect(client.actor('support', 'john').send('hi')).rejects.toMatchObject({
      code: 'NotAccepted',
      message: expect.stringContaining('troupe dev'),
    });
    await expect(client.actor('support', 'john').snapshot({ timeoutMs: 300 })).rejects.toMatchObject({
      code: 'NoOwner',
    });
  });

  test('a stream that appears in time is found', async () => {
    await using bare = await NatsServer.start();
    await using client = await connect({ url: bare.url });
    const asking = client.actor('support', 'john').ask('hi');
    await pause(300);
    await using late = await ScriptedWorker.start({ url: bare.url });
    expect(await asking).toBe('hi');
    expect(late.applied).toHaveLength(1);
  });

  test('a full stream is StreamFull, a message over its limit PayloadTooLarge', async () => {
    await using small = await NatsServer.start();
    await using _worker = await ScriptedWorker.start({
      url: small.url,
      stream: { max_bytes: 8_192, max_msg_size: 4_096 },
    });
    await using client = await connect({ url: small.url });
    const john = client.actor('support', 'john');
    await expect(john.send('x'.repeat(5_000))).rejects.toMatchObject({ code: 'PayloadTooLarge' });
    const filling = Promise.all(Array.from({ length: 5 }, () => john.send('x'.repeat(3_000))));
    await expect(filling).rejects.toMatchObject({ code: 'StreamFull', actor: 'support/john', retryable: true });
  });

  const users = `authorization {
    users = [
      { user: worker, password: w }
      { user: client, password: c, permissions: {
        publish: ["troupe.task.support.>", "troupe.signal.support.>", "troupe.query.support.>"],
        subscribe: ["_INBOX.client.>", "troupe.out.support.>"] } }
    ]
  }`;

  test('a client with the permissions of its role works, and hears at once what it may not', async () => {
    await using guarded = await NatsServer.start(users);
    await using _worker = await ScriptedWorker.start({ url: guarded.url, user: 'worker', pass: 'w' });
    await using client = await connect({ url: guarded.url, user: 'client', pass: 'c' });
    const from = Date.now();
    expect(await client.actor('support', 'john').ask('hi')).toBe('hi');
    await expect(client.actor('order', '42').ask('hi')).rejects.toMatchObject({
      code: 'PermissionDenied',
      message: expect.stringContaining('troupe.task.order.42'),
    });
    await expect(client.actors()).rejects.toMatchObject({ code: 'PermissionDenied' });
    await expect(client.actor('order', '42').watch().next()).rejects.toMatchObject({ code: 'PermissionDenied' });
    expect(Date.now() - from).toBeLessThan(8_000);
    expect(await client.actor('support', 'john').ask('still alive')).toBe('still alive');
  });

  test('an inbox that the permissions forbid shows when connecting', async () => {
    await using guarded = await NatsServer.start(users);
    const connecting = connect({ url: guarded.url, user: 'client', pass: 'c', inboxPrefix: '_INBOX.other' });
    await expect(connecting).rejects.toMatchObject({
      code: 'PermissionDenied',
      message: expect.stringContaining('inboxPrefix'),
    });
  });

  test('wrong credentials are refused at once', async () => {
    await using guarded = await NatsServer.start(users);
    const from = Date.now();
    await expect(connect({ url: guarded.url, user: 'client', pass: 'wrong' })).rejects.toMatchObject({
      code: 'PermissionDenied',
      message: expect.stringContaining('TROUPE_NATS_USER'),
    });
    expect(Date.now() - from).toBeLessThan(8_000);
  });

  test('credentials in the address count', async () => {
    await using guarded = await NatsServer.start(users);
    await using _worker = await ScriptedWorker.start({ url: guarded.url, user: 'worker', pass: 'w' });
    await using client = await connect({ url: guarded.url.replace('//', '//client:c@') });
    expect(await client.actor('support', 'john').ask('hi')).toBe('hi');
    expect(client.status.server).not.toContain('client:c');
  });
});

describe('the first connection', () => {
  test('nobody there: NotConnected within the deadline, naming the address and the next step', async () => {
    const port = await freePort();
    const from = Date.now();
    await expect(connect({ url: `nats://127.0.0.1:${port}`, connectTimeoutMs: 600 })).rejects.toMatchObject({
      code: 'NotConnected',
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*troupe dev`)),
    });
    expect(Date.now() - from).toBeLessThan(8_000);
  });

  test('somebody who says nothing is given up as well', async () => {
    const { createServer } = await import('node:net');
    const mute = createServer(() => {});
    const port = await freePort();
    mute.listen(port, '127.0.0.1');
    await expect(connect({ url: `127.0.0.1:${port}`, connectTimeoutMs: 500 })).rejects.toMatchObject({
      code: 'NotConnected',
    });
    mute.close();
  });

  test('a server that starts late is waited for', async () => {
    const late = await NatsServer.start();
    await late.kill();
    const connecting = connect({ url: late.url });
    await pause(400);
    await late.run();
    const client = await connecting;
    expect(client.status.connected).toBe(true);
    await client.close();
    await late[Symbol.asyncDispose]();
  });
});
