import assert from 'node:assert/strict';
import { decodeInternal, decodeKey } from '@troupe/wire';
import type { Suite } from './harness.ts';
import { bytes, collect, john, KEYS, range, rejects, Told, textOf } from './samples.ts';

/** The journal: durable, ordered, read without gaps, purged by partition. */
export const journalSuite: Suite = (example) => {
  example('sequences grow with every append', async (world) => {
    const ports = await world.connect();
    const first = await world.run(ports.journal.append(john, { kind: 'tick' }));
    const second = await world.run(ports.journal.append(john, { kind: 'tick' }));
    assert.ok(first.seq >= 1);
    assert.ok(second.seq > first.seq);
  });

  example('an internal entry comes back as it was appended, without headers', async (world) => {
    const ports = await world.connect();
    const { seq } = await world.run(ports.journal.append(john, { kind: 'reset', by: 'anna' }));
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.messages.length === 1);
    const message = told.messages[0]!;
    assert.equal(message.seq, seq);
    assert.equal(message.verb, 'event');
    assert.deepEqual(decodeInternal(message.payload), { kind: 'reset', by: 'anna' });
    assert.deepEqual(message.headers(), {});
  });

  example('a task keeps its bytes, its headers and the time of the server', async (world) => {
    const ports = await world.connect();
    const payload = Uint8Array.from(range(256));
    const before = ports.clock.now();
    const headers = { 'Troupe-Task-Id': 't-1', traceparent: '00-x', 'X-Umlaut': 'grüße' };
    const { seq, duplicate } = await world.run(ports.journal.publish('task', john, payload, headers));
    assert.equal(duplicate, false);
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.messages.length === 1);
    const message = told.messages[0]!;
    assert.equal(message.seq, seq);
    assert.equal(message.verb, 'task');
    assert.deepEqual(Uint8Array.from(message.payload), payload);
    assert.equal(message.header('Troupe-Task-Id'), 't-1');
    assert.equal(message.header('troupe-task-id'), undefined);
    assert.equal(message.header('Troupe-Task'), undefined);
    assert.deepEqual(message.headers(), headers);
    assert.ok(Math.abs(message.at - before) < 10_000, `time of the entry is ${message.at}, was asked at ${before}`);
  });

  example('every key arrives in its one spelling, in the partition that partitionOf names', async (world) => {
    const ports = await world.connect();
    const readers = new Map<number, Told>();
    for (const key of KEYS) {
      const address = { type: 'support', key };
      const partition = ports.journal.partitionOf(address);
      if (!readers.has(partition)) {
        const told = new Told(partition);
        readers.set(partition, told);
        await world.run(ports.journal.read(told.options));
      }
      await world.run(ports.journal.publish('signal', address, bytes(key), {}));
    }
    const all = () => [...readers.values()].flatMap((told) => told.messages);
    await world.until(() => all().length === KEYS.length);
    for (const message of all()) {
      assert.equal(message.verb, 'signal');
      assert.equal(message.type, 'support');
      assert.equal(decodeKey(message.keyToken), textOf(message.payload));
    }
  });

  example('a reader hands over what is stored, in order, and then what comes', async (world) => {
    const ports = await world.connect();
    const other = await world.connect();
    const stored = await world.run(
      Promise.all(range(20).map((i) => ports.journal.publish('task', john, bytes(`${i}`), {}))),
    );
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.messages.length === 20);
    assert.deepEqual(
      told.seqs,
      stored.map(({ seq }) => seq).sort((a, b) => a - b),
    );
    const { seq } = await world.run(other.journal.append(john, { kind: 'tick' }));
    await world.until(() => told.messages.length === 21);
    assert.equal(told.seqs.at(-1), seq);
  });

  example('entries of one writer keep the order in which it sent them', async (world) => {
    const ports = await world.connect();
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.run(Promise.all(range(100).map((i) => ports.journal.publish('task', john, bytes(`${i}`), {}))));
    await world.until(() => told.messages.length === 100);
    assert.deepEqual(
      told.messages.map((message) => Number(textOf(message.payload))),
      range(100),
    );
  });

  example('a reader starts at the sequence that it asks for; 0 and 1 mean everything', async (world) => {
    const ports = await world.connect();
    const partition = ports.journal.partitionOf(john);
    const seqs: number[] = [];
    for (const _ of range(5)) seqs.push((await world.run(ports.journal.append(john, { kind: 'tick' }))).seq);
    const readers = [0, 1, seqs[2]!, seqs[4]! + 1].map((fromSeq) => new Told(partition, fromSeq));
    for (const told of readers) await world.run(ports.journal.read(told.options));
    await world.until(() => readers.every((told) => told.atHead));
    assert.deepEqual(
      readers.map((told) => told.seqs),
      [seqs, seqs, seqs.slice(2), []],
    );
  });

  example('the head of an empty partition is told without any entry', async (world) => {
    const ports = await world.connect();
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.atHead);
    assert.deepEqual(told.messages, []);
  });

  example('the head is told after the last entry and never before it', async (world) => {
    const ports = await world.connect();
    const last = (await world.run(Promise.all(range(30).map(() => ports.journal.append(john, { kind: 'tick' }))))).at(
      -1,
    )!;
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.atHead);
    assert.equal(told.events.at(-2), last.seq);
    assert.equal(told.events.indexOf('head'), told.events.length - 1);
  });

  example('two readers of a partition each get everything', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    const partition = a.journal.partitionOf(john);
    const readers = [new Told(partition), new Told(partition)];
    await world.run(a.journal.read(readers[0]!.options));
    await world.run(b.journal.read(readers[1]!.options));
    await world.run(Promise.all(range(10).map(() => a.journal.append(john, { kind: 'tick' }))));
    await world.until(() => readers.every((told) => told.messages.length === 10));
    assert.deepEqual(readers[0]!.seqs, readers[1]!.seqs);
  });

  example('a reader gets only the entries of its partition', async (world) => {
    const ports = await world.connect();
    const mine = ports.journal.partitionOf(john);
    const other = range(1_000)
      .map((i) => ({ type: 'support', key: `k${i}` }))
      .find((address) => ports.journal.partitionOf(address) !== mine)!;
    await world.run(ports.journal.append(other, { kind: 'tick' }));
    const { seq } = await world.run(ports.journal.append(john, { kind: 'tick' }));
    const told = new Told(mine);
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.atHead);
    assert.deepEqual(told.seqs, [seq]);
  });

  example('a paused reader hands over nothing, and after resuming everything once', async (world) => {
    const ports = await world.connect();
    const told = new Told(ports.journal.partitionOf(john));
    const reader = await world.run(ports.journal.read(told.options));
    reader.pause();
    reader.pause();
    const stored = await world.run(Promise.all(range(1_500).map(() => ports.journal.append(john, { kind: 'tick' }))));
    await world.pass(200);
    assert.deepEqual(told.seqs, []);
    reader.resume();
    await world.until(() => told.messages.length === 1_500);
    assert.deepEqual(
      told.seqs,
      stored.map(({ seq }) => seq).sort((a, b) => a - b),
    );
  });

  example('pausing inside onMessage holds from the next entry on', async (world) => {
    const ports = await world.connect();
    const told: Told = new Told(ports.journal.partitionOf(john), 1, () => {
      if (told.messages.length % 3 === 0) reader.pause();
    });
    const reader = await world.run(ports.journal.read(told.options));
    await world.run(Promise.all(range(10).map(() => ports.journal.append(john, { kind: 'tick' }))));
    for (const count of [3, 6, 9]) {
      await world.until(() => told.messages.length === count);
      await world.pass(50);
      assert.equal(told.messages.length, count);
      reader.resume();
    }
    await world.until(() => told.atHead);
    assert.equal(told.messages.length, 10);
  });

  example('a closed reader hands over nothing more; closing twice is fine', async (world) => {
    const ports = await world.connect();
    const told = new Told(ports.journal.partitionOf(john));
    const reader = await world.run(ports.journal.read(told.options));
    await world.run(reader.close());
    await world.run(reader.close());
    await world.run(ports.journal.append(john, { kind: 'tick' }));
    await world.pass(100);
    assert.deepEqual(told.seqs, []);
    assert.equal(told.lost, undefined);
  });

  example('thousands of entries come in order and once', async (world) => {
    const ports = await world.connect();
    const count = 3_000;
    await world.run(Promise.all(range(count).map((i) => ports.journal.publish('task', john, bytes(`${i}`), {}))));
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.atHead && told.messages.length === count);
    assert.deepEqual(
      told.seqs,
      [...new Set(told.seqs)].sort((a, b) => a - b),
    );
  });

  example('the head sequence is 0 for nothing, and reflects what another worker just wrote', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    const partition = a.journal.partitionOf(john);
    assert.equal(await world.run(b.journal.headSeq(partition)), 0);
    for (const _ of range(20)) {
      const { seq } = await world.run(a.journal.append(john, { kind: 'tick' }));
      assert.equal(await world.run(b.journal.headSeq(partition)), seq);
    }
  });

  example('a purge removes the entries of its partition below the sequence, and says how many', async (world) => {
    const ports = await world.connect();
    const partition = ports.journal.partitionOf(john);
    const other = range(1_000)
      .map((i) => ({ type: 'support', key: `k${i}` }))
      .find((address) => ports.journal.partitionOf(address) !== partition)!;
    await world.run(ports.journal.append(other, { kind: 'tick' }));
    const seqs: number[] = [];
    for (const _ of range(6)) seqs.push((await world.run(ports.journal.append(john, { kind: 'tick' }))).seq);
    assert.equal(await world.run(ports.journal.purge(partition, seqs[4]!)), 4);
    assert.equal(await world.run(ports.journal.purge(partition, seqs[4]!)), 0);
    const told = new Told(partition);
    const untouched = new Told(ports.journal.partitionOf(other));
    await world.run(ports.journal.read(told.options));
    await world.run(ports.journal.read(untouched.options));
    await world.until(() => told.atHead && untouched.atHead);
    assert.deepEqual(told.seqs, seqs.slice(4));
    assert.equal(untouched.messages.length, 1);
    assert.equal(await world.run(ports.journal.headSeq(partition)), seqs[5]);
  });

  example('sequences go on after everything was purged', async (world) => {
    const ports = await world.connect();
    const partition = ports.journal.partitionOf(john);
    const { seq } = await world.run(ports.journal.append(john, { kind: 'tick' }));
    await world.run(ports.journal.purge(partition, seq + 1));
    const next = await world.run(ports.journal.append(john, { kind: 'tick' }));
    assert.ok(next.seq > seq);
  });

  example(
    'a purge that overtakes a reader leaves it in order or lost, never with an old entry after a new one',
    async (world) => {
      const ports = await world.connect();
      const partition = ports.journal.partitionOf(john);
      const told: Told = new Told(partition, 1, () => {
        if (told.messages.length === 1) reader.pause();
      });
      const reader = await world.run(ports.journal.read(told.options));
      const stored = await world.run(Promise.all(range(2_000).map(() => ports.journal.append(john, { kind: 'tick' }))));
      await world.until(() => told.messages.length === 1);
      const cut = Math.max(...stored.map(({ seq }) => seq)) - 10;
      await world.run(ports.journal.purge(partition, cut));
      reader.resume();
      await world.until(() => told.atHead || told.lost !== undefined);
      assert.deepEqual(
        told.seqs,
        [...new Set(told.seqs)].sort((a, b) => a - b),
      );
    },
  );

  example('the first sequence since a time is found, or one past the head', async (world) => {
    const ports = await world.connect();
    const partition = ports.journal.partitionOf(john);
    assert.equal(await world.run(ports.journal.firstSeqSince(partition, 0)), 1);
    const early = await world.run(ports.journal.append(john, { kind: 'tick' }));
    await world.pass(100);
    const between = ports.clock.now();
    await world.pass(100);
    const late = await world.run(ports.journal.append(john, { kind: 'tick' }));
    assert.equal(await world.run(ports.journal.firstSeqSince(partition, 0)), early.seq);
    assert.equal(await world.run(ports.journal.firstSeqSince(partition, between)), late.seq);
    assert.equal(await world.run(ports.journal.firstSeqSince(partition, ports.clock.now() + 60_000)), late.seq + 1);
  });

  example("one actor's entries can be read by range", async (world) => {
    const ports = await world.connect();
    const neighbour = { type: 'support', key: 'john2' };
    const seqs: number[] = [];
    for (const _ of range(5)) {
      seqs.push((await world.run(ports.journal.append(john, { kind: 'tick' }))).seq);
      await world.run(ports.journal.append(neighbour, { kind: 'tick' }));
    }
    const read = async (fromSeq?: number, toSeq?: number, last?: number): Promise<number[]> => {
      const limits = {
        ...(fromSeq !== undefined && { fromSeq }),
        ...(toSeq !== undefined && { toSeq }),
        ...(last !== undefined && { last }),
      };
      return (await world.run(collect(ports.journal.readActor(john, limits)))).map(({ seq }) => seq);
    };
    assert.deepEqual(await read(), seqs);
    assert.deepEqual(await read(seqs[1], seqs[3]), seqs.slice(1, 4));
    assert.deepEqual(await read(seqs[4]! + 100), []);
    assert.deepEqual(await read(undefined, undefined, 2), seqs.slice(-2));
    assert.deepEqual(await read(undefined, seqs[3], 2), seqs.slice(2, 4));
    assert.deepEqual(await read(seqs[3], undefined, 3), seqs.slice(3));
    assert.deepEqual(await read(undefined, undefined, 100), seqs);
    assert.deepEqual(await read(undefined, undefined, 0), []);
    assert.deepEqual(await read(seqs[4]! + 100, undefined, 1), []);
    assert.deepEqual(await world.run(collect(ports.journal.readActor({ type: 'support', key: 'nobody' }, {}))), []);
  });

  example('what names no actor is read in partition 0, so that nothing acknowledged disappears', async (world) => {
    const ports = await world.connect();
    const subject = `${world.subjects.prefix}.task.support.john.doe`;
    await world.publishRaw(subject, bytes('lost?'), { 'X-A': '1' });
    const told = new Told(0);
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.messages.length === 1);
    const message = told.messages[0]!;
    assert.deepEqual([message.verb, message.type, message.keyToken], ['task', 'support', 'john.doe']);
    assert.equal(message.header('X-A'), '1');
    assert.equal(await world.run(ports.journal.headSeq(0)), message.seq);
    assert.equal(await world.run(ports.journal.purge(0, message.seq + 1)), 1);
  });

  example('an entry over the limit is refused as too large', async (world) => {
    const ports = await world.connect();
    const payload = new Uint8Array(ports.bus.payloadBytesMax + 1);
    await rejects(world.run(ports.journal.publish('task', john, payload, {})), 'too-large');
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.atHead);
    assert.deepEqual(told.seqs, []);
  });

  example(
    'a full journal refuses more, and keeps what it has',
    async (world) => {
      const ports = await world.connect();
      const payload = new Uint8Array(8_000);
      let accepted = 0;
      const fill = async (): Promise<void> => {
        for (const _ of range(100)) {
          await ports.journal.publish('task', john, payload, {});
          accepted++;
        }
      };
      await rejects(world.run(fill()), 'full');
      assert.ok(accepted > 1);
      const info = await world.run(ports.journal.info());
      assert.equal(info.messages, accepted);
      assert.equal(info.bytesMax, 100_000);
      assert.ok(info.bytes <= info.bytesMax && info.bytes > 50_000);
    },
    { journalBytesMax: 100_000 },
  );

  example('info counts what is stored', async (world) => {
    const ports = await world.connect();
    assert.equal((await world.run(ports.journal.info())).messages, 0);
    await world.run(ports.journal.append(john, { kind: 'tick' }));
    const { seq } = await world.run(ports.journal.append(john, { kind: 'tick' }));
    const info = await world.run(ports.journal.info());
    assert.deepEqual([info.messages, info.lastSeq, info.firstSeq], [2, seq, 1]);
    assert.ok(info.bytes > 0);
  });

  example('a lost acknowledgement rejects the append, which is stored once or not at all', async (world) => {
    const ports = await world.connect();
    await world.run(ports.journal.append(john, { kind: 'reset', by: 'first' }));
    world.loseNextAck(ports);
    await rejects(world.run(ports.journal.append(john, { kind: 'reset', by: 'second' })), 'timeout', 'disconnected');
    await world.run(ports.journal.append(john, { kind: 'reset', by: 'third' }));
    const told = new Told(ports.journal.partitionOf(john));
    await world.run(ports.journal.read(told.options));
    await world.until(() => told.atHead);
    const by = told.messages.map((message) => (decodeInternal(message.payload) as { by: string }).by);
    assert.deepEqual([...new Set(by)], by);
    assert.equal(by.at(-1), 'third');
  });

  example('a partition that does not exist is refused', async (world) => {
    const ports = await world.connect();
    const told = new Told(ports.journal.partitions);
    await rejects(world.run(ports.journal.read(told.options)), 'other');
    await rejects(world.run(ports.journal.headSeq(-1)), 'other');
  });

  example('a header with a line break is refused', async (world) => {
    const ports = await world.connect();
    await rejects(world.run(ports.journal.publish('task', john, bytes('x'), { 'X-A': 'a\r\nX-B: b' })), 'other');
    await rejects(world.run(ports.journal.publish('task', john, bytes('x'), { 'X A:': 'a' })), 'other');
  });
};
