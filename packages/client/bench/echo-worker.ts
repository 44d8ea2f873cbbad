/** Answers every task with its input, as fast as the library allows. */
import { AckPolicy, connect, headers } from 'nats';

const nc = await connect({ servers: process.argv[2] ?? 'nats://127.0.0.1:4222' });
const jsm = await nc.jetstreamManager();
await jsm.streams.add({ name: 'JOURNAL', subjects: ['troupe.task.>', 'troupe.signal.>', 'troupe.event.*.*'] });
await jsm.consumers.add('JOURNAL', { durable_name: 'worker', ack_policy: AckPolicy.None });
const consumer = await nc.jetstream().consumers.get('JOURNAL', 'worker');
await consumer.consume({
  max_messages: 4_096,
  callback: (message) => {
    const reply = headers();
    reply.set('Troupe-Actor', 'support/john');
    reply.set('Troupe-Seq', `${message.seq}`);
    reply.set('Troupe-Task-Id', message.headers?.get('Troupe-Task-Id') || `${message.seq}`);
    reply.set('Content-Type', 'application/json');
    nc.publish(message.headers?.get('Troupe-Reply-To') ?? '', message.data, { headers: reply });
  },
});
process.send?.('ready');
