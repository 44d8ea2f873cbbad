/** One metric with its series, and how figures are written. */

/** What is fixed about a metric. */
export interface MetricHead {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly seriesMax: number;
}

/** What stands for every label once there are too many combinations. */
const OTHER = 'other';

/** Finds the series of labels; invariant 1 of the registry. */
export class SeriesTable<TSeries> {
  readonly #head: MetricHead;
  readonly #make: () => TSeries;
  readonly #series = new Map<string, TSeries>();

  constructor(head: MetricHead, make: () => TSeries) {
    this.#head = head;
    this.#make = make;
  }

  at(labels: Readonly<Record<string, string>>): TSeries {
    const key = labelText(this.#head.labels, labels);
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    const full = this.#series.size >= this.#head.seriesMax;
    const room = full ? labelText(this.#head.labels, undefined) : key;
    const series = this.#series.get(room) ?? this.#make();
    this.#series.set(room, series);
    return series;
  }

  clear(): void {
    this.#series.clear();
  }

  entries(): IterableIterator<[string, TSeries]> {
    return this.#series.entries();
  }
}

/** A counter or a gauge. */
export class Metric {
  readonly head: MetricHead;
  readonly #table: SeriesTable<{ value: number }>;

  constructor(head: MetricHead) {
    this.head = head;
    this.#table = new SeriesTable(head, () => ({ value: 0 }));
  }

  clear(): void {
    this.#table.clear();
  }

  text(): string {
    const lines = [...this.#table.entries()].map(([labels, { value }]) => sample(this.head.name, labels, value));
    // A metric that never was recorded is 0, not absent, so that alerts on it work from the start.
    if (lines.length === 0 && this.head.labels.length === 0) lines.push(sample(this.head.name, '', 0));
    return `${headText(this.head)}${lines.join('')}`;
  }

  protected change(labels: Readonly<Record<string, string>>, next: (value: number) => number): void {
    const series = this.#table.at(labels);
    series.value = next(series.value);
  }
}

/** The two lines above the samples of a metric. */
export function headText({ name, help, kind }: MetricHead): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`;
}

/** One line. `labels` is what stands between the braces. */
export function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
}

/** `a="1",b="2"`, in the order of the metric; missing labels are empty, `undefined` makes them all `other`. */
function labelText(names: readonly string[], labels: Readonly<Record<string, string>> | undefined): string {
  return names.map((name) => `${name}="${labels === undefined ? OTHER : escaped(labels[name] ?? '')}"`).join(',');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').slice(0, 256);
}
