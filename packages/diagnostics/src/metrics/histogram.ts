/** A distribution in buckets. */
import { headText, type MetricHead, SeriesTable, sample } from './metric.ts';

/** A distribution. */
export interface Histogram {
  observe(value: number, labels?: Readonly<Record<string, string>>): void;
  /** For what is counted elsewhere: takes its totals over, per bucket and not cumulated, the last for what lies above all. */
  mirror(counts: readonly number[], sum: number, labels?: Readonly<Record<string, string>>): void;
  /** Forgets every series: for totals that are collected anew each time. */
  clear(): void;
}

/** Upper bounds of the default buckets, seconds. */
export const LATENCY_BUCKETS_S: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

interface Distribution {
  /** One per bucket, not cumulated; the last is for what lies above all bounds. */
  readonly counts: number[];
  sum: number;
}

export class HistogramMetric implements Histogram {
  readonly head: MetricHead;
  readonly #bounds: readonly number[];
  readonly #table: SeriesTable<Distribution>;

  constructor(head: MetricHead, bounds: readonly number[]) {
    this.head = head;
    this.#bounds = bounds;
    this.#table = new SeriesTable(head, () => ({ counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 }));
  }

  observe(value: number, labels: Readonly<Record<string, string>> = {}): void {
    if (!Number.isFinite(value)) return;
    const series = this.#table.at(labels);
    const at = this.#bounds.findIndex((bound) => value <= bound);
    series.counts[at === -1 ? this.#bounds.length : at]!++;
    series.sum += value;
  }

  mirror(counts: readonly number[], sum: number, labels: Readonly<Record<string, string>> = {}): void {
    if (counts.length !== this.#bounds.length + 1 || !Number.isFinite(sum)) return;
    const series = this.#table.at(labels);
    for (const [at, count] of counts.entries()) series.counts[at] = count;
    series.sum = sum;
  }

  clear(): void {
    this.#table.clear();
  }

  text(): string {
    const lines = [...this.#table.entries()].map(([labels, series]) => this.#seriesText(labels, series));
    return `${headText(this.head)}${lines.join('')}`;
  }

  #seriesText(labels: string, { counts, sum }: Distribution): string {
    const { name } = this.head;
    const head = labels === '' ? '' : `${labels},`;
    let below = 0;
    const buckets = counts.map((count, at) => {
      below += count;
      return sample(`${name}_bucket`, `${head}le="${this.#bounds[at] ?? '+Inf'}"`, below);
    });
    return `${buckets.join('')}${sample(`${name}_sum`, labels, sum)}${sample(`${name}_count`, labels, below)}`;
  }
}
