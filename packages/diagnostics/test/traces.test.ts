import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSampler, otlpOf, type Span, SpanExporter } from '@troupe/diagnostics';
import { derivedTrace } from '@troupe/wire';
import { afterEach, describe, expect, test } from 'vitest';

const span: Span = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'turn order',
  kind: 'server',
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_000_001,
  attributes: { seq: 7, task: undefined },
  error: 'Timeout',
};

describe('samplers', () => {
  const traced = (flags: string) => ({ traceparent: `00-${'2'.repeat(32)}-${'3'.repeat(16)}-${flags}` });

  test('what the caller decided holds, and a derived context is no decision', () => {
    const never = createSampler('parentbased_always_off');
    expect(never('2'.repeat(32), traced('01'))).toBe(true);
    expect(never('2'.repeat(32), undefined)).toBe(false);
    const always = createSampler();
    expect(always('2'.repeat(32), traced('00'))).toBe(false);
    const derived = derivedTrace({ type: 'order', key: '42' }, 17, 'order/42@17.0');
    expect(always(derived.traceparent.slice(3, 35), derived)).toBe(true);
  });

  test('a ratio takes about its share, the same ids every time', () => {
    const tenth = createSampler('traceidratio', '0.1');
    const ids = Array.from({ length: 2_000 }, (_, n) =>
      derivedTrace({ type: 'order', key: `${n}` }, 1, 'e').traceparent.slice(3, 35),
    );
    const taken = ids.filter((id) => tenth(id, undefined));
    expect(taken.length).toBeGreaterThan(140);
    expect(taken.length).toBeLessThan(260);
    expect(ids.filter((id) => tenth(id, undefined))).toEqual(taken);
  });

  test('unknown names and ratios are refused', () => {
    expect(() => createSampler('sometimes')).toThrow(/sometimes.*traceidratio/);
    expect(() => createSampler('traceidratio', '2')).toThrow(/0 to 1/);
  });
});

describe('the exporter of spans', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function collector(status: () => number): Promise<{ url: string; bodies: unknown[] }> {
    const bodies: unknown[] = [];
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        response.statusCode = status();
        if (response.statusCode === 200) bodies.push(JSON.parse(body));
        response.end();
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, bodies };
  }

  test('nothing beyond its queue waits, and what is dropped is counted', async () => {
    const { url, bodies } = await collector(() => 200);
    const exporter = new SpanExporter({ url, resource: {}, queueMax: 2 });
    expect([span, span, span].map((one) => exporter.add(one))).toEqual([true, true, false]);
    await exporter.close();
    expect([exporter.exported, exporter.dropped]).toEqual([2, 1]);
    expect(bodies).toEqual([JSON.parse(JSON.stringify(otlpOf({}, [span, span])))]);
    expect(exporter.add(span)).toBe(false);
  });

  test('what a busy collector did not take is sent again; what one refuses is dropped; a problem is told once', async () => {
    let status = 503;
    const told: string[] = [];
    const { url } = await collector(() => status);
    const exporter = new SpanExporter({ url, resource: {}, onProblem: (message) => told.push(message) });
    exporter.add(span);
    await exporter.flush();
    await exporter.flush();
    expect([exporter.waiting, exporter.dropped, told.length]).toEqual([1, 0, 1]);
    status = 200;
    await exporter.flush();
    expect([exporter.waiting, exporter.exported]).toEqual([0, 1]);
    status = 400;
    exporter.add(span);
    await exporter.close();
    expect([exporter.dropped, told.length]).toEqual([1, 2]);
  });

  test('times are whole nanoseconds, ids as given, errors a status', () => {
    expect(JSON.stringify(otlpOf({ 'service.name': 's' }, [span]))).toContain(
      '"startTimeUnixNano":"1700000000000250000","endTimeUnixNano":"1700000000001000000","attributes":[{"key":"seq","value":{"intValue":"7"}}],"status":{"code":2,"message":"Timeout"}',
    );
  });
});
