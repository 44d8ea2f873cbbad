import assert from 'node:assert/strict';
import { encodeKey, type StoredMessage } from '@troupe/wire';
import type { ParkedEntry } from '../ports.ts';
import type { Suite } from './harness.ts';
import { bytes, collect, john, KEYS, range } from './samples.ts';

function entry(seq: number, changes: Partial<StoredMessage> = {}, done = false): ParkedEntry {
  const headers: Record<string, string> = { 'Troupe-Task-Id': `t-${seq}`, 'Nats-Rollup': 'all' };
  const message: StoredMessage = {
    seq,
    at: 1_700_000_000_000 + seq,
    verb: 'task',
    type: john.type,
    keyToken: encodeKey(john.key),
    payload: bytes(`{"n":${seq}}`),
    header: (name) => headers[name],
    headers: () => headers,
    ...changes,
  };
  return { message, done };
}

function plain(found: ParkedEntry | undefined): object | undefined {
  if (found === undefined) return undefined;
  const { seq, at, verb, type, keyToken, payload } = found.message;
  const headers = found.message.headers();
  return { seq, at, verb, type, keyToken, headers, payload: Uint8Array.from(payload), done: found.done };
}

/** Parked entries: one per journal sequence, kept whole until they are folded. */
export const parkingSuite: Suite = (example) => {
  example('an entry comes back whole, for every worker', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    const sent = entry(7, { payload: Uint8Array.from(range(256)), verb: 'event' }, true);
    await world.run(a.parking.put(3, sent));
    const found = await world.run(b.parking.get(3, john, 7));
    assert.deepEqual(plain(found), plain(sent));
    assert.equal(found!.message.header('Troupe-Task-Id'), 't-7');
    assert.equal(found!.message.header('Nothing'), undefined);
    assert.equal(await world.run(b.parking.get(3, john, 8)), undefined);
    assert.equal(await world.run(b.parking.get(4, john, 7)), undefined);
  });

  example('the first copy of a sequence stays, and is the only one', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    await world.run(a.parking.put(0, entry(7)));
    world.loseNextAck(b);
    await world.run(b.parking.put(0, entry(8)));
    await world.run(b.parking.put(0, entry(7, {}, true)));
    assert.equal((await world.run(a.parking.get(0, john, 7)))!.done, false);
    assert.deepEqual(await world.run(a.parking.seqs(0, john)), [7, 8]);
  });

  example('sequences are listed in order of number, whatever the order of storing', async (world) => {
    const ports = await world.connect();
    for (const seq of [10, 9, 100, 2]) await world.run(ports.parking.put(0, entry(seq)));
    assert.deepEqual(await world.run(ports.parking.seqs(0, john)), [2, 9, 10, 100]);
    assert.deepEqual(await world.run(ports.parking.seqs(0, { type: john.type, key: 'nobody' })), []);
  });

  example('everything is listed by partition and type, and not what is pinned', async (world) => {
    const ports = await world.connect();
    await world.run(ports.parking.put(0, entry(1)));
    await world.run(ports.parking.put(0, entry(2, { type: 'order' })));
    await world.run(ports.parking.put(1, entry(3)));
    await world.run(ports.parking.pin(0, john, { version: 1, hash: 'h' }));
    const list = async (filter: { partition?: number; type?: string }) =>
      (await world.run(collect(ports.parking.list(filter)))).map((one) => one.seq).sort();
    assert.deepEqual(await list({}), [1, 2, 3]);
    assert.deepEqual(await list({ partition: 0 }), [1, 2]);
    assert.deepEqual(await list({ partition: 0, type: 'support' }), [1]);
    assert.deepEqual(await list({ type: 'support' }), [1, 3]);
  });

  example('what is removed is gone, and the rest and its pinned code stay until the last', async (world) => {
    const ports = await world.connect();
    const other = { type: john.type, key: 'other' };
    for (const seq of [1, 2, 3]) await world.run(ports.parking.put(0, entry(seq)));
    await world.run(ports.parking.put(0, entry(4, { keyToken: 'other' })));
    await world.run(ports.parking.pin(0, john, { version: 1, hash: 'h' }));
    assert.equal(await world.run(ports.parking.remove(0, john, 2)), 1);
    assert.deepEqual(await world.run(ports.parking.seqs(0, john)), [3]);
    assert.deepEqual(await world.run(ports.parking.pinned(0, john)), { version: 1, hash: 'h' });
    assert.equal(await world.run(ports.parking.remove(0, john, 9)), 0);
    assert.deepEqual(await world.run(ports.parking.seqs(0, john)), []);
    assert.equal(await world.run(ports.parking.pinned(0, john)), undefined);
    assert.equal(await world.run(ports.parking.remove(0, john, 9)), 0);
    assert.deepEqual(await world.run(ports.parking.seqs(0, other)), [4]);
  });

  example('the first pinned code stays', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    assert.equal(await world.run(a.parking.pinned(0, john)), undefined);
    await world.run(a.parking.pin(0, john, { version: 1, hash: 'h' }));
    await world.run(b.parking.pin(0, john, { version: 2, hash: 'i' }));
    assert.deepEqual(await world.run(b.parking.pinned(0, john)), { version: 1, hash: 'h' });
  });

  example('every key is found again', async (world) => {
    const ports = await world.connect();
    for (const [i, key] of KEYS.entries()) {
      await world.run(ports.parking.put(0, entry(i + 1, { keyToken: encodeKey(key) })));
      const found = await world.run(ports.parking.get(0, { type: john.type, key }, i + 1));
      assert.equal(found!.message.keyToken, encodeKey(key));
    }
    const listed = (await world.run(collect(ports.parking.list({})))).map((one) => one.address.key);
    assert.deepEqual(listed.sort(), [...KEYS].sort());
  });
};
