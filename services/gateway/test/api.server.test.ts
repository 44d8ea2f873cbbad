/** The HTTP API against a real server and worker. */
import type { Gateway } from '@troupe/service-gateway';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counter } from './support/agents.ts';
import { request, sendRaw } from './support/raw-http.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;
let gateway: Gateway;

beforeAll(async () => {
  stage = await Stage.start([counter]);
  gateway = await stage.gateway();
});
afterAll(() => stage.close());

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

const get = (path: string) => call('GET', path);
const post = (path: string, body?: unknown, headers?: Record<string, string>) => call('POST', path, body, headers);

describe('tasks over HTTP', () => {
  test('are asked, and answered with what the turn replied', async () => {
    expect(await post('/v1/actors/counter/asked/ask', 5)).toEqual({
      status: 200,
      body: { actor: 'counter/asked', taskId: expect.any(String), output: 5 },
    });
  });

  test('asked again under the same id take effect once', async () => {
    const id = { 'Troupe-Task-Id': 'five' };
    await post('/v1/actors/counter/same/ask', 5, id);
    expect((await post('/v1/actors/counter/same/ask', 5, id)).body).toMatchObject({ taskId: 'five', output: 5 });
    expect(await post('/v1/actors/counter/same/ask', 6, id)).toMatchObject({
      status: 409,
      body: { code: 'TaskIdConflict' },
    });
  });

  test('that fail come with the status of their code', async () => {
    expect(await post('/v1/actors/counter/failed/ask', 'text')).toEqual({
      status: 500,
      body: {
        code: 'NotANumber',
        message: 'That is no number.',
        actor: 'counter/failed',
        taskId: expect.any(String),
        retryable: false,
      },
    });
    expect(await post('/v1/actors/counter/failed/ask', { type: 'nonsense' })).toMatchObject({
      status: 422,
      body: { code: 'UnknownEvent' },
    });
    expect(await post('/v1/actors/nobody/any/ask', 1)).toMatchObject({
      status: 404,
      body: { code: 'UnknownActorType' },
    });
    expect(await post('/v1/actors/counter/failed/ask', { type: 'xstate.stop' })).toMatchObject({
      status: 403,
      body: { code: 'ReservedEvent' },
    });
  });

  test('sent are accepted, and their outcome is found later', async () => {
    const sent = await post('/v1/actors/counter/sent/tasks', 7, { 'Troupe-Task-Id': 'seven' });
    expect(sent).toEqual({ status: 202, body: { actor: 'counter/sent', taskId: 'seven', seq: expect.any(Number) } });
    const state = await get(`/v1/actors/counter/sent/state?minSeq=${sent.body.seq}`);
    expect(state).toMatchObject({ status: 200, body: { value: 'counting', context: { n: 7 } } });
    expect(await get('/v1/actors/counter/sent/tasks/seven')).toEqual({
      status: 200,
      body: { status: 'ended', ok: true, output: 7 },
    });
    expect((await get('/v1/actors/counter/sent/tasks/never')).body).toEqual({ status: 'unknown' });
  });

  test('take text and MessagePack, and refuse what is neither', async () => {
    const url = `${gateway.url}/v1/actors/counter/types/ask`;
    const ask = (contentType: string, body: string | Uint8Array<ArrayBuffer>) =>
      fetch(url, { method: 'POST', headers: { 'Content-Type': contentType }, body });
    expect(await (await ask('application/msgpack', Uint8Array.of(5))).json()).toMatchObject({ output: 5 });
    expect(await (await ask('text/plain', '5')).json()).toMatchObject({ code: 'NotANumber' });
    expect((await ask('application/xml', '<a/>')).status).toBe(415);
    expect(await (await ask('application/json', '{"a":')).json()).toMatchObject({ code: 'InvalidPayload' });
    expect(await (await ask('application/json', '{"__proto__":{"a":1}}')).json()).toMatchObject({
      code: 'InvalidPayload',
    });
  });

  test('whose deadline has passed, or is none, are refused', async () => {
    const late = await post('/v1/actors/counter/late/ask', 1, { 'Troupe-Deadline': '2020-01-01T00:00:00Z' });
    expect(late).toMatchObject({ status: 400, body: { code: 'InvalidHeader' } });
    expect((await post('/v1/actors/counter/late/ask', 1, { 'Troupe-Deadline': 'soon' })).status).toBe(400);
  });

  test('of a key with anything in it reach that actor', async () => {
    const host = ['Host', `127.0.0.1:${gateway.port}`] as const;
    for (const key of ['..', '.', 'a/b', "Jo hn.*>'é/x=1", 'x\r\nSet-Cookie: a=b', '%2e%2e']) {
      const path = `/v1/actors/counter/${encodeURIComponent(key).replaceAll('.', '%2E')}/ask`;
      // As it is: the URL class of clients takes `%2E%2E` for a step upwards.
      const answer = await sendRaw(gateway.port, request('POST', path, [host], '3'));
      expect(JSON.parse(answer.body), key).toMatchObject({ actor: `counter/${key}`, output: 3 });
      expect(answer.head).not.toContain('Set-Cookie');
    }
  });
});

