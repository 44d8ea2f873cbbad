/**
 * Ends a process when we are gone, however we went: a helper shell waits for the end of its stdin, which the kernel closes
 * with us, SIGKILL included.
 *
 * 1. It asks first (SIGTERM), so that the process can write out what it holds, and kills after 5 s.
 * 2. It removes only folders that were made for this process.
 * 3. It is released before its process id can belong to somebody else.
 */
import { spawn } from 'node:child_process';

/** $1 is the process, the rest are folders. SIGCONT, because a frozen process can't hear SIGTERM. */
const SCRIPT = `
cat > /dev/null
pid=$1; shift
kill -TERM "$pid" 2> /dev/null && kill -CONT "$pid" 2> /dev/null
tries=0
while kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL "$pid" 2> /dev/null
for folder in "$@"; do rm -rf "$folder"; done
`;

/** Releases the watched process: from now on nothing is done to it or its folders. */
export type ReleaseWatch = () => void;

/** Watches a process; `folders` are removed with it when we vanish. */
export function watchProcess(pid: number, folders: readonly string[]): ReleaseWatch {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'troupe-watchdog', String(pid), ...folders], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // A terminal's Ctrl-C goes to its whole group; this one must outlive us.
  });
  shell.on('error', () => {}); // No shell, no watching; the exit hook of the owner remains.
  shell.unref();
  return () => void shell.kill('SIGKILL');
}
