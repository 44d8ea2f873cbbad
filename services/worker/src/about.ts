/** What a worker's process knows of itself, for `troupe workers`: told with the answer to `control.stats`. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late timers were in the last ten seconds or less, ms. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface ProcessAbout {
  /** Its clock as it told this, Unix ms. */
  readonly at: number;
  readonly pid: number;
  readonly host: string;
  /** Number under its parent, from 1; absent without one. */
  readonly process?: number;
  /** Of Troupe. */
  readonly version: string;
  readonly node: string;
  readonly uptimeMs: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly loopDelay: LoopDelay;
}

/** The histogram looks this often, and its values contain that. */
const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;
const NS_PER_MS = 1e6;

/** Measures from now on. @param process its number under a parent. */
export function aboutProcess(process?: number): { read(): ProcessAbout; close(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let last: LoopDelay | undefined;
  const timer = setInterval(() => {
    last = delayOf(histogram);
    histogram.reset();
  }, WINDOW_MS);
  timer.unref();
  const version = ownVersion();
  return {
    read: () => aboutNow(process, version, last ?? delayOf(histogram)),
    close: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

function aboutNow(number: number | undefined, version: string, loopDelay: LoopDelay): ProcessAbout {
  const { rss, heapUsed } = process.memoryUsage();
  return {
    at: Date.now(),
    pid: process.pid,
    host: hostname(),
    ...(number === undefined ? {} : { process: number }),
    version,
    node: process.versions.node,
    uptimeMs: Math.round(process.uptime() * 1_000),
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    loopDelay,
  };
}

function delayOf(histogram: ReturnType<typeof monitorEventLoopDelay>): LoopDelay {
  if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
  const late = (ns: number): number => Math.max(0, Math.round((ns / NS_PER_MS - RESOLUTION_MS) * 10) / 10);
  return { p50Ms: late(histogram.percentile(50)), p99Ms: late(histogram.percentile(99)), maxMs: late(histogram.max) };
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
