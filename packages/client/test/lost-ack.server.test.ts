/** A line between client and server that loses chosen bytes: the PubAck that never comes, the line that goes dead. */
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect, type Troupe } from '../src/index.ts';
import { NatsServer } from './support/nats-server.ts';
import { ScriptedWorker } from './support/scripted-worker.ts';

/** Passes bytes on; `filter` may drop what comes from the server. */
class LossyLine {
  filter: (chunk: Buffer) => boolean = () => true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = dial(port, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
      }
      near.on('data', (chunk) => far.write(chunk));
      far.on('data', (chunk) => this.filter(chunk) && near.write(chunk));
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
  }
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as { port: number }).port;
  }
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
  close(): void {
    this.cut();
    this.#server.close();
  }
}

const isPubAck = (chunk: Buffer): boolean => chunk.includes('"stream":"JOURNAL"');
const isReply = (chunk: Buffer): boolean => chunk.includes('Troupe-Actor');

let server: NatsServer;
let worker: ScriptedWorker;
let line: LossyLine;
let troupe: Troupe;

beforeEach(async () => {
  server = await NatsServer.start();
  worker = await ScriptedWorker.start({ url: server.url });
  line = new LossyLine(server.port);
  troupe = await connect({ url: `nats://127.0.0.1:${await line.listen()}`, ackTimeoutMs: 200 });
});
afterEach(async () => {
  await troupe.close();
  line.close();
  await worker[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test('a send whose PubAcks are lost is stored again and again, and takes effect once', async () => {
  line.filter = (chunk) => !isPubAck(chunk);
  const sending = troupe.actor('support', 'john').send('hi', { taskId: 't-1' });
  await expect.poll(() => worker.stored).toBeGreaterThanOrEqual(3);
  line.filter = () => true;
  expect(await sending).toMatchObject({ taskId: 't-1' });
  expect(worker.applied).toHaveLength(1);
});

test('an ask that hears nothing at all gets the outcome of its first publish', async () => {
  line.filter = (chunk) => !isPubAck(chunk) && !isReply(chunk);
  const asking = troupe.actor('support', 'john').ask('hi');
  await expect.poll(() => worker.stored).toBeGreaterThanOrEqual(2);
  line.filter = () => true;
  expect(await asking).toBe('hi');
  expect(worker.applied).toHaveLength(1);
});

test('an unnamed send without PubAck is published once and ends as unknown', async () => {
  line.filter = (chunk) => !isPubAck(chunk);
  const sending = troupe.actor('support', 'john').send('hi', { named: false, timeoutMs: 800 });
  await expect(sending).rejects.toMatchObject({ code: 'Timeout', message: expect.stringContaining('unknown') });
  expect(worker.stored).toBe(1);
});

test('a cut line between PubAck and outcome: the outcome is asked for as soon as it is back', async () => {
  line.filter = (chunk) => !isReply(chunk);
  const asking = troupe.actor('support', 'john').ask('hi');
  await expect.poll(() => worker.applied.length).toBe(1);
  const from = Date.now();
  line.filter = () => true;
  line.cut();
  expect(await asking).toBe('hi');
  expect(Date.now() - from).toBeLessThan(8_000);
  expect(worker.applied).toHaveLength(1);
});

const ASKS = 50;
test('cut at any moment under load: each ask takes effect once', async () => {
  // Never before something got through: on a busy machine a new connection may take longer than any pause between two cuts.
  let answered = 0;
  let answeredAtCut = 0;
  const cuts = setInterval(() => {
    if (answered === answeredAtCut) return;
    answeredAtCut = answered;
    line.cut();
  }, 100);
  const callers = Array.from({ length: 16 }, async (_, caller) => {
    const actor = troupe.actor('support', `user-${caller}`);
    for (let n = 0; n < ASKS; n++) {
      expect(await actor.ask({ caller, n })).toEqual({ caller, n });
      answered++;
    }
  });
  await Promise.all(callers);
  clearInterval(cuts);
  expect(worker.applied).toHaveLength(16 * ASKS);
  expect(new Set(worker.applied.map(({ input }) => JSON.stringify(input))).size).toBe(16 * ASKS);
}, 120_000);
