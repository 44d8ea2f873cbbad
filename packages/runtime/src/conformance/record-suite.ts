import assert from 'node:assert/strict';
import type { Suite } from './harness.ts';
import { range, rejects } from './samples.ts';

/** Records: compare-and-set, expiry by the server, lists as fresh as the leader. */
export const recordSuite: Suite = (example) => {
  example('a key that was never written has no record', async (world) => {
    const ports = await world.connect();
    assert.equal(await world.run(ports.records.get('worker.a')), undefined);
    assert.equal((await world.run(ports.records.list('worker'))).size, 0);
  });

  example('a value comes back as another of the same content, at once, for every worker', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    const value = { id: 'w', types: { support: 3 }, list: [1, 'x', null, true], at: new Date(5), big: 2n ** 60n };
    const saved = await world.run(a.records.put('worker.w', value));
    assert.ok(saved.kind === 'saved');
    assert.deepEqual(await world.run(b.records.get('worker.w')), { revision: saved.revision, value });
  });

  example('revision 0 means that there must be none', async (world) => {
    const ports = await world.connect();
    const first = await world.run(ports.records.put('partition.1', 'a', { expectedRevision: 0 }));
    assert.ok(first.kind === 'saved');
    assert.deepEqual(await world.run(ports.records.put('partition.1', 'b', { expectedRevision: 0 })), {
      kind: 'conflict',
    });
    const second = await world.run(ports.records.put('partition.1', 'b', { expectedRevision: first.revision }));
    assert.ok(second.kind === 'saved' && second.revision > first.revision);
    const stale = await world.run(ports.records.put('partition.1', 'c', { expectedRevision: first.revision }));
    assert.deepEqual(stale, { kind: 'conflict' });
    assert.equal((await world.run(ports.records.get('partition.1')))!.value, 'b');
  });

  example('without an expected revision the last write wins', async (world) => {
    const ports = await world.connect();
    for (const value of ['a', 'b']) assert.equal((await world.run(ports.records.put('k', value))).kind, 'saved');
    assert.equal((await world.run(ports.records.get('k')))!.value, 'b');
  });

  example('of many claims at once exactly one succeeds', async (world) => {
    const workers = [await world.connect(), await world.connect()];
    for (const round of range(5)) {
      const claims = range(10).map((i) =>
        workers[i % 2]!.records.put(`partition.${round}`, i, { expectedRevision: 0 }),
      );
      const results = await world.run(Promise.all(claims));
      const winner = results.findIndex(({ kind }) => kind === 'saved');
      assert.equal(results.filter(({ kind }) => kind === 'saved').length, 1);
      assert.equal((await world.run(workers[0]!.records.get(`partition.${round}`)))!.value, winner);
    }
  });

  example('a record with a TTL lives at least that long, and then is gone', async (world) => {
    const ports = await world.connect();
    await world.run(ports.records.put('worker.a', 1, { ttlMs: 1_500 }));
    await world.run(ports.records.put('worker.b', 2));
    await world.pass(1_300);
    assert.equal((await world.run(ports.records.get('worker.a')))?.value, 1);
    await world.pass(1_700);
    assert.equal(await world.run(ports.records.get('worker.a')), undefined);
    assert.deepEqual([...(await world.run(ports.records.list('worker'))).keys()], ['worker.b']);
  });

  example('a renewed record does not uncover the one before it when it expires', async (world) => {
    const ports = await world.connect();
    await world.run(ports.records.put('worker.a', 'long', { ttlMs: 20_000 }));
    await world.run(ports.records.put('worker.a', 'short', { ttlMs: 1_000 }));
    await world.pass(2_500);
    assert.equal(await world.run(ports.records.get('worker.a')), undefined);
  });

  example('a renewed record lives on, under a new revision', async (world) => {
    const ports = await world.connect();
    const first = await world.run(ports.records.put('worker.a', 1, { ttlMs: 1_000 }));
    assert.ok(first.kind === 'saved');
    await world.pass(600);
    const second = await world.run(
      ports.records.put('worker.a', 2, { ttlMs: 3_000, expectedRevision: first.revision }),
    );
    assert.ok(second.kind === 'saved');
    await world.pass(1_500);
    assert.deepEqual(await world.run(ports.records.get('worker.a')), { revision: second.revision, value: 2 });
  });

  example('whose record expired can not renew it, and anybody may take the key', async (world) => {
    const ports = await world.connect();
    const first = await world.run(ports.records.put('worker.a', 1, { ttlMs: 1_000 }));
    assert.ok(first.kind === 'saved');
    await world.pass(2_500);
    const renewed = await world.run(ports.records.put('worker.a', 2, { expectedRevision: first.revision }));
    assert.deepEqual(renewed, { kind: 'conflict' });
    assert.equal((await world.run(ports.records.put('worker.a', 3, { expectedRevision: 0 }))).kind, 'saved');
  });

  example('a removed record is gone, and removing nothing is fine', async (world) => {
    const ports = await world.connect();
    await world.run(ports.records.put('worker.a', 1));
    await world.run(ports.records.remove('worker.a'));
    await world.run(ports.records.remove('worker.a'));
    assert.equal(await world.run(ports.records.get('worker.a')), undefined);
    assert.equal((await world.run(ports.records.put('worker.a', 2, { expectedRevision: 0 }))).kind, 'saved');
  });

  example('a list holds what is under its prefix, token by token', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    for (const key of ['worker', 'worker.a', 'worker.b.c', 'workers.x', 'partition.1']) {
      await world.run(a.records.put(key, key));
    }
    assert.deepEqual([...(await world.run(b.records.list('worker'))).keys()], ['worker', 'worker.a', 'worker.b.c']);
    assert.equal((await world.run(b.records.list(''))).size, 5);
    assert.equal((await world.run(b.records.list('worker'))).get('worker.a')!.value, 'worker.a');
  });

  example('hundreds of records are listed whole', async (world) => {
    const ports = await world.connect();
    await world.run(Promise.all(range(300).map((i) => ports.records.put(`partition.${i}`, i))));
    const list = await world.run(ports.records.list('partition'));
    assert.equal(list.size, 300);
    assert.equal(list.get('partition.299')!.value, 299);
  });

  example('a lost acknowledgement is resolved by reading back', async (world) => {
    const ports = await world.connect();
    world.loseNextAck(ports);
    const saved = await world.run(ports.records.put('partition.1', 'mine', { expectedRevision: 0 }));
    const stored = await world.run(ports.records.get('partition.1'));
    assert.deepEqual(stored, { revision: saved.kind === 'saved' && saved.revision, value: 'mine' });
  });

  example('keys and TTLs that the store can not keep are refused', async (world) => {
    const ports = await world.connect();
    for (const key of ['', 'a..b', 'a.*', 'a b', '.a', 'grüße'])
      await rejects(world.run(ports.records.get(key)), 'other');
    await rejects(world.run(ports.records.put('a', 1, { ttlMs: 999 })), 'other');
  });
};
