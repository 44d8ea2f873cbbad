/** Traces of a real worker process, received by a real OTLP/HTTP endpoint. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '@troupe/client';
import { loadSpanExporter } from '@troupe/diagnostics';
import { type NatsServerHandle, startNatsServer } from '@troupe/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll, eventually, fixture, Running } from './support/running.ts';

interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
}

interface Received {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] };
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

const CLIENT_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';

describe('traces of a worker', () => {
  let server: NatsServerHandle;
  let collector: Server;
  let collectorUrl: string;
  const bodies: string[] = [];
  const spans = (): ReceivedSpan[] =>
    bodies.flatMap((body) =>
      (JSON.parse(body) as Received).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((one) => one.spans)),
    );
  beforeAll(async () => {
    server = await startNatsServer();
    collector = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        if (request.url === '/v1/traces') bodies.push(body);
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    collectorUrl = `http://127.0.0.1:${port}`;
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collectorUrl;
    process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'http/json';
    process.env.OTEL_SERVICE_NAME = 'helpdesk';
  });
  afterAll(async () => {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    delete process.env.OTEL_EXPORTER_OTLP_PROTOCOL;
    delete process.env.OTEL_SERVICE_NAME;
    await endAll();
    await server.close();
    collector.closeAllConnections();
    collector.close();
  });

  test('one trace goes from the client through both actors and the effect, each hop below the one that caused it', async () => {
    const worker = new Running(['--nats-url', server.url], fixture('traced'));
    await worker.until('worker is ready');
    const openExporter = await loadSpanExporter('http/json');
    const exporter = openExporter({ url: `${collectorUrl}/v1/traces`, resource: { 'service.name': 'caller' } });
    await using troupe = await connect({ url: server.url, onSpan: (span) => void exporter.add(span) });
    const desk = troupe.actor('desk', 'd');
    const trace = { traceparent: `00-${CLIENT_TRACE}-${CLIENT_SPAN}-01` };
    expect(await desk.ask('top-hush', { trace, deadlineMs: 30_000 })).toBe('top-hush, thought over');
    const refused = { traceparent: `00-${'5'.repeat(32)}-${'6'.repeat(16)}-00` };
    await desk.ask('not exported', { trace: refused, deadlineMs: 30_000 });
    await using untraced = await connect({ url: server.url });
    await untraced.actor('desk', 'd').ask('without a client trace', { deadlineMs: 30_000 });
    const roots = () => spans().filter(({ name, parentSpanId }) => name === 'turn desk' && parentSpanId === undefined);
    await eventually('the span of the last turn', () => roots().length > 0);
    await exporter.close();
    expect([exporter.exported, exporter.dropped]).toEqual([1, 0]);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);

    const own = spans().filter(({ traceId }) => traceId === CLIENT_TRACE);
    const byId = new Map(own.map((span) => [span.spanId, span]));
    const pathOf = (span: ReceivedSpan | undefined): string[] =>
      span === undefined ? [] : [span.name, ...pathOf(byId.get(span.parentSpanId ?? ''))];
    const effect = own.find(({ name }) => name === 'effect think');
    expect(pathOf(effect)).toEqual([
      'effect think',
      'step task',
      'turn expert',
      'ask expert',
      'step task',
      'turn desk',
      'ask desk',
    ]);
    // The client's own span lies between the caller's and the turn.
    expect(own.filter(({ name }) => name === 'ask desk').map(({ parentSpanId }) => parentSpanId)).toEqual([
      CLIENT_SPAN,
    ]);
    const outcomes = own.filter(({ name }) => name.startsWith('step xstate.done.actor.'));
    expect(outcomes.map((span) => pathOf(span)[1]).sort()).toEqual(['turn desk', 'turn expert']);
    expect(byId.size).toBe(own.length);
    expect(own.every(({ parentSpanId }) => parentSpanId === CLIENT_SPAN || byId.has(parentSpanId ?? ''))).toBe(true);
    expect(own.every((span) => BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano))).toBe(true);
    expect(own.filter(({ status }) => status.code !== 0)).toEqual([]);

    // A trace of its own, across both actors, where the client gave none; none where it decided against it.
    const root = roots()[0]!;
    expect(spans().filter(({ traceId, name }) => traceId === root.traceId && name.startsWith('turn ')).length).toBe(2);
    expect(spans().some(({ traceId }) => traceId === '5'.repeat(32))).toBe(false);
    expect(bodies.join('')).not.toContain('top-hush');
    expect(bodies[0]).toContain('"helpdesk"');
  });
});
