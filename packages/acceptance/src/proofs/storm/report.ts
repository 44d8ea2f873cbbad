/** What a storm was like: a table in Markdown, and a chart as SVG. */
import { FAULTS, type Fault, type FaultKind } from './plan.ts';

export interface FaultReport extends Fault {
  /** Its beginning since the start, ms. */
  readonly atMs: number;
  /** From its beginning until every caller had an answer to something sent later than that; undefined: never. */
  readonly recoveryMs: number | undefined;
  /** The longest that anybody waited for what was under way then, ms. */
  readonly longestWaitMs: number;
}

export interface StormReport {
  readonly seed: number;
  readonly workers: number;
  readonly seconds: number;
  readonly faults: readonly FaultReport[];
  readonly answeredAtMs: readonly number[];
  readonly acknowledged: number;
  /** Sent several times under one id, and nothing heard. */
  readonly unknown: number;
  /** Calls outside. */
  readonly deliveries: number;
  /** Those of them that were made again, which is allowed after a crash. */
  readonly repeats: number;
  /** Calls with `retry: 'never'` of which nobody knows whether they were made. */
  readonly unknownCalls: number;
  /** What doesn't hold, a sentence each; empty when all does. */
  readonly violations: readonly string[];
}

/** The share `p` of the values lies at or below it; NaN without values. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
}

const recoveriesOf = (report: StormReport, kind: FaultKind): number[] =>
  report.faults.filter((fault) => fault.kind === kind).flatMap(({ recoveryMs }) => recoveryMs ?? []);

/** One row for each kind of fault. */
export function stormTable(report: StormReport): string {
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  const rows = FAULTS.map((kind) => {
    const all = recoveriesOf(report, kind);
    const waits = report.faults.filter((fault) => fault.kind === kind).map(({ longestWaitMs }) => longestWaitMs);
    if (all.length === 0) return `| ${kind} | 0 | | | |`;
    const cells = [quantile(all, 0.5), Math.max(...all), Math.max(...waits)].map(seconds);
    return `| ${kind} | ${waits.length} | ${cells.join(' | ')} |`;
  });
  return [
    '| fault | times | all answered again after, median, s | longest, s | longest wait of a caller, s |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const WIDTH = 860;
const LEFT = 130;
const RIGHT = 20;
const TOP = 46;
const RATE_HEIGHT = 130;
const ROW_HEIGHT = 26;
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #3d4250 } .title { font-size: 14px; font-weight: 600 }
  .rate { fill: none; stroke: #2f6fdb; stroke-width: 1.5 } .fault { fill: #d9534f; opacity: .18 }
  .dot { fill: #2f6fdb; opacity: .75 } .middle { stroke: #14213d; stroke-width: 2 } .grid { stroke: #d8dbe2 } .back { fill: #fff }
  @media (prefers-color-scheme: dark) { text { fill: #d5d9e2 } .back { fill: #14161c } .grid { stroke: #333845 } .middle { stroke: #fff } }
`;

/** Answers a second over the storm with its faults, and under it how long each kind of fault took to recover from. */
export function stormChart(report: StormReport): string {
  const parts = [...rateChart(report), ...recoveryChart(report, TOP + RATE_HEIGHT + 66)];
  const height = TOP + RATE_HEIGHT + 66 + FAULTS.length * ROW_HEIGHT + 34;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Answers a second during the storm, and times to recover by kind of fault">`,
    `<style>${STYLE}</style><rect class="back" width="${WIDTH}" height="${height}"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function rateChart({ answeredAtMs, faults, seconds }: StormReport): string[] {
  const buckets = new Array<number>(Math.max(1, Math.ceil(seconds))).fill(0);
  for (const ms of answeredAtMs) {
    const at = Math.min(buckets.length - 1, Math.floor(ms / 1_000));
    buckets[at] = buckets[at]! + 1;
  }
  const max = Math.max(1, ...buckets);
  const x = (second: number): number => LEFT + (second / buckets.length) * (WIDTH - LEFT - RIGHT);
  const y = (rate: number): number => TOP + RATE_HEIGHT * (1 - rate / max);
  const points = buckets.map((rate, at) => `${x(at + 0.5).toFixed(1)},${y(rate).toFixed(1)}`).join(' ');
  const bands = faults.map(({ kind, atMs, recoveryMs = 0 }) => {
    const from = x(atMs / 1_000);
    const width = Math.max(2, x((atMs + recoveryMs) / 1_000) - from);
    return `<rect class="fault" x="${from.toFixed(1)}" y="${TOP}" width="${width.toFixed(1)}" height="${RATE_HEIGHT}"><title>${kind}</title></rect>`;
  });
  return [
    `<text class="title" x="${LEFT}" y="24">Answers a second; red: from a fault until every caller was answered again</text>`,
    ...bands,
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(0)}" y2="${y(0)}"/>`,
    `<text x="${LEFT - 8}" y="${y(max) + 10}" text-anchor="end">${max}/s</text><text x="${LEFT - 8}" y="${y(0)}" text-anchor="end">0</text>`,
    `<text x="${LEFT}" y="${y(0) + 16}">0 s</text><text x="${WIDTH - RIGHT}" y="${y(0) + 16}" text-anchor="end">${buckets.length} s</text>`,
    `<polyline class="rate" points="${points}"/>`,
  ];
}

function recoveryChart(report: StormReport, top: number): string[] {
  const maxMs = Math.max(1_000, ...report.faults.map(({ recoveryMs = 0 }) => recoveryMs));
  const x = (ms: number): number => LEFT + (ms / maxMs) * (WIDTH - LEFT - RIGHT);
  const bottom = top + FAULTS.length * ROW_HEIGHT;
  const stepMs = [1_000, 2_000, 5_000, 10_000, 20_000].find((step) => maxMs / step <= 10) ?? 60_000;
  const ticks = Array.from({ length: Math.floor(maxMs / stepMs) + 1 }, (_, at) => at * stepMs);
  const rows = FAULTS.flatMap((kind, row) => {
    const y = top + row * ROW_HEIGHT + ROW_HEIGHT / 2;
    const all = recoveriesOf(report, kind);
    const middle = x(quantile(all, 0.5)).toFixed(1);
    return [
      `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${kind}</text>`,
      ...all.map(
        (ms) =>
          `<circle class="dot" cx="${x(ms).toFixed(1)}" cy="${y}" r="5"><title>${(ms / 1_000).toFixed(1)} s</title></circle>`,
      ),
      ...(all.length > 1 ? [`<line class="middle" x1="${middle}" x2="${middle}" y1="${y - 9}" y2="${y + 9}"/>`] : []),
    ];
  });
  return [
    `<text class="title" x="${LEFT}" y="${top - 16}">From a fault until every caller was answered again, s; bar: median</text>`,
    ...ticks.map(
      (ms) =>
        `<line class="grid" x1="${x(ms)}" x2="${x(ms)}" y1="${top}" y2="${bottom}"/><text x="${x(ms)}" y="${bottom + 18}" text-anchor="middle">${ms / 1_000}</text>`,
    ),
    ...rows,
  ];
}
