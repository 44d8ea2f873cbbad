import { createReplyAction, defineActor } from '@troupe/core';
import { taskMessage } from '@troupe/wire';
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { startWorker } from '../src/index.ts';
import { MemoryBroker, VirtualClock } from '../src/internal.ts';

const machine = setup({}).createMachine({ on: { task: { actions: createReplyAction('reply', 'hi') as never } } });

test('a worker is a micro service whose endpoints are its actor types', async () => {
  const clock = new VirtualClock();
  const broker = new MemoryBroker({ clock, partitions: 2 });
  const starting = startWorker({
    ports: broker.connect(),
    id: 'w1',
    definitions: [defineActor({ type: 'greeter', version: 3, machine: machine as never })],
  });
  await clock.advance(1_000);
  await starting;
  const client = broker.connect();
  const { payload, headers } = taskMessage('hello');
  void client.journal.publish('task', { type: 'greeter', key: 'a' }, payload, headers);
  await clock.advance(100);
  const ask = async (subject: string): Promise<Record<string, unknown>> => {
    let text = '';
    void client.bus.request(subject, new Uint8Array(), { timeoutMs: 1_000 }).then((message) => {
      text = new TextDecoder().decode(message.payload);
    });
    await clock.advance(100);
    return JSON.parse(text) as Record<string, unknown>;
  };
  expect(await ask('$SRV.PING')).toMatchObject({
    type: 'io.nats.micro.v1.ping_response',
    name: 'troupe-worker',
    id: 'w1',
  });
  expect(await ask('$SRV.INFO.troupe-worker')).toMatchObject({
    endpoints: [{ name: 'greeter', subject: 'troupe.ask.greeter.>', metadata: { version: '3' } }],
  });
  expect(await ask('$SRV.STATS.troupe-worker.w1')).toMatchObject({
    endpoints: [{ name: 'greeter', num_requests: 1, num_errors: 0 }],
  });
});
