/** What processes have used, from `/proc`; NaN where there is none. */
import { readFileSync } from 'node:fs';

/** Linux counts in ticks of 10 ms on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Fields of `/proc/<pid>/stat` behind the name: the state is number 0. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

/** Seconds of CPU that the processes have used together since their starts. */
export function cpuSeconds(pids: readonly (number | undefined)[]): number {
  return pids.reduce((sum: number, pid) => sum + cpuSecondsOf(pid), 0);
}

function cpuSecondsOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}