describe('signals, reads and lists over HTTP', () => {
  test('a signal is applied, and seen in state, history and timers', async () => {
    const { body } = await post('/v1/actors/counter/told/signals', { type: 'add', by: 4 });
    expect(body).toMatchObject({ actor: 'counter/told', seq: expect.any(Number) });
    expect((await get(`/v1/actors/counter/told/state?minSeq=${body.seq}`)).body).toMatchObject({ context: { n: 4 } });
    expect((await get('/v1/actors/counter/told/history')).body).toMatchObject({
      entries: [{ seq: body.seq, body: { kind: 'signal' } }],
    });
    expect((await get('/v1/actors/counter/told/timers')).body).toMatchObject({
      timers: [{ dueAt: expect.any(Number) }],
    });
    expect((await post('/v1/actors/counter/told/queries/timers', {})).body).toMatchObject({ timers: [{}] });
  });

  test('history comes in pages', async () => {
    for (const n of [1, 2, 3, 4, 5]) await post('/v1/actors/counter/paged/ask', n);
    const payloads = async (query: string) => {
      const { body } = await get(`/v1/actors/counter/paged/history?${query}`);
      const entries = body.entries as { body: { payload: number } }[];
      return { payloads: entries.map((entry) => entry.body.payload), next: body.next as number };
    };
    const first = await payloads('limit=2');
    expect(first.payloads).toEqual([1, 2]);
    expect((await payloads(`limit=2&fromSeq=${first.next}`)).payloads).toEqual([3, 4]);
    expect(await payloads('last=2')).toEqual({ payloads: [4, 5], next: undefined });
  });

  test('actors, workers and partitions are listed', async () => {
    await post('/v1/actors/counter/listed/ask', 1);
    const { body } = await get('/v1/actors?type=counter&limit=200');
    expect(body.actors).toContainEqual(expect.objectContaining({ type: 'counter', key: 'listed' }));
    const workers = await get('/v1/workers');
    expect(workers.body.workers).toMatchObject([{ id: stage.worker!.id, answers: true, stats: { live: 4 } }]);
    const partitions = await get('/v1/partitions');
    expect(partitions.body.partitions).toHaveLength(4);
    expect(partitions.body.partitions).toContainEqual(
      expect.objectContaining({ partition: 0, owner: stage.worker!.id, ownerAlive: true, head: expect.any(Number) }),
    );
  });

  test('an actor that never was is not found, and not made', async () => {
    expect(await get('/v1/actors/counter/never/state')).toMatchObject({ status: 404, body: { code: 'NotFound' } });
    expect((await get('/v1/actors/counter/never/state')).status).toBe(404);
  });

  test('an earlier state is what a query would have shown then', async () => {
    const states: unknown[] = [];
    for (const n of [1, 2, 3]) {
      await post('/v1/actors/counter/earlier/ask', n);
      states.push((await get('/v1/actors/counter/earlier/state')).body);
    }
    for (const state of states as { seq: number }[])
      expect((await get(`/v1/actors/counter/earlier/state?seq=${state.seq}`)).body).toEqual(state);
    expect(await get('/v1/actors/counter/earlier/state?seq=0')).toMatchObject({
      status: 404,
      body: { code: 'NotFound' },
    });
  });

  test('a state larger than a message is shown whole', async () => {
    await post('/v1/actors/counter/large/ask', { type: 'grow', bytes: 700_000 });
    const { status, body } = await get('/v1/actors/counter/large/state');
    expect([status, (body.context as { blob: string }).blob.length]).toEqual([200, 700_000]);
  });

  test('parameters are checked by name', async () => {
    expect((await get('/v1/actors?limit=many')).body).toMatchObject({
      code: 'InvalidPayload',
      message: expect.stringContaining('limit is "many"'),
    });
    expect((await get('/v1/actors?limit=201')).status).toBe(400);
    expect((await get('/v1/actors?lmit=1')).body.message).toContain('known are: type, after, limit');
    expect((await get('/v1/actors/Bad_Type/x/state')).body).toMatchObject({ code: 'InvalidType' });
    expect((await get('/v1/nothing')).status).toBe(404);
    expect(await call('DELETE', '/v1/actors')).toMatchObject({ status: 405, body: { code: 'MethodNotAllowed' } });
  });
});

