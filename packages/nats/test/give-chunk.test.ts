import { PortError } from '@troupe/runtime';
import { expect, test } from 'vitest';
import { giveChunk } from '../src/backup.ts';
import type { Connection } from '../src/connect.ts';

/** A connection whose requests end like this, one after the other. */
function answering(...ends: (Uint8Array | PortError)[]) {
  const request = async () => {
    const end = ends.shift();
    if (end instanceof Uint8Array) return { data: end };
    throw end;
  };
  return { connection: { requests: { request } } as unknown as Connection };
}

const nobody = () => new PortError('no-responders', 'nobody takes it');

test('a part of a copy that nobody takes yet is given again', async () => {
  const api = answering(nobody(), nobody(), Uint8Array.of(1));
  expect(await giveChunk(api, 'restore', Uint8Array.of(7))).toEqual(Uint8Array.of(1));
});

test('a part that may have been taken is not given again', async () => {
  const api = answering(new PortError('timeout', 'late'), Uint8Array.of(1));
  await expect(giveChunk(api, 'restore', Uint8Array.of(7))).rejects.toMatchObject({ kind: 'timeout' });
});
