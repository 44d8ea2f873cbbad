/** A frame as it stands on a terminal. */
import { printable, showBytes, table } from '../output/format.ts';
import type { Style } from '../output/style.ts';
import type { Frame, WorkerFrame } from './frame.ts';

/** How much fits. */
export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** Rows for types when there are many workers, heads included. */
const TYPE_ROWS_MIN = 5;
const WORKER_HEADS = ['WORKER', 'PARTS', 'TURNS/S', 'LAG', 'ACTORS', 'WAITING', 'EFFECTS', 'DELAY', 'MEMORY'];
const TYPE_HEADS = ['TYPE', 'TURNS/S', 'FAILED/S'];

/** Its lines, none longer and no more than fit. */
export function showFrame(frame: Frame, style: Style, size?: FrameSize): string[] {
  const { total, ...states } = frame.partitions;
  const stood = Object.entries(states).map(([state, count]) => `${count} ${state}`);
  const head = [
    `troupe  ${frame.at.slice(0, 19).replace('T', ' ')}Z  ${frame.turnsPerSecond} turns/s  ${frame.failedPerSecond} failed/s  ${frame.entriesPerSecond} entries/s  lag ${frame.lag}`,
    `${frame.workers.length} workers  ${total} partitions: ${stood.join(', ')}`,
    '',
  ];
  const workers = table(WORKER_HEADS, frame.workers.map(workerRow)).split('\n');
  const types = table(
    TYPE_HEADS,
    frame.types.map((one) => [one.type, `${one.turnsPerSecond}`, `${one.failedPerSecond}`]),
  ).split('\n');
  const rows = size === undefined ? Number.POSITIVE_INFINITY : size.rows - head.length - 1;
  const forTypes = Math.min(types.length, Math.max(TYPE_ROWS_MIN, rows - workers.length));
  const lines = [...head, ...fit(workers, rows - forTypes, 'workers'), '', ...fit(types, forTypes, 'types')];
  const cut = size === undefined ? lines : lines.slice(0, size.rows).map((line) => line.slice(0, size.columns));
  const heads = new Set(
    [workers[0], types[0]].map((line) => (size === undefined ? line : line?.slice(0, size.columns))),
  );
  return cut.map((line, i) => (i === 0 ? style('bold', line) : heads.has(line) ? style('dim', line) : line));
}

/** The first rows, and how many are not shown. */
function fit(lines: readonly string[], max: number, what: string): readonly string[] {
  if (lines.length <= max) return lines;
  const shown = Math.max(1, max - 1);
  return [...lines.slice(0, shown), `and ${lines.length - shown} more ${what}`];
}

function workerRow(one: WorkerFrame): string[] {
  const or = (value: number | null, text = `${value}`): string => (value === null ? '-' : text);
  return [
    one.answers ? printable(one.id) : `${printable(one.id)} (silent)`,
    or(one.partitions),
    or(one.turnsPerSecond),
    `${one.lag}`,
    or(one.resident),
    or(one.waiting),
    or(one.effectsRunning),
    or(one.delayP50Ms, `${one.delayP50Ms}/${one.delayP99Ms} ms`),
    or(one.rssBytes, showBytes(one.rssBytes ?? 0)),
  ];
}
