import assert from 'node:assert/strict';
import { type ActorAddress, sameAddress } from '@troupe/wire';
import type { Ports } from '../ports.ts';
import type { Harness, Suite } from './harness.ts';
import { collect, john, KEYS } from './samples.ts';

/** How late the server may be, ms; measured are up to 262. */
const LATE_MAX_MS = 1_500;
const PARTITION = 3;

interface Due {
  readonly address: ActorAddress;
  readonly token: number;
}

async function readDue(
  world: Harness,
  ports: Ports,
  partition = PARTITION,
): Promise<{ due: Due[]; close(): Promise<void> }> {
  const due: Due[] = [];
  const reader = await world.run(ports.ticks.read(partition, (tick) => due.push(tick)));
  return { due, close: () => world.run(reader.close()) };
}

/** Ticks: kept by the server, handed over until removed. */
export const tickSuite: Suite = (example) => {
  example('a wake-up comes when it is due, not before', async (world) => {
    const ports = await world.connect();
    const { due } = await readDue(world, ports);
    const dueAt = ports.clock.now() + 1_000;
    await world.run(ports.ticks.schedule(PARTITION, john, dueAt));
    await world.pass(700);
    assert.equal(due.length, 0);
    await world.until(() => due.length === 1, LATE_MAX_MS);
    assert.ok(ports.clock.now() >= dueAt);
    assert.deepEqual(
      due.map(({ address }) => address),
      [john],
    );
  });

  example('one that is past due comes at once', async (world) => {
    const ports = await world.connect();
    const { due } = await readDue(world, ports);
    await world.run(ports.ticks.schedule(PARTITION, john, ports.clock.now() - 60_000));
    await world.until(() => due.length === 1, LATE_MAX_MS);
  });

  example('every key is woken by its own name', async (world) => {
    const ports = await world.connect();
    const { due } = await readDue(world, ports);
    for (const key of KEYS)
      await world.run(ports.ticks.schedule(PARTITION, { type: 'support', key }, ports.clock.now()));
    await world.until(() => due.length === KEYS.length, 2 * LATE_MAX_MS);
    assert.deepEqual(due.map(({ address }) => address.key).sort(), [...KEYS].sort());
  });

  example('setting it again moves it, later and earlier', async (world) => {
    const ports = await world.connect();
    const other = { type: 'support', key: 'other' };
    const { due } = await readDue(world, ports);
    const now = ports.clock.now();
    await world.run(ports.ticks.schedule(PARTITION, john, now + 500));
    await world.run(ports.ticks.schedule(PARTITION, john, now + 60_000));
    await world.run(ports.ticks.schedule(PARTITION, other, now + 60_000));
    await world.run(ports.ticks.schedule(PARTITION, other, now + 500));
    await world.until(() => due.length === 1, 500 + LATE_MAX_MS);
    await world.pass(500);
    assert.deepEqual(
      due.map(({ address }) => address),
      [other],
    );
  });

  example('a cancelled one does not come; cancelling nothing is fine', async (world) => {
    const ports = await world.connect();
    const { due } = await readDue(world, ports);
    await world.run(ports.ticks.cancel(PARTITION, john));
    await world.run(ports.ticks.schedule(PARTITION, john, ports.clock.now() + 500));
    await world.run(ports.ticks.cancel(PARTITION, john));
    await world.pass(1_200);
    assert.deepEqual(due, []);
    await world.run(ports.ticks.schedule(PARTITION, john, ports.clock.now()));
    await world.until(() => due.length === 1, LATE_MAX_MS);
  });

  example('what came due while nobody read is handed to who reads then', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    await world.run(a.ticks.schedule(PARTITION, john, a.clock.now() + 200));
    await world.pass(1_000);
    const { due } = await readDue(world, b);
    await world.until(() => due.length === 1);
    assert.deepEqual(due[0]!.address, john);
  });

  example('what is not removed is handed to the next reader too, what is removed is not', async (world) => {
    const [a, b, c] = [await world.connect(), await world.connect(), await world.connect()];
    const first = await readDue(world, a);
    await world.run(a.ticks.schedule(PARTITION, john, a.clock.now()));
    await world.until(() => first.due.length === 1, LATE_MAX_MS);
    await first.close();
    const second = await readDue(world, b);
    await world.until(() => second.due.length === 1);
    assert.deepEqual(second.due, first.due);
    await world.run(b.ticks.remove(PARTITION, second.due[0]!.token));
    await world.run(b.ticks.remove(PARTITION, second.due[0]!.token));
    const third = await readDue(world, c);
    await world.pass(500);
    assert.deepEqual(third.due, []);
  });

  example('one that nobody removes is handed over again after a while', async (world) => {
    const ports = await world.connect();
    const { due } = await readDue(world, ports);
    await world.run(ports.ticks.schedule(PARTITION, john, ports.clock.now()));
    await world.until(() => due.length >= 2, 33_000);
    assert.equal(due[0]!.token, due[1]!.token);
  });

  example('a reader gets the wake-ups of its partition only, and none once closed', async (world) => {
    const ports = await world.connect();
    const mine = await readDue(world, ports, 1);
    const others = await readDue(world, ports, 2);
    await world.run(ports.ticks.schedule(1, john, ports.clock.now()));
    await world.until(() => mine.due.length === 1, LATE_MAX_MS);
    await mine.close();
    await world.run(ports.ticks.remove(1, mine.due[0]!.token));
    await world.run(ports.ticks.schedule(1, john, ports.clock.now()));
    await world.pass(600);
    assert.equal(mine.due.length, 1);
    assert.deepEqual(others.due, []);
  });

  example('what one owner sets, another can neither move nor cancel', async (world) => {
    const ports = await world.connect();
    const { due } = await readDue(world, ports);
    await world.run(ports.ticks.schedule(PARTITION, john, ports.clock.now() + 300, 2));
    await world.run(ports.ticks.schedule(PARTITION, john, ports.clock.now() + 60_000, 1));
    await world.run(ports.ticks.cancel(PARTITION, john, 1));
    await world.until(() => due.length === 1);
    assert.deepEqual(due[0]!.address, john);
  });

  example(
    'the wake-ups that owners set for one actor come, move, and are cancelled and removed one by one',
    async (world) => {
      const [ports, next] = [await world.connect(), await world.connect()];
      const { due, close } = await readDue(world, ports);
      const now = ports.clock.now();
      const later = now + 60_000;
      for (const epoch of [1, 2, 3, 4]) await world.run(ports.ticks.schedule(PARTITION, john, later + epoch, epoch));
      const dueTimes = async (): Promise<number[]> =>
        (await world.run(collect(next.ticks.list({ address: john })))).map(({ dueAt }) => dueAt).sort();
      assert.deepEqual(await dueTimes(), [later + 1, later + 2, later + 3, later + 4]);
      await world.run(next.ticks.cancel(PARTITION, john, 3));
      await world.run(ports.ticks.schedule(PARTITION, john, now + 300, 1));
      await world.run(ports.ticks.schedule(PARTITION, john, now + 300, 2));
      await world.until(() => due.length === 2, 300 + 2 * LATE_MAX_MS);
      assert.deepEqual(await dueTimes(), [later + 4]);
      assert.deepEqual(
        due.map(({ address }) => address),
        [john, john],
      );
      assert.notEqual(due[0]!.token, due[1]!.token);
      await world.run(ports.ticks.remove(PARTITION, due[0]!.token));
      await close();
      const left = await readDue(world, next);
      await world.until(() => left.due.length >= 1);
      await world.pass(300);
      assert.deepEqual(
        left.due.map(({ token }) => token),
        [due[1]!.token],
      );
    },
  );

  example('pending ones are listed, fired ones are not', async (world) => {
    const ports = await world.connect();
    const dueAt = ports.clock.now() + 60_000;
    const other = { type: 'order', key: 'a.b' };
    await world.run(ports.ticks.schedule(PARTITION, john, dueAt));
    await world.run(ports.ticks.schedule(5, other, dueAt + 1));
    await world.run(ports.ticks.schedule(5, { type: 'order', key: 'gone' }, ports.clock.now()));
    await world.pass(800);
    const all = await world.run(collect(ports.ticks.list({})));
    assert.equal(all.length, 2);
    assert.equal(all.find(({ address }) => sameAddress(address, john))!.dueAt, dueAt);
    assert.deepEqual(await world.run(collect(ports.ticks.list({ address: other }))), [
      { address: other, dueAt: dueAt + 1 },
    ]);
  });

  example('one survives the death of the server, also when it comes due meanwhile', async (world) => {
    const ports = await world.connect();
    const { due } = await readDue(world, ports);
    await world.run(ports.ticks.schedule(PARTITION, john, ports.clock.now() + 300));
    await world.stopServer();
    await world.pass(600);
    await world.startServer();
    await world.until(() => due.length >= 1, 15_000);
    assert.deepEqual(due[0]!.address, john);
  });
};
