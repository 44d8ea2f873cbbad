/** A real stream of Node in flowing mode, whose source is never empty. */
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { paceReads } from '../src/read-pace.ts';

/** Chunks of one size, as a socket gives them: each as soon as the one before was taken. */
function source(chunkBytes: number, chunks: number): Readable {
  let left = chunks;
  return new Readable({
    highWaterMark: 1,
    read() {
      this.push(left-- > 0 ? Buffer.alloc(chunkBytes) : null);
    },
  });
}

/** Reads all of it. @returns the chunks read in each turn. */
async function readByTurn(socket: Readable, paced: boolean): Promise<number[]> {
  const turns: number[] = [0];
  const nextTurn = (callback: () => void): void => {
    setImmediate(() => {
      turns.push(0);
      callback();
    });
  };
  if (paced) paceReads(socket, nextTurn);
  if (paced) paceReads(socket, nextTurn);
  socket.on('data', () => turns.push(turns.pop()! + 1));
  await new Promise((resolve) => socket.once('end', resolve));
  return turns;
}

test('a socket that is never empty rests after 64 KiB until the next turn, and all of it is read', async () => {
  const turns = await readByTurn(source(65_536, 40), true);
  expect(Math.max(...turns)).toBe(1);
  expect(turns.reduce((sum, chunks) => sum + chunks, 0)).toBe(40);
  expect(Math.max(...(await readByTurn(source(65_536, 40), false)))).toBe(40);
});

test('smaller full reads, as TLS gives them, count together', async () => {
  expect(Math.max(...(await readByTurn(source(16_384, 40), true)))).toBe(4);
});

test('reads that emptied the socket never make it rest', async () => {
  expect(await readByTurn(source(1_000, 200), true)).toEqual([200]);
});
