/** The page's WebSocket, spoken to without a page. */
import type { LiveAnswer, LiveFrame, LivePush } from '@troupe/service-inspector';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { INSPECTOR_MOUNTS } from '../src/index.ts';
import { counter } from './support/agents.ts';
import { Stage } from './support/stage.ts';

const READ = 'a-token-for-reading-of-32-bytes!!';
const PATIENCE_MS = 15_000;

describe("the page's WebSocket", () => {
  let stage: Stage;
  let url: string;
  let guarded: string;

  beforeAll(async () => {
    stage = await Stage.start([counter]);
    url = (await stage.gateway({ mounts: INSPECTOR_MOUNTS })).url;
    const tokens = [{ name: 'reader', role: 'read' as const, token: READ }];
    guarded = (await stage.gateway({ mounts: INSPECTOR_MOUNTS, tokens })).url;
  });

  afterAll(() => stage?.close());

  test('steps are pushed as they happen, and asked for afterwards they are the same', async () => {
    await using live = await Live.open(url);
    await stage.troupe.actor('counter', 'a').ask(1);
    await live.ask('watchActor', { actor: 'counter/a', on: true });
    const pushed = live.push((push) => push.push === 'steps' && push.steps.some(({ count }) => count >= 2));
    // The watch reaches the worker a moment later than the page: until then nothing is pushed.
    const asking = setInterval(() => void stage.troupe.actor('counter', 'a').ask(1), 50);
    const { steps } = (await pushed) as Extract<LivePush, { push: 'steps' }>;
    clearInterval(asking);
    const [seen] = steps;
    const { value } = await live.ask('steps', { actor: 'counter/a', fromSeq: seen!.seq, toSeq: seen!.seq });
    const [read] = (value as { steps: (typeof steps)[number][] }).steps;
    const { stepUs: _us, ...told } = seen!;
    expect(read).toEqual(told);
  });

  test('the list comes whole at first, then what changes', async () => {
    await stage.troupe.actor('counter', 'listed').ask(1);
    await using live = await Live.open(url);
    const whole = live.push((push) => push.push === 'actors' && push.whole === true);
    await live.ask('watchActors', {});
    expect(await whole).toMatchObject({
      rows: expect.arrayContaining([expect.objectContaining({ actor: 'counter/listed', errors: 0 })]),
    });
    const changed = live.push(
      (push) =>
        push.push === 'actors' && push.rows.some(({ actor, errors }) => actor === 'counter/listed' && errors > 0),
    );
    await stage.troupe
      .actor('counter', 'listed')
      .ask('no number' as never)
      .catch(() => undefined);
    await changed;
  });

  test('a state is given as a query would have answered then, with what the step changed', async () => {
    const actor = stage.troupe.actor('counter', 'then');
    for (const by of [1, 1]) await actor.ask(by);
    const then = await actor.snapshot();
    await actor.ask(5);
    await using live = await Live.open(url);
    const { value } = await live.ask('step', { actor: 'counter/then', seq: then.seq });
    const { state, changes } = value as { state: { context: unknown; seq: number }; changes: { path: string[] }[] };
    expect(state).toMatchObject({ seq: then.seq, context: { n: 2 } });
    expect(changes.map(({ path }) => path.join('.'))).toContain('context.n');
  });

  test('sending needs the role operate, whatever the page shows', async () => {
    await using live = await Live.open(guarded, { headers: { authorization: `Bearer ${READ}` } });
    expect(await live.ask('hello', {})).toMatchObject({ ok: true, value: { name: 'reader', role: 'read' } });
    const answer = await live.ask('send', { actor: 'counter/x', kind: 'task', input: 1 });
    expect(answer).toMatchObject({ ok: false, error: { code: 'PermissionDenied' } });
    await using open = await Live.open(url);
    expect(await open.ask('state', { actor: 'counter/x' })).toMatchObject({ ok: false, error: { code: 'NotFound' } });
  });

  test('without a token, and from a foreign page, it does not open', async () => {
    await expect(Live.open(guarded)).rejects.toThrow('401');
    await expect(Live.open(url, { headers: { origin: 'http://evil.example' } })).rejects.toThrow('403');
  });

  test('questions that make no sense are answered, frames that make none end the connection', async () => {
    await using live = await Live.open(url);
    for (const [op, args] of [
      ['nothing', {}],
      ['constructor', {}],
      ['steps', { actor: 7 }],
      ['steps', { actor: 'counter/a', fromSeq: -1 }],
      ['step', { actor: 'counter/a', seq: 'x' }],
      ['structure', {}],
      ['send', { actor: 'counter/a', kind: 'signal', input: 'text' }],
    ] as const)
      expect(await live.ask(op as string, args), op).toMatchObject({ ok: false, error: { code: 'InvalidPayload' } });
    expect(await live.ask('hello', {})).toMatchObject({ ok: true });
    const closed = live.closed();
    live.send('{"id":1');
    expect(await closed).toBe(1_003);
  });

  test('a frame above a megabyte is refused', async () => {
    await using live = await Live.open(url);
    const closed = live.closed();
    live.send(JSON.stringify({ id: 1, op: 'hello', args: { x: 'x'.repeat(1_100_000) } }));
    expect(await closed).toBe(1_009);
  });
});

/** A connection as the page has it. */
class Live {
  readonly #socket: WebSocket;
  readonly #listeners = new Set<(frame: LiveFrame) => void>();
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as LiveFrame;
      for (const listener of this.#listeners) listener(frame);
    });
  }

  static open(url: string, options: { readonly headers?: Record<string, string> } = {}): Promise<Live> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/live`, options);
    const live = new Live(socket);
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(live));
      socket.on('error', reject);
    });
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  ask(op: string, args: object): Promise<LiveAnswer & { readonly value?: unknown }> {
    const id = this.#nextId++;
    const answer = this.#wait((frame): frame is LiveAnswer => 'id' in frame && frame.id === id);
    this.send(JSON.stringify({ id, op, args }));
    return answer;
  }

  push(wanted: (push: LivePush) => boolean): Promise<LivePush> {
    return this.#wait((frame): frame is LivePush => 'push' in frame && wanted(frame));
  }

  closed(): Promise<number> {
    return new Promise((resolve) => this.#socket.once('close', resolve));
  }

  #wait<F extends LiveFrame>(wanted: (frame: LiveFrame) => frame is F): Promise<F> {
    return new Promise((resolve, reject) => {
      const listener = (frame: LiveFrame): void => {
        if (!wanted(frame)) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(frame);
      };
      const timer = setTimeout(() => reject(new Error(`nothing within ${PATIENCE_MS} ms`)), PATIENCE_MS);
      this.#listeners.add(listener);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
  }
}
