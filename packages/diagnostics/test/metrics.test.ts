import { MetricsRegistry } from '@troupe/diagnostics';
import { isTroupeError } from '@troupe/wire';
import { describe, expect, test } from 'vitest';

describe('metrics', () => {
  test('are written as Prometheus text, in the order of their names', async () => {
    const metrics = new MetricsRegistry();
    const turns = metrics.counter({ name: 'turns_total', help: 'Turns ended.', labels: ['type'] });
    turns.inc({ type: 'support' });
    turns.inc({ type: 'support' }, 2);
    metrics.gauge({ name: 'resident', help: 'Actors in\nmemory.' }).set(4.5);
    expect(await metrics.text()).toBe(
      '# HELP resident Actors in\\nmemory.\n# TYPE resident gauge\nresident 4.5\n' +
        '# HELP turns_total Turns ended.\n# TYPE turns_total counter\nturns_total{type="support"} 3\n',
    );
  });

  test('without labels are 0 before anything was recorded', async () => {
    const metrics = new MetricsRegistry();
    metrics.counter({ name: 'errors_total', help: 'Errors.' });
    expect(await metrics.text()).toContain('\nerrors_total 0\n');
  });

  test('of a distribution cumulate their buckets', async () => {
    const metrics = new MetricsRegistry();
    const took = metrics.histogram({ name: 'took_seconds', help: 'Time.', labels: ['route'], buckets: [0.1, 1] });
    for (const seconds of [0.05, 0.1, 0.5, 7]) took.observe(seconds, { route: '/x' });
    expect((await metrics.text()).split('\n').slice(2, -1)).toEqual([
      'took_seconds_bucket{route="/x",le="0.1"} 2',
      'took_seconds_bucket{route="/x",le="1"} 3',
      'took_seconds_bucket{route="/x",le="+Inf"} 4',
      'took_seconds_sum{route="/x"} 7.65',
      'took_seconds_count{route="/x"} 4',
    ]);
  });

  test('escape what a label may hold', async () => {
    const metrics = new MetricsRegistry();
    metrics.counter({ name: 'seen_total', help: 'Seen.', labels: ['key'] }).inc({ key: 'a"b\\c\nd 1\n' });
    expect(await metrics.text()).toContain('seen_total{key="a\\"b\\\\c\\nd 1\\n"} 1\n');
  });

  test('keep a bounded number of series, and the sum right', async () => {
    const metrics = new MetricsRegistry();
    const seen = metrics.counter({ name: 'seen_total', help: 'Seen.', labels: ['key'], seriesMax: 3 });
    for (let i = 0; i < 100; i++) seen.inc({ key: `k${i}` });
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('seen_total{'));
    expect(lines).toEqual([
      'seen_total{key="k0"} 1',
      'seen_total{key="k1"} 1',
      'seen_total{key="k2"} 1',
      'seen_total{key="other"} 97',
    ]);
  });

  test('counted elsewhere are taken over as they are', async () => {
    const metrics = new MetricsRegistry();
    const turns = metrics.counter({ name: 'turns_total', help: 'Turns.', labels: ['worker'] });
    turns.mirror(7, { worker: 'a' });
    turns.mirror(9, { worker: 'a' });
    expect(await metrics.text()).toContain('turns_total{worker="a"} 9\n');
    turns.clear();
    expect(await metrics.text()).not.toContain('worker="a"');
  });

  test('drop what is no number', async () => {
    const metrics = new MetricsRegistry();
    metrics.counter({ name: 'a_total', help: 'A.' }).inc({}, Number.NaN);
    metrics.counter({ name: 'a_total', help: 'A.' }).inc({}, -1);
    metrics.gauge({ name: 'b', help: 'B.' }).set(Number.POSITIVE_INFINITY);
    expect(await metrics.text()).toMatch(/a_total 0\n(.|\n)*b 0\n/);
  });

  test('are brought up to date before they are written, whoever fails', async () => {
    const metrics = new MetricsRegistry();
    const lag = metrics.gauge({ name: 'lag', help: 'Lag.', labels: ['worker'] });
    metrics.collect(async () => {
      throw new Error('away');
    });
    metrics.collect(() => {
      lag.clear();
      lag.set(7, { worker: 'w1' });
    });
    expect(await metrics.text()).toContain('lag{worker="w1"} 7\n');
  });

  test.each([
    [{ name: 'Bad-Name', help: 'x' }, "can't name a metric"],
    [{ name: 'ok_total', help: 'x', labels: ['le'] }, "can't be a label"],
    [{ name: 'taken_total', help: 'another meaning' }, 'exists already'],
  ])('refuse %j', (options, message) => {
    const metrics = new MetricsRegistry();
    const taken = metrics.counter({ name: 'taken_total', help: 'x' });
    expect(metrics.counter({ name: 'taken_total', help: 'x' })).toBe(taken);
    let error: unknown;
    try {
      metrics.counter(options);
    } catch (thrown) {
      error = thrown;
    }
    expect(isTroupeError(error, 'ConfigInvalid') && error.message).toContain(message);
  });
});
