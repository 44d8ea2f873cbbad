/** What the operating system says about a process. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** `ended` includes a process that nobody has waited for yet. */
export type ProcessState = 'running' | 'stopped' | 'ended';

export function readProcessState(pid: number): ProcessState {
  const letter = readStateLetter(pid);
  if (letter === '' || letter === 'Z' || letter === 'X') return 'ended';
  return letter === 'T' ? 'stopped' : 'running';
}

/** The letter that `ps` shows; empty when there is no such process. */
function readStateLetter(pid: number): string {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' })
        .trim()
        .charAt(0);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    return '';
  }
}
