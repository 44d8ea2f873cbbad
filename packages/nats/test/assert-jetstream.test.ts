import { PortError } from '@troupe/runtime';
import { expect, test } from 'vitest';
import type { JsApi } from '../src/js-api.ts';
import { assertJetStream } from '../src/provision.ts';

/** An API whose calls fail like this, one after the other, and then succeed. */
function failing(...errors: PortError[]) {
  let calls = 0;
  const call = async () => {
    calls++;
    const error = errors.shift();
    if (error !== undefined) throw error;
  };
  return { api: { call, connection: { connected: true } } as unknown as JsApi, calls: () => calls };
}

test('a cluster that elects its leader is asked until it answers', async () => {
  const { api, calls } = failing(new PortError('timeout', 'late'), new PortError('timeout', 'late'));
  await assertJetStream(api);
  expect(calls()).toBe(3);
});

test('a server without JetStream is not asked again, and the error says what to do', async () => {
  const { api, calls } = failing(new PortError('disconnected', 'nobody'));
  await expect(assertJetStream(api)).rejects.toThrow('start nats-server with -js');
  expect(calls()).toBe(1);
});