describe('dead letters over HTTP', () => {
  test('are listed, shown, redriven and dropped', async () => {
    await post('/v1/actors/counter/dead/tasks', { type: 'nonsense' });
    const letters = async () => {
      const { body } = await get('/v1/dead-letters?type=counter&key=dead');
      return body.letters as { seq: number; code: string; payload: unknown }[];
    };
    await expect.poll(letters, { timeout: 10_000 }).toHaveLength(1);
    const [letter] = await letters();
    expect(letter).toMatchObject({ code: 'UnknownEvent', payload: { type: 'nonsense' } });
    expect((await get(`/v1/dead-letters/${letter!.seq}`)).body).toMatchObject({ actor: 'counter/dead' });
    expect(await post(`/v1/dead-letters/${letter!.seq}/redrive`)).toMatchObject({
      status: 422,
      body: { code: 'UnknownEvent' },
    });
    const again = await letters();
    expect(again.map(({ seq }) => seq > letter!.seq)).toEqual([true]);
    expect((await call('DELETE', `/v1/dead-letters/${again[0]!.seq}`)).status).toBe(204);
    expect(await letters()).toEqual([]);
    expect((await get('/v1/dead-letters/x')).status).toBe(404);
  });
});

describe('health over HTTP', () => {
  test('it runs, and is ready while there are workers', async () => {
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  test('figures of gateway and workers are Prometheus text', async () => {
    await get('/healthz');
    const response = await fetch(`${gateway.url}/metrics`);
    expect(response.headers.get('Content-Type')).toContain('version=0.0.4');
    const text = await response.text();
    expect(text).toMatch(/^troupe_gateway_requests_total\{route="\/healthz",method="GET",status="200"\} \d+$/m);
    expect(text).toContain(`troupe_worker_up{worker="${stage.worker!.id}"} 1`);
    expect(text).toMatch(/^troupe_turns_total\{worker="[^"]+",type="[a-z]+"\} [1-9]/m);
    expect(text).toMatch(/^troupe_partition_owned\{partition="0"\} 1$/m);
    expect(text).toMatch(/troupe_worker_events_total\{worker="[^"]+",kind="turns"\} \d+/);
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)*\})? -?[0-9.e+-]+)$/);
  });
});
