import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  clientPermissions,
  connectNats,
  createNatsPorts,
  type Permissions,
  provision,
  provisionerPermissions,
  resolveConfig,
  type ServerProcess,
  startServerProcess,
  workerPermissions,
} from '@troupe/nats';
import type { Ports } from '@troupe/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const config = resolveConfig({ outs: { types: ['kept'] } });
const john = { type: 'support', key: 'john' };
const some = new Uint8Array([1]);
let server: ServerProcess;

beforeAll(async () => {
  const users = [
    user('admin', provisionerPermissions(config, { inboxPrefix: '_INBOX.admin' })),
    user('worker', workerPermissions(config, { inboxPrefix: '_INBOX.worker' })),
    user('client', clientPermissions(config, { inboxPrefix: '_INBOX.client', types: ['support'] })),
  ];
  server = await startServerProcess({ config: `authorization { users = [\n${users.join('\n')}\n] }` });
  const connection = await connectAs('admin');
  await provision(connection, config);
  await connection.close();
});
afterAll(() => server.close());

function user(name: string, { publish, subscribe }: Permissions): string {
  const list = (subjects: readonly string[]) => `{ allow: [${subjects.map((s) => JSON.stringify(s)).join(', ')}] }`;
  return `{ user: ${name}, password: secret, permissions: { publish: ${list(publish)}, subscribe: ${list(subscribe)} } }`;
}

function connectAs(name: string): ReturnType<typeof connectNats> {
  return connectNats({ servers: server.url, user: name, pass: 'secret', inboxPrefix: `_INBOX.${name}`, waitMs: 5_000 });
}

async function portsOf(name: string): Promise<Ports & AsyncDisposable> {
  const ports = createNatsPorts(await connectAs(name), config);
  return Object.assign(ports, { [Symbol.asyncDispose]: () => ports.close() });
}

async function kindOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'allowed',
    (error: { kind?: string }) => error.kind ?? String(error),
  );
}

describe('a worker', () => {
  test('finds the streams provisioned, and may do everything that the ports do', async () => {
    await using worker = await portsOf('worker');
    const connection = await connectAs('worker');
    await provision(connection, config);
    await connection.close();
    const partition = worker.journal.partitionOf(john);
    const { seq } = await worker.journal.append(john, { kind: 'tick' });
    await worker.journal.publish('task', john, some, {});
    const seen: number[] = [];
    for (const one of [partition, 0]) {
      const onLost = (reason: string) => expect.unreachable(reason);
      const onMessage = (message: { seq: number }) => seen.push(message.seq);
      const reader = await worker.journal.read({
        partition: one,
        fromSeq: 1,
        onMessage,
        onHead: () => undefined,
        onLost,
      });
      await expect.poll(() => one === 0 || seen.length === 2).toBe(true);
      await reader.close();
    }
    for await (const entry of worker.journal.readActor(john, {})) expect(entry.seq).toBeGreaterThanOrEqual(seq);
    await worker.journal.headSeq(partition);
    await worker.journal.firstSeqSince(partition, 0);
    await worker.journal.info();
    await worker.journal.purge(partition, seq);
    await worker.snapshots.save(partition, john, { seq, count: 1, hash: 'h', bytes: some }, 0);
    await worker.snapshots.load(partition, john);
    await worker.snapshots.history(partition, john);
    for await (const { address } of worker.snapshots.list({})) expect(address).toEqual(john);
    await worker.records.put('worker.a', 1, { ttlMs: 2_000 });
    await worker.records.list('worker');
    await worker.records.remove('worker.a');
    const due: number[] = [];
    await worker.ticks.read(partition, ({ token }) => due.push(token));
    await worker.ticks.schedule(partition, john, Date.now());
    await expect.poll(() => due.length).toBeGreaterThan(0);
    await worker.ticks.remove(partition, due[0]!);
    for await (const _ of worker.ticks.list({})) expect.unreachable('nothing is pending');
    await worker.ticks.cancel(partition, john);
    const letter = {
      seq,
      at: 1,
      address: john,
      code: 'X',
      message: 'x',
      verb: 'task',
      subject: 's',
      headers: {},
      payload: some,
    } as const;
    await worker.deadLetters.put(letter);
    for await (const { code } of worker.deadLetters.list({})) expect(code).toBe('X');
    expect(await worker.deadLetters.remove(seq)).toBe(true);
    await worker.bus.publishDurable('troupe.out.kept.john', some);
  });

  test('can not delete a stream, and is told so at once', async () => {
    await using worker = await portsOf('worker');
    const call = worker.bus.request('$JS.API.STREAM.DELETE.TROUPE_JOURNAL', some, { timeoutMs: 4_000 });
    expect(await kindOf(call)).toBe('denied');
  });
});

