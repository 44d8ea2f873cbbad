import assert from 'node:assert/strict';
import type { Suite } from './harness.ts';
import { bytes, collect, john, KEYS, range, rejects, textOf } from './samples.ts';

/** A snapshot that stands for `seq`. */
function at(seq: number): { seq: number; count: number; hash: string; bytes: Uint8Array } {
  return { seq, count: seq * 2, hash: `h${seq}`, bytes: bytes(`state ${seq}`) };
}

/** Snapshots: compare-and-set, read from the leader, ten kept. */
export const snapshotSuite: Suite = (example) => {
  example('an actor that never had a snapshot has none', async (world) => {
    const ports = await world.connect();
    assert.equal(await world.run(ports.snapshots.load(3, john)), undefined);
    assert.deepEqual(await world.run(ports.snapshots.history(3, john)), []);
  });

  example('what one worker saved, another loads at once, whatever the key', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    for (const key of KEYS) {
      const address = { type: 'support', key };
      const saved = await world.run(a.snapshots.save(3, address, { ...at(7), bytes: bytes(key) }, 0));
      assert.equal(saved.kind, 'saved');
      const loaded = await world.run(b.snapshots.load(3, address));
      assert.equal(textOf(loaded!.bytes), key);
      assert.deepEqual([loaded!.seq, loaded!.count, loaded!.hash], [7, 14, 'h7']);
      assert.equal(loaded!.revision, saved.kind === 'saved' && saved.revision);
      assert.ok(Math.abs(loaded!.at - a.clock.now()) < 10_000);
    }
  });

  example('a second snapshot needs the revision of the first', async (world) => {
    const ports = await world.connect();
    const first = await world.run(ports.snapshots.save(3, john, at(1), 0));
    assert.ok(first.kind === 'saved');
    const second = await world.run(ports.snapshots.save(3, john, at(2), first.revision));
    assert.ok(second.kind === 'saved' && second.revision > first.revision);
    assert.deepEqual(await world.run(ports.snapshots.save(3, john, at(9), first.revision)), { kind: 'conflict' });
    assert.deepEqual(await world.run(ports.snapshots.save(3, john, at(9), 0)), { kind: 'conflict' });
    assert.equal((await world.run(ports.snapshots.load(3, john)))!.seq, 2);
  });

  example('of many writers at once exactly one saves', async (world) => {
    const workers = [await world.connect(), await world.connect()];
    for (const round of range(5)) {
      const address = { type: 'support', key: `k${round}` };
      const results = await world.run(
        Promise.all(range(10).map((i) => workers[i % 2]!.snapshots.save(3, address, at(i), 0))),
      );
      assert.equal(results.filter(({ kind }) => kind === 'saved').length, 1);
    }
  });

  example('the revision that was read can be written over, whoever wrote it', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    await world.run(a.snapshots.save(3, john, at(1), 0));
    const read = await world.run(b.snapshots.load(3, john));
    assert.equal((await world.run(b.snapshots.save(3, john, at(2), read!.revision))).kind, 'saved');
  });

  example('the ten newest are kept, newest first', async (world) => {
    const ports = await world.connect();
    let revision = 0;
    for (const seq of range(13, 1)) {
      const saved = await world.run(ports.snapshots.save(3, john, at(seq), revision));
      assert.ok(saved.kind === 'saved');
      revision = saved.revision;
    }
    const history = await world.run(ports.snapshots.history(3, john));
    assert.deepEqual(
      history.map(({ seq }) => seq),
      range(10, 4).reverse(),
    );
    assert.equal(textOf(history[0]!.bytes), 'state 13');
    assert.deepEqual(history[0], await world.run(ports.snapshots.load(3, john)));
  });

  example('bytes of any kind come back, also none', async (world) => {
    const ports = await world.connect();
    for (const [i, payload] of [
      new Uint8Array(0),
      Uint8Array.from(range(256)),
      new Uint8Array(700_000).fill(7),
    ].entries()) {
      const address = { type: 'support', key: `k${i}` };
      await world.run(ports.snapshots.save(3, address, { ...at(1), bytes: payload }, 0));
      const loaded = await world.run(ports.snapshots.load(3, address));
      assert.deepEqual(Uint8Array.from(loaded!.bytes), payload);
    }
  });

  example('later changes of the given bytes do not reach the store', async (world) => {
    const ports = await world.connect();
    const payload = bytes('before');
    await world.run(ports.snapshots.save(3, john, { ...at(1), bytes: payload }, 0));
    payload.fill(0);
    assert.equal(textOf((await world.run(ports.snapshots.load(3, john)))!.bytes), 'before');
  });

  example('a lost acknowledgement is resolved by reading back', async (world) => {
    const ports = await world.connect();
    const first = await world.run(ports.snapshots.save(3, john, at(1), 0));
    assert.ok(first.kind === 'saved');
    world.loseNextAck(ports);
    const second = await world.run(ports.snapshots.save(3, john, at(2), first.revision));
    const loaded = await world.run(ports.snapshots.load(3, john));
    assert.deepEqual(second, { kind: 'saved', revision: loaded!.revision });
    assert.equal(loaded!.seq, 2);
    assert.equal((await world.run(ports.snapshots.history(3, john))).length, 2);
  });

  example('a snapshot over the limit is refused as too large', async (world) => {
    const ports = await world.connect();
    const tooMuch = { ...at(1), bytes: new Uint8Array(ports.bus.payloadBytesMax + 1) };
    await rejects(world.run(ports.snapshots.save(3, john, tooMuch, 0)), 'too-large');
    assert.equal(await world.run(ports.snapshots.load(3, john)), undefined);
  });

  example('actors with a snapshot are listed by type and partition', async (world) => {
    const ports = await world.connect();
    const saved = [
      { partition: 1, address: { type: 'order', key: 'a.b' } },
      { partition: 1, address: { type: 'support', key: 'john' } },
      { partition: 2, address: { type: 'order', key: 'grüße' } },
    ];
    for (const { partition, address } of saved) await world.run(ports.snapshots.save(partition, address, at(1), 0));
    const list = async (filter: { type?: string; partition?: number }) => {
      const found = await world.run(collect(ports.snapshots.list(filter)));
      return found.sort((x, y) => x.partition - y.partition || x.address.type.localeCompare(y.address.type));
    };
    assert.deepEqual(await list({}), saved);
    assert.deepEqual(await list({ type: 'order' }), [saved[0], saved[2]]);
    assert.deepEqual(await list({ partition: 1 }), [saved[0], saved[1]]);
    assert.deepEqual(await list({ type: 'order', partition: 2 }), [saved[2]]);
    assert.deepEqual(await list({ type: 'nobody' }), []);
  });
};
