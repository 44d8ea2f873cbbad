/**
 * The metrics that there are, against their page, the dashboard and the alert rules. To write the page's tables anew:
 * `TROUPE_UPDATE_DOCS=1 npx vitest run scripts/test/metrics-page.test.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { clusterMetrics, MetricsRegistry } from '@troupe/diagnostics';
import { createGatewayMetrics } from '@troupe/service-gateway/internal';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url);
const PAGE = 'docs/reference/metrics.md';
const MARKS = { begin: '<!-- begin of the generated part -->', end: '<!-- end of the generated part -->' };
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const registry = new MetricsRegistry();
createGatewayMetrics(registry);
clusterMetrics(registry);
const metrics = [...registry.list()].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Series by the name that a query uses, with their labels. */
const series = new Map<string, ReadonlySet<string>>();
for (const { name, kind, labels } of metrics) {
  if (kind !== 'histogram') series.set(name, new Set(labels));
  else {
    series.set(`${name}_bucket`, new Set([...labels, 'le']));
    for (const part of ['sum', 'count']) series.set(`${name}_${part}`, new Set(labels));
  }
}

function tables(): string {
  const rows = metrics.map(
    ({ name, kind, labels, help }) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return ['| name | kind | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** What is wrong with a query: its syntax, metrics that there aren't, labels that they don't have. */
function complaints(query: string): string[] {
  const text = query.replaceAll('$__rate_interval', '5m');
  const wrong: string[] = [];
  const used = new Set<string>();
  const labels = new Set<string>();
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      const word = text.slice(from, to);
      if (type.isError) wrong.push(`syntax at ${from} of ${text}`);
      else if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector') used.add(word);
      else if (type.name === 'LabelName') labels.add(word);
    },
  });
  for (const name of used) if (!series.has(name)) wrong.push(`there is no metric ${name}`);
  const known = new Set([...used].flatMap((name) => [...(series.get(name) ?? [])]));
  for (const label of labels) if (!known.has(label)) wrong.push(`there is no label ${label} in ${text}`);
  return wrong;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

describe('the page of metrics', () => {
  test('has every metric, with kind, labels and meaning', () => {
    const text = read(PAGE);
    const from = text.indexOf(MARKS.begin) + MARKS.begin.length;
    const to = text.indexOf(MARKS.end);
    if (process.env.TROUPE_UPDATE_DOCS !== undefined)
      writeFileSync(new URL(PAGE, root), `${text.slice(0, from)}\n\n${tables()}\n\n${text.slice(to)}`);
    const now = read(PAGE);
    expect(now.slice(now.indexOf(MARKS.begin) + MARKS.begin.length, now.indexOf(MARKS.end)).trim()).toBe(tables());
  });
});

describe('the check of a query', () => {
  test.each([
    ['sum(rate(troupe_turns_total[5m])', 'syntax'],
    ['rate(troupe_turn_total[5m])', 'no metric troupe_turn_total'],
    ['sum by (src) (troupe_turns_total)', 'no label src'],
    ['troupe_worker_up{job="x",pod="y"}', 'no label job'],
    ['troupe_effect_seconds', 'no metric troupe_effect_seconds'],
  ])('finds what is wrong with %s', (query, found) => {
    expect(complaints(query).join()).toContain(found);
  });
});

describe('the dashboard', () => {
  const dashboard = JSON.parse(read('infra/grafana/dashboard.json')) as {
    readonly panels: readonly Panel[];
    readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  };
  const variables = dashboard.templating.list.map(({ name }) => name);
  const targets = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((one) => ({ title, ...one })));

  test('asks only for metrics and labels that there are', () => {
    expect(targets.length).toBeGreaterThan(30);
    for (const { title, expr } of targets) expect([title, ...complaints(expr)]).toEqual([title]);
  });

  test('names series by labels that they have, and uses variables that it defines', () => {
    for (const { expr, legendFormat } of targets) {
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        const grouped = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(', ');
        const own = [...series].filter(([name]) => expr.includes(name)).flatMap(([, labels]) => [...labels]);
        expect(grouped ?? own, `${legendFormat} of ${expr}`).toContain(label);
      }
      for (const [, name] of expr.matchAll(/\$(\w+)/g)) expect(['__rate_interval', ...variables]).toContain(name);
    }
    const queried = JSON.stringify(dashboard.templating.list).matchAll(/label_values\((\w+), (\w+)\)/g);
    for (const [, metric, label] of queried) expect([...(series.get(metric!) ?? [])]).toContain(label);
  });

  test('has no two panels in one place or of one id', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [at, { gridPos: a }] of panels.entries()) {
      for (const { title, gridPos: b } of panels.slice(at + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect([title, apart]).toEqual([title, true]);
      }
    }
  });
});

describe('the alert rules', () => {
  const { groups } = parse(read('infra/prometheus/alerts.yml')) as {
    groups: {
      rules: { alert: string; expr: string; for: string; labels: { severity: string }; annotations: object }[];
    }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  test('ask only for metrics and labels that there are', () => {
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, expr } of rules) expect([alert, ...complaints(expr)]).toEqual([alert]);
  });

  test('have a name of their own, a severity, a duration, and say what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const rule of rules) {
      expect(rule.alert).toMatch(/^Troupe[A-Z]\w+$/);
      expect(['info', 'warning', 'critical']).toContain(rule.labels.severity);
      expect(rule.for).toMatch(/^\d+m$/);
      expect(rule.annotations).toEqual({
        summary: expect.stringMatching(/\w/),
        description: expect.stringMatching(/\w/),
      });
    }
  });
});
