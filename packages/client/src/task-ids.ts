/** Ids of tasks: 128 random bits as 22 characters, made from random bytes that are fetched in bulk. */
import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
const pool = Buffer.allocUnsafeSlow(ID_BYTES * 1_024);
let used = pool.length;

/** A new id, unique everywhere. Valid as `Troupe-Task-Id` and as a subject token. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('base64url', used - ID_BYTES, used);
}
