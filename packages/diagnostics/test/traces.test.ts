import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createSampler,
  loadSpanExporter,
  type OtlpProtocol,
  type Span,
  type SpanExporterOptions,
} from '@troupe/diagnostics';
import { derivedTrace } from '@troupe/wire';
import { afterEach, describe, expect, test } from 'vitest';
import { spansOfProtobuf } from './support/otlp.ts';

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

interface Received {
  readonly type: string | undefined;
  readonly key: string | undefined;
  readonly body: Buffer;
}

/** The one span of a body in JSON. */
function spanOf(one: Received | undefined): Record<string, unknown> {
  return JSON.parse(String(one?.body)).resourceSpans[0].scopeSpans[0].spans[0] as Record<string, unknown>;
}

describe('the exporter of spans', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function collector(statusOf: () => number): Promise<{ url: string; received: Received[] }> {
    const received: Received[] = [];
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.statusCode = statusOf();
        // Soon again, where it is busy.
        if (response.statusCode === 503) response.setHeader('retry-after', new Date(0).toUTCString());
        else if (response.statusCode === 200) {
          const { 'content-type': type, 'x-key': key } = request.headers;
          received.push({ type, key: key as string | undefined, body: Buffer.concat(parts) });
        }
        response.end();
      });
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, received };
  }

  async function open(options: Omit<SpanExporterOptions, 'resource'>, protocol: OtlpProtocol = 'http/json') {
    return (await loadSpanExporter(protocol))({ resource: { 'service.name': 'shop' }, ...options });
  }

  test('nothing beyond its queue waits, and what is dropped is counted', async () => {
    const { url, received } = await collector(() => 200);
    const exporter = await open({ url, queueMax: 2 });
    // Two go at once, as a batch that is full; two wait behind them.
    expect([span, span, span, span, span].map((one) => exporter.add(one))).toEqual([true, true, true, true, false]);
    expect(exporter.waiting).toBe(2);
    await exporter.close();
    expect([exporter.exported, exporter.dropped, exporter.waiting]).toEqual([4, 1, 0]);
    expect(received.length).toBe(2);
    expect(exporter.add(span)).toBe(false);
  });

  test('what a busy collector did not take is sent again', async () => {
    let refusals = 2;
    const { url, received } = await collector(() => (refusals-- > 0 ? 503 : 200));
    const exporter = await open({ url });
    exporter.add(span);
    await exporter.close();
    expect([exporter.exported, exporter.dropped, received.length]).toEqual([1, 0, 1]);
  });

  test('what a collector refuses is dropped and counted, and told once until it takes some again', async () => {
    let status = 400;
    const told: string[] = [];
    const { url } = await collector(() => status);
    const exporter = await open({ url: `${url}?key=hush`, onProblem: (message) => told.push(message) });
    for (const next of [400, 400, 200, 401]) {
      status = next;
      exporter.add(span);
      await exporter.flush();
    }
    await exporter.close();
    expect([exporter.exported, exporter.dropped]).toEqual([1, 3]);
    expect(told.map((message) => /answered \d+/.exec(message)?.[0])).toEqual(['answered 400', 'answered 401']);
    expect(told.join()).not.toContain('hush');
  });

  test('a collector that is not there costs its deadline at the end and no more, and is named', async () => {
    const { url } = await collector(() => 200);
    await new Promise((resolve) => server!.close(resolve));
    const told: string[] = [];
    const exporter = await open({ url, timeoutMs: 50, onProblem: (message) => told.push(message) });
    exporter.add(span);
    await exporter.close();
    expect([exporter.exported, exporter.dropped, exporter.waiting]).toEqual([0, 1, 0]);
    // Within so short a time the refusal may come after the end, which counts and tells nothing twice.
    for (const message of told) expect(message).toMatch(/127\.0\.0\.1.*ECONNREFUSED.*http\/json/);
  });

  test('both encodings carry the same ids and names, with the headers given', async () => {
    const { url, received } = await collector(() => 200);
    const child = { ...span, parentId: 'c'.repeat(16) };
    for (const protocol of ['http/json', 'http/protobuf'] as const) {
      const exporter = await open({ url, headers: { 'x-key': 'k' } }, protocol);
      exporter.add(child);
      await exporter.close();
    }
    expect(received.map(({ type, key }) => [type, key])).toEqual([
      ['application/json', 'k'],
      ['application/x-protobuf', 'k'],
    ]);
    const { traceId, spanId, parentSpanId, name } = spanOf(received[0]);
    expect({ traceId, spanId, parentId: parentSpanId, name }).toEqual({
      traceId: child.traceId,
      spanId: child.spanId,
      parentId: child.parentId,
      name: 'turn order',
    });
    expect(spansOfProtobuf(received[1]!.body)).toEqual([{ traceId, spanId, parentId: parentSpanId, name }]);
  });

  test('times are whole nanoseconds, long texts are cut, errors a status, and nothing is invented', async () => {
    const { url, received } = await collector(() => 200);
    const exporter = await open({ url });
    exporter.add({ ...span, attributes: { ...span.attributes, key: 'x'.repeat(300) }, link: 'd'.repeat(16) });
    await exporter.close();
    const { startTimeUnixNano, endTimeUnixNano, attributes, status, kind, links } = spanOf(received[0]);
    expect([startTimeUnixNano, endTimeUnixNano, kind]).toEqual(['1700000000000250000', '1700000000001000000', 2]);
    expect(status).toEqual({ code: 2, message: 'Timeout' });
    expect(attributes).toEqual([
      { key: 'seq', value: { intValue: 7 } },
      { key: 'key', value: { stringValue: `${'x'.repeat(255)}…` } },
    ]);
    expect(links).toMatchObject([{ traceId: span.traceId, spanId: 'd'.repeat(16) }]);
  });
});
