/**
 * Figures of a process, kept in memory and written out as Prometheus text (exposition format 0.0.4).
 *
 * Invariants
 * 1. Bounded: a metric keeps at most `seriesMax` label combinations. What comes beyond is counted in one further series whose
 *    labels all say `other`, so that a label taken from user data can't eat the memory, and the sum stays right.
 * 2. Names, labels and kinds are fixed when a metric is made; the same name with another kind, help or labels is refused, and
 *    with the same ones is the same metric.
 * 3. Recording never throws: a figure that is no finite number is dropped.
 */
import { TroupeError } from '@troupe/wire';
import { type Histogram, HistogramMetric, LATENCY_BUCKETS_S } from './histogram.ts';
import { Metric, type MetricHead } from './metric.ts';

/** What a metric is called and counts. */
export interface MetricOptions {
  /** `[a-z][a-z0-9_]*`, with the unit at its end: `troupe_turns_total`, `troupe_turn_seconds`. */
  readonly name: string;
  /** One sentence for people. */
  readonly help: string;
  /** Names of its labels. Default: none. */
  readonly labels?: readonly string[];
  /** Label combinations kept apart. Default 1,000. */
  readonly seriesMax?: number;
}

/** Values by label name; every label of the metric, and no other. */
export type Labels = Readonly<Record<string, string>>;

/** Only goes up. */
export interface Counter {
  /** `by` is at least 0. Default 1. */
  inc(labels?: Labels, by?: number): void;
  /** For what is counted elsewhere: takes its total over as it is. */
  mirror(total: number, labels?: Labels): void;
  /** Forgets every series: for totals that are collected anew each time. */
  clear(): void;
}

/** Goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
  /** Forgets every series: for figures that are collected anew each time. */
  clear(): void;
}

const SERIES_MAX = 1_000;
const NAME_PATTERN = /^[a-z][a-z0-9_]{0,127}$/;
const LABEL_PATTERN = /^[a-z][a-z0-9_]{0,63}$/;

class CounterMetric extends Metric implements Counter {
  inc(labels: Labels = {}, by = 1): void {
    if (Number.isFinite(by) && by >= 0) this.change(labels, (value) => value + by);
  }

  mirror(total: number, labels: Labels = {}): void {
    if (Number.isFinite(total) && total >= 0) this.change(labels, () => total);
  }
}

class GaugeMetric extends Metric implements Gauge {
  set(value: number, labels: Labels = {}): void {
    if (Number.isFinite(value)) this.change(labels, () => value);
  }
}

/**
 * A set of metrics.
 *
 * @example
 * const metrics = new MetricsRegistry();
 * const turns = metrics.counter({ name: 'troupe_turns_total', help: 'Turns ended.', labels: ['type'] });
 * turns.inc({ type: 'support' });
 * await metrics.text(); // '# HELP troupe_turns_total Turns ended.\n# TYPE ...'
 */
export class MetricsRegistry {
  readonly #metrics = new Map<string, Metric | HistogramMetric>();
  readonly #collectors: (() => void | Promise<void>)[] = [];

  /** @throws TroupeError `ConfigInvalid` for a name or label that can't be one, or that stands for something else already. */
  counter(options: MetricOptions): Counter {
    return this.#add('counter', options, (head) => new CounterMetric(head)) as CounterMetric;
  }

  /** @throws TroupeError `ConfigInvalid`, as `counter`. */
  gauge(options: MetricOptions): Gauge {
    return this.#add('gauge', options, (head) => new GaugeMetric(head)) as GaugeMetric;
  }

  /**
   * A distribution.
   *
   * @param options `buckets`: upper bounds, ascending. Default: from 1 ms to 60 s, for seconds.
   * @throws TroupeError `ConfigInvalid`, as `counter`.
   */
  histogram(options: MetricOptions & { readonly buckets?: readonly number[] }): Histogram {
    const buckets = options.buckets ?? LATENCY_BUCKETS_S;
    return this.#add('histogram', options, (head) => new HistogramMetric(head, buckets)) as HistogramMetric;
  }

  /** Called before each `text()`, to bring gauges up to date. What it throws leaves its figures as they are. */
  collect(collector: () => void | Promise<void>): void {
    this.#collectors.push(collector);
  }

  /** Every metric there is, with or without a value. */
  list(): readonly Pick<MetricHead, 'name' | 'kind' | 'help' | 'labels'>[] {
    return [...this.#metrics.values()].map(({ head: { name, kind, help, labels } }) => ({ name, kind, help, labels }));
  }

  /** Every metric, in the order of names, as Prometheus text. Never rejects. */
  async text(): Promise<string> {
    await Promise.all(this.#collectors.map(async (collector) => collector()).map((one) => one.catch(() => undefined)));
    const names = [...this.#metrics.keys()].sort();
    return names.map((name) => this.#metrics.get(name)!.text()).join('');
  }

  #add(
    kind: MetricHead['kind'],
    options: MetricOptions,
    make: (head: MetricHead) => Metric | HistogramMetric,
  ): unknown {
    const { name, help, labels = [], seriesMax = SERIES_MAX } = options;
    if (!NAME_PATTERN.test(name)) throw invalid(`${JSON.stringify(name)} can't name a metric`);
    const wrong = labels.find((label) => !LABEL_PATTERN.test(label) || label === 'le');
    if (wrong !== undefined) throw invalid(`${JSON.stringify(wrong)} can't be a label of ${name}`);
    const known = this.#metrics.get(name);
    if (known === undefined) {
      const metric = make({ kind, name, help, labels, seriesMax });
      this.#metrics.set(name, metric);
      return metric;
    }
    const { head } = known;
    if (head.kind === kind && head.help === help && head.labels.join() === labels.join()) return known;
    throw invalid(`the metric ${name} exists already, with another kind, help or labels`);
  }
}

function invalid(what: string): TroupeError {
  return new TroupeError(
    'ConfigInvalid',
    `Metrics: ${what}: use lower-case letters, digits and _, one meaning a name.`,
  );
}
