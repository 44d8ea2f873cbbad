import assert from 'node:assert/strict';
import type { Suite } from './harness.ts';
import { bytes, john, range, rejects, Told } from './samples.ts';

/** What holds when the server goes away and comes back, and when the ports are closed. */
export const connectionSuite: Suite = (example) => {
  example('losing and getting back the connection is told', async (world) => {
    const ports = await world.connect();
    const told: boolean[] = [];
    const listener = ports.bus.onStatus((connected) => told.push(connected));
    assert.equal(ports.bus.connected, true);
    await world.stopServer();
    await world.until(() => told.length === 1);
    assert.equal(ports.bus.connected, false);
    await world.startServer();
    await world.until(() => told.length === 2, 15_000);
    assert.deepEqual(told, [false, true]);
    assert.equal(ports.bus.connected, true);
    listener.close();
  });

  example('what was acknowledged is still there after the server died', async (world) => {
    const ports = await world.connect();
    const partition = ports.journal.partitionOf(john);
    const stored = await world.run(Promise.all(range(50).map(() => ports.journal.append(john, { kind: 'tick' }))));
    const saved = await world.run(
      ports.snapshots.save(partition, john, { seq: 1, count: 1, hash: 'h', bytes: bytes('s') }, 0),
    );
    await world.run(ports.records.put('partition.1', { owner: 'a' }));
    await world.stopServer();
    await world.startServer();
    const told = new Told(partition);
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.messages.length === 50);
    assert.deepEqual(
      told.seqs,
      stored.map(({ seq }) => seq).sort((a, b) => a - b),
    );
    assert.equal(
      (await world.run(ports.snapshots.load(partition, john)))!.revision,
      saved.kind === 'saved' && saved.revision,
    );
    assert.deepEqual((await world.run(ports.records.get('partition.1')))!.value, { owner: 'a' });
  });

  example('a reader goes on after the server came back, without a gap and without repeating', async (world) => {
    const ports = await world.connect();
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    const seqs: number[] = [];
    for (const _ of range(3)) {
      const stored = await world.run(Promise.all(range(20).map(() => ports.journal.append(john, { kind: 'tick' }))));
      seqs.push(...stored.map(({ seq }) => seq).sort((a, b) => a - b));
      await world.stopServer();
      await world.startServer();
    }
    const last = await world.run(ports.journal.append(john, { kind: 'tick' }));
    await world.until(() => told.seqs.includes(last.seq), 15_000);
    assert.deepEqual(told.seqs, [...seqs, last.seq]);
    assert.equal(told.lost, undefined);
  });

  example('a call made while the server is away is sent when it is back', async (world) => {
    const ports = await world.connect();
    await world.stopServer();
    await world.until(() => !ports.bus.connected);
    const call = ports.journal.append(john, { kind: 'tick' });
    call.catch(() => undefined);
    await world.pass(300);
    await world.startServer();
    const { seq } = await world.run(call);
    assert.equal(await world.run(ports.journal.headSeq(ports.journal.partitionOf(john))), seq);
  });

  example('calls end within their deadline while the server stays away', async (world) => {
    const ports = await world.connect();
    const partition = ports.journal.partitionOf(john);
    const told = new Told(partition);
    await world.stopServer();
    await world.until(() => !ports.bus.connected);
    const startedAt = ports.clock.monotonic();
    const calls = [
      ports.journal.append(john, { kind: 'tick' }),
      ports.journal.headSeq(partition),
      ports.journal.read(told.options),
      ports.snapshots.load(partition, john),
      ports.snapshots.save(partition, john, { seq: 1, count: 1, hash: 'h', bytes: bytes('s') }, 0),
      ports.records.get('a'),
      ports.records.put('a', 1),
      ports.records.list('a'),
      ports.ticks.schedule(partition, john, ports.clock.now()),
      ports.deadLetters.get(1),
      ports.bus.request('a', bytes('x'), { timeoutMs: 1_000 }),
    ];
    const results = await world.run(Promise.allSettled(calls));
    assert.ok(ports.clock.monotonic() - startedAt < 8_000, `took ${ports.clock.monotonic() - startedAt} ms`);
    for (const result of results) {
      assert.equal(result.status, 'rejected');
      await rejects(Promise.reject(result.status === 'rejected' && result.reason), 'disconnected', 'timeout');
    }
    await world.startServer();
  });

  example('publishing to the bus while the server is away is dropped silently', async (world) => {
    const ports = await world.connect();
    let count = 0;
    ports.bus.subscribe('a', {}, () => count++);
    await world.stopServer();
    await world.until(() => !ports.bus.connected);
    for (const _ of range(100)) ports.bus.publish('a', bytes('x'));
    await world.startServer();
    await world.until(() => ports.bus.connected, 15_000);
    await world.pass(300);
    assert.equal(count, 0);
    ports.bus.publish('a', bytes('x'));
    await world.until(() => count === 1);
  });

  example('closed ports refuse every call', async (world) => {
    const ports = await world.connect();
    const told = new Told(0);
    await world.run(ports.journal.read(told.options));
    await world.run(ports.close());
    await world.run(ports.close());
    await rejects(world.run(ports.journal.append(john, { kind: 'tick' })), 'closed');
    await rejects(world.run(ports.snapshots.load(0, john)), 'closed');
    await rejects(world.run(ports.records.put('a', 1)), 'closed');
    await rejects(world.run(ports.bus.request('a', bytes('x'), { timeoutMs: 100 })), 'closed');
    assert.equal(told.lost, undefined);
  });
};
