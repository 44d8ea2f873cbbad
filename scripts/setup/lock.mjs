import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './context.mjs';

/**
 * A lock file that survives its holder's death.
 *
 * 1. It exists if and only if somebody holds it or died holding it.
 * 2. A live holder touches it every `heartbeatMs`.
 * 3. It is stale when its holder's process is gone (same host), or when it was not touched for `staleMs` (any host).
 * 4. A stale lock is moved away by rename and looked at again afterwards, so that of two rescuers only one removes it.
 */
const heartbeatMs = 2_000;
const staleMs = 30_000;

/**
 * Runs `work` while no other process holds the lock at `path`.
 *
 * @template T
 * @param {string} path
 * @param {{ log: (line: string) => void }} context
 * @param {() => Promise<T>} work
 * @param {{ waitMsMax?: number, pollMs?: number }} [options] `waitMsMax` defaults to 15 min, `pollMs` to 100
 * @returns {Promise<T>}
 * @throws {SetupError} when the lock was not free within `waitMsMax`
 */
export async function withLock(path, context, work, options = {}) {
  const { waitMsMax = 900_000, pollMs = 100 } = options;
  mkdirSync(dirname(path), { recursive: true });
  const token = JSON.stringify({ pid: process.pid, host: hostname(), nonce: `${process.hrtime.bigint()}` });
  const deadline = Date.now() + waitMsMax;
  for (let waits = 0; !tryTake(path, token); waits += 1) {
    if (waits === 0) context.log(`waiting for another setup (${path})`);
    if (Date.now() > deadline) {
      throw new SetupError(
        `${path} was held by another process for ${waitMsMax / 1000} s. If none is running, remove it.`,
      );
    }
    removeIfStale(path);
    await sleep(pollMs);
  }
  const heartbeat = setInterval(() => touch(path, token), heartbeatMs);
  const release = () => removeIfOurs(path, token);
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.off('exit', release);
    release();
  }
}

/**
 * @param {string} path
 * @param {string} token
 */
function tryTake(path, token) {
  try {
    writeFileSync(path, token, { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function readLock(path) {
  try {
    return { token: readFileSync(path, 'utf8'), ageMs: Date.now() - statSync(path).mtimeMs };
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function removeIfStale(path) {
  const seen = readLock(path);
  if (seen === undefined || !isStale(seen)) return;
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // Another waiter was faster (rule 4).
  }
  const moved = readLock(aside);
  if (moved !== undefined && moved.token !== seen.token) tryTake(path, moved.token); // We moved a live one: give it back.
  rmSync(aside, { force: true });
}

/** @param {{ token: string, ageMs: number }} lock */
function isStale({ token, ageMs }) {
  if (ageMs > staleMs) return true;
  try {
    const holder = JSON.parse(token);
    return holder.host === hostname() && !isAlive(holder.pid);
  } catch {
    return false; // Its holder is just writing it; rule 3's age decides.
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * @param {string} path
 * @param {string} token
 */
function touch(path, token) {
  if (readLock(path)?.token !== token) return;
  utimesSync(path, new Date(), new Date());
}

/**
 * @param {string} path
 * @param {string} token
 */
function removeIfOurs(path, token) {
  if (readLock(path)?.token === token) rmSync(path, { force: true });
}