describe('a client', () => {
  test('may send tasks and signals to its types, and gets the acknowledgement', async () => {
    await using client = await portsOf('client');
    expect(await kindOf(client.journal.publish('task', john, some, {}))).toBe('allowed');
    expect(await kindOf(client.journal.publish('signal', john, some, {}))).toBe('allowed');
  });

  test('is answered by a worker, and reads the outs of its types', async () => {
    await using client = await portsOf('client');
    await using worker = await portsOf('worker');
    const outs: string[] = [];
    client.bus.subscribe('troupe.out.support.>', {}, ({ subject }) => outs.push(subject));
    worker.bus.subscribe('troupe.query.>', { queue: 'q' }, (message) => message.respond(some));
    await expect
      .poll(() => kindOf(client.bus.request('troupe.query.support.john', some, { timeoutMs: 1_000 })))
      .toBe('allowed');
    worker.bus.publish('troupe.out.support.john', some);
    await expect.poll(() => outs).toEqual(['troupe.out.support.john']);
  });

  test.each([
    ['a type that is not its own', 'troupe.task.order.john'],
    ['the event subject, where outcomes and asks travel', 'troupe.event.support.john'],
    ['the subject under which the journal stores', 'troupe.journal.0.task.support.john'],
    ['snapshots', 'troupe.snapshot.1.support.john'],
    ['ticks', 'troupe.tick.set.1.support.john'],
    ['records', 'troupe.record.partition.1'],
    ['dead letters', 'troupe.dead.support.john.1'],
    ['the control subject', 'troupe.control.drain'],
    ['the JetStream API', '$JS.API.STREAM.INFO.TROUPE_JOURNAL'],
    ["somebody else's inbox", '_INBOX.worker.x'],
  ])('is refused on %s', async (_, subject) => {
    await using client = await portsOf('client');
    expect(await kindOf(client.bus.request(subject, some, { timeoutMs: 4_000 }))).toBe('denied');
  });

  test('can not forge or wipe by headers', async () => {
    await using client = await portsOf('client');
    await using worker = await portsOf('worker');
    const before = (await worker.journal.info()).messages;
    const forged = { 'Nats-Schedule': '@at 2020-01-01T00:00:00Z', 'Nats-Schedule-Target': 'troupe.event.support.john' };
    for (const headers of [forged, { 'Nats-Rollup': 'all' }, { 'Nats-Rollup': 'sub' }, { 'Nats-TTL': '1s' }]) {
      await kindOf(client.journal.publish('task', john, some, headers));
    }
    expect((await worker.journal.info()).messages).toBeGreaterThanOrEqual(before);
    for await (const { verb } of worker.journal.readActor(john, {}))
      expect(['task', 'signal', 'event']).toContain(verb);
  });

  test('hears nothing of other types and of what is internal', async () => {
    await using client = await portsOf('client');
    await using worker = await portsOf('worker');
    const heard: string[] = [];
    for (const subject of ['troupe.>', 'troupe.out.order.>', 'troupe.event.>', '_INBOX.worker.>']) {
      client.bus.subscribe(subject, {}, (message) => heard.push(message.subject));
    }
    await worker.journal.append(john, { kind: 'tick' });
    worker.bus.publish('troupe.out.order.john', some);
    await worker.journal.headSeq(0);
    expect(heard).toEqual([]);
  });
});

test('docs/reference/permissions.md names every subject', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/permissions.md'), 'utf8');
  const inboxPrefix = '_INBOX.<user>';
  const defaults = resolveConfig({});
  const all = [
    workerPermissions(defaults, { inboxPrefix }),
    provisionerPermissions(defaults, { inboxPrefix }),
    clientPermissions(defaults, { inboxPrefix, types: ['<type>'] }),
  ];
  const missing = all
    .flatMap(({ publish, subscribe }) => [...publish, ...subscribe])
    .filter((s) => !page.includes(`\`${s}\``));
  expect([...new Set(missing)]).toEqual([]);
});
