/** Results, as one JSON object per line or as lines for people. */

/** One line of the results. Fields that a benchmark doesn't measure are absent. */
export interface Row {
  readonly name: string;
  readonly callers?: number;
  readonly turnsPerSecond?: number;
  readonly rawTurnsPerSecond?: number;
  /** Ours over raw, median of the rounds. */
  readonly ratio?: number;
  readonly p50Ms?: number;
  readonly rawP50Ms?: number;
  readonly p99Ms?: number;
  readonly rawP99Ms?: number;
  /** Everything written, per turn. */
  readonly bytesPerTurn?: number;
  readonly cpuSecondsPer10kTurns?: number;
  readonly rawCpuSecondsPer10kTurns?: number;
  /** What only this benchmark has. */
  readonly [extra: string]: unknown;
}

export type Report = (row: Row) => void;

const DIGITS = 3;

/** Where rows go: JSON lines on stdout, or a line of words. */
export function createReport(json: boolean): Report {
  return (row) => {
    const rounded = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, round(value)]));
    process.stdout.write(`${json ? JSON.stringify(rounded) : words(rounded)}\n`);
  };
}

function round(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value)) return Number.isNaN(value) ? undefined : value;
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(DIGITS));
}

function words({ name, ...fields }: Record<string, unknown>): string {
  const told = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `${String(name).padEnd(22)} ${told.map(([field, value]) => `${field} ${String(value)}`).join('  ')}`;
}

/** Progress, for people only. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
