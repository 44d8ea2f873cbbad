import assert from 'node:assert/strict';
import type { DeadLetter } from '../ports.ts';
import type { Suite } from './harness.ts';
import { bytes, collect, john, KEYS, range } from './samples.ts';

function letter(seq: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    seq,
    at: 1_700_000_000_000 + seq,
    address: john,
    code: 'UnknownEvent',
    message: 'The machine never accepts "fly".',
    verb: 'task',
    subject: 'troupe.task.support.john',
    headers: { 'Troupe-Task-Id': 't-1' },
    payload: bytes('{"type":"fly"}'),
    details: { accepts: ['walk'] },
    ...changes,
  };
}

/** Buffers and byte arrays alike. */
function plain(found: DeadLetter | undefined): DeadLetter | undefined {
  return found && { ...found, payload: Uint8Array.from(found.payload) };
}

/** Dead letters: one per journal sequence, kept whole. */
export const deadLetterSuite: Suite = (example) => {
  example('a letter comes back whole, for every worker', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    const sent = letter(7, { payload: Uint8Array.from(range(256)) });
    await world.run(a.deadLetters.put(sent));
    assert.deepEqual(plain(await world.run(b.deadLetters.get(7))), sent);
    assert.equal(await world.run(b.deadLetters.get(8)), undefined);
  });

  example('the first letter of a sequence stays, whoever puts another', async (world) => {
    const [a, b] = [await world.connect(), await world.connect()];
    await world.run(a.deadLetters.put(letter(7)));
    await world.run(b.deadLetters.put(letter(7, { code: 'Other' })));
    assert.equal((await world.run(a.deadLetters.get(7)))!.code, 'UnknownEvent');
    assert.equal((await world.run(collect(a.deadLetters.list({})))).length, 1);
  });

  example('a lost acknowledgement does not make a second letter', async (world) => {
    const ports = await world.connect();
    world.loseNextAck(ports);
    await world.run(ports.deadLetters.put(letter(7)));
    assert.equal((await world.run(collect(ports.deadLetters.list({})))).length, 1);
  });

  example('what names no actor is kept under invalid/invalid', async (world) => {
    const ports = await world.connect();
    const sent = letter(7, { address: { type: 'invalid', key: 'invalid' } });
    await world.run(ports.deadLetters.put(sent));
    assert.deepEqual(plain(await world.run(ports.deadLetters.get(7))), sent);
  });

  example('letters without details or headers, and with line breaks in the reason, are kept', async (world) => {
    const ports = await world.connect();
    const { details: _, ...bare } = letter(9, { headers: {}, payload: new Uint8Array(0), message: 'first\nsecond' });
    await world.run(ports.deadLetters.put(bare));
    const found = plain(await world.run(ports.deadLetters.get(9)))!;
    assert.deepEqual({ ...found, message: '' }, { ...bare, message: '' });
    assert.match(found.message, /^first.second$/s);
  });

  example('letters are listed by type and key, oldest first', async (world) => {
    const ports = await world.connect();
    await world.run(ports.deadLetters.put(letter(1)));
    await world.run(ports.deadLetters.put(letter(2, { address: { type: 'order', key: 'a.b' } })));
    await world.run(ports.deadLetters.put(letter(3, { address: { type: 'support', key: 'other' } })));
    const list = async (filter: { type?: string; key?: string }) =>
      (await world.run(collect(ports.deadLetters.list(filter)))).map(({ seq }) => seq);
    assert.deepEqual(await list({}), [1, 2, 3]);
    assert.deepEqual(await list({ type: 'support' }), [1, 3]);
    assert.deepEqual(await list({ type: 'order', key: 'a.b' }), [2]);
    assert.deepEqual(await list({ type: 'nobody' }), []);
  });

  example('every key is found again', async (world) => {
    const ports = await world.connect();
    for (const [i, key] of KEYS.entries()) {
      await world.run(ports.deadLetters.put(letter(i + 1, { address: { type: 'support', key } })));
      assert.equal((await world.run(ports.deadLetters.get(i + 1)))!.address.key, key);
    }
  });

  example('a removed letter is gone, and removing it again says that it was', async (world) => {
    const ports = await world.connect();
    await world.run(ports.deadLetters.put(letter(7)));
    assert.equal(await world.run(ports.deadLetters.remove(7)), true);
    assert.equal(await world.run(ports.deadLetters.remove(7)), false);
    assert.equal(await world.run(ports.deadLetters.get(7)), undefined);
  });
};
