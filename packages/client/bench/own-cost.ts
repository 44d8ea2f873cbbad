/**
 * What an ask costs in the client's own code: everything but the `nats` library, the socket and the event loop.
 *
 *   node packages/client/bench/own-cost.ts [named|unnamed]
 *
 * A wire that answers from prepared bytes: PubAck and outcome come in the next microtask, `WINDOW` asks at a time.
 */
import { encodeOutcome } from '@troupe/wire';
import { createTroupe, type OnMessage, realClock, type Wire } from '../src/internal.ts';

const WINDOW = 64;
const ROUNDS = 20_000;
const named = process.argv[2] !== 'unnamed';
const encoder = new TextEncoder();
const ack = encoder.encode('{"stream":"JOURNAL", "seq":1234567}');
const actor = { type: 'support', key: 'john' };
const reply = encodeOutcome({
  actor,
  seq: 1_234_567,
  taskId: 'x'.repeat(22),
  version: 1,
  effectId: 'support/john@1234567.1',
  outcome: { ok: true, value: { text: 'hello' } },
});
const replyHeaders = `NATS/1.0\r\n${Object.entries(reply.headers)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')}\r\n`;

let deliver: OnMessage = () => {};
let published: string[] = [];
const wire: Wire = {
  server: 'nats://none',
  connected: true,
  payloadBytesMax: 1_048_576,
  publish: (_subject, replyTo) => void published.push(replyTo),
  subscribe: (_subject, onMessage) => {
    deliver = onMessage;
    return { close: () => {} };
  },
  onEvent: () => {},
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
const troupe = createTroupe(wire, realClock, {
  prefix: 'troupe',
  inboxPrefix: '_INBOX',
  ackTimeoutMs: 2_000,
  inFlightMax: 4_096,
  queueMax: 65_536,
});
const john = troupe.actor('support', 'john');
const options = named ? undefined : { named: false };

async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    const asked: Promise<unknown>[] = [];
    for (let i = 0; i < WINDOW; i++) asked.push(john.ask({ text: 'hello' }, options));
    const replies = published;
    published = [];
    for (const replyTo of replies) {
      const subject = Buffer.from(replyTo, 'latin1');
      deliver(subject, '', ack);
      subject[replyTo.lastIndexOf('.') + 1] = 0x72;
      deliver(subject, replyHeaders, reply.payload);
    }
    await Promise.all(asked);
  }
}

await rounds(2_000);
const from = process.cpuUsage();
await rounds(ROUNDS);
const { user, system } = process.cpuUsage(from);
process.stdout.write(
  `${named ? 'named' : 'unnamed'}: ${((user + system) / (ROUNDS * WINDOW)).toFixed(2)} us per ask\n`,
);
await troupe.close();
