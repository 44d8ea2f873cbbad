/**
 * What an ask costs in this process, beside a raw loop of the same messages: publish, PubAck, reply.
 *
 *   node packages/client/bench/ask-cost.ts [callers=64] [seconds=5] [raw|ask|ask-unnamed]
 *
 * The worker runs in a process of its own, so that `cpu` is the client's alone.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { connect as connectNats, headers } from 'nats';
import { connect } from '../src/index.ts';
import { NatsServer } from '../test/support/nats-server.ts';

const callers = Number(process.argv[2] ?? 64);
const seconds = Number(process.argv[3] ?? 5);
const modes = process.argv[4] === undefined ? ['raw', 'ask', 'ask-unnamed'] : [process.argv[4]];

await using server = await NatsServer.start();
const worker = fork(new URL('./echo-worker.ts', import.meta.url), [server.url]);
await once(worker, 'message');
for (const mode of modes) await measure(mode);
worker.kill();

async function measure(mode: string): Promise<void> {
  const { once: ask, close } = mode === 'raw' ? await rawLoop() : await askLoop(mode === 'ask');
  await run(ask, 1);
  const cpu = process.cpuUsage();
  const from = performance.now();
  const { count, latencies } = await run(ask, seconds);
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = (performance.now() - from) / 1_000;
  latencies.sort((a, b) => a - b);
  const at = (part: number): string => (latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(2);
  process.stdout.write(
    `${mode.padEnd(12)} ${Math.round(count / elapsed)}/s  cpu ${((user + system) / count).toFixed(1)} us/ask (user ${(user / count).toFixed(1)})  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms\n`,
  );
  await close();
}

async function run(
  ask: (caller: number) => Promise<unknown>,
  forSeconds: number,
): Promise<{ count: number; latencies: number[] }> {
  const endAt = performance.now() + forSeconds * 1_000;
  const latencies: number[] = [];
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let at = performance.now(); at < endAt; ) {
        await ask(caller);
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    }),
  );
  return { count: latencies.length, latencies };
}

async function askLoop(named: boolean): Promise<{ once(caller: number): Promise<unknown>; close(): Promise<void> }> {
  const troupe = await connect({ url: server.url });
  const actors = Array.from({ length: callers }, (_, i) => troupe.actor('support', `user-${i}`));
  return {
    once: (caller) => actors[caller]!.ask({ text: 'hello' }, named ? undefined : { named: false }),
    close: () => troupe.close(),
  };
}

/** The least that such a loop can be: no ids, no deadlines, no errors, the library's public parts only. */
async function rawLoop(): Promise<{ once(caller: number): Promise<unknown>; close(): Promise<void> }> {
  const nc = await connectNats({ servers: server.url });
  const waiting = new Map<string, (value: unknown) => void>();
  const prefix = '_INBOX.raw.';
  nc.subscribe(`${prefix}*`, {
    callback: (_error, message) => {
      const token = message.subject.slice(prefix.length);
      if (token[0] === 'a') JSON.parse(message.string());
      else waiting.get(token)?.(JSON.parse(message.string()));
      waiting.delete(token);
    },
  });
  let n = 0;
  const encoder = new TextEncoder();
  const once = (caller: number): Promise<unknown> =>
    new Promise((resolve) => {
      n++;
      waiting.set(`r${n}`, resolve);
      const head = headers();
      head.set('Troupe-Reply-To', `${prefix}r${n}`);
      nc.publish(`troupe.task.support.user-${caller}`, encoder.encode(JSON.stringify({ text: 'hello' })), {
        reply: `${prefix}a${n}`,
        headers: head,
      });
    });
  return { once, close: () => nc.close() };
}
