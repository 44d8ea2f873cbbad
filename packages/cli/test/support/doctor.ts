/** What tests of `troupe doctor` share. */
import { type OpenPorts, openPorts } from '@troupe/service-worker';
import { resolveSettings } from '@troupe/service-worker/internal';

export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'problem' | 'unknown';
  readonly message: string;
  readonly fix?: string;
}

/** The ports of four partitions. @param env `provision`, with any value: makes the streams */
export async function portsAt(natsUrl: string, env: Record<string, string> = {}): Promise<OpenPorts> {
  const { settings } = resolveSettings({ flags: { 'nats-url': natsUrl, partitions: '4' }, env, cwd: '/' });
  return openPorts({ settings, name: 'doctor-test', provision: env.provision !== undefined });
}

/**
 * @param types each with `@` and its version, unless that is 1
 * @param more fields of the config, as text
 */
export const configOf = (types: string[], more = ''): string => `
import { defineAgent, defineConfig } from '@troupe/agent';
import { counter } from './agents/counter.ts';
import { faulty } from './agents/faulty.ts';
const machines = { counter, faulty, guest: counter, stranger: counter, elder: counter };
export default defineConfig({
  actors: ${JSON.stringify(types)}.map((one) => {
    const [type, version = 1] = one.split('@');
    return defineAgent({ type, version: Number(version), machine: machines[type] });
  }),
  partitions: 4,
  streams: { journal: { bytesMax: ${8 * 1_048_576} } },
  // One turn below never ends, and a drain waits for it.
  worker: { drainDeadlineMs: 500 },
  ${more}
});
`;

/** Does what it is told, none of it good. */
export const FAULTY = `
import { reply } from '@troupe/agent';
import { fromPromise, setup } from 'xstate';
const eaten = [];
const deeds = {
  hang: () => new Promise(() => {}),
  eat: (mib) => { for (let i = 0; i < mib; i++) eaten.push(Buffer.alloc(1_048_576, 1)); },
  block: (ms) => { const endAt = performance.now() + ms; while (performance.now() < endAt); },
};
export const faulty = setup({
  actors: { misbehave: fromPromise(async ({ input }) => { await deeds[input.deed](input.amount); return 'done'; }) },
  guards: { dies: ({ event }) => event.input.deed === 'die' && process.kill(process.pid, 'SIGKILL') },
}).createMachine({
  initial: 'idle',
  states: {
    idle: { on: { task: [{ guard: 'dies' }, { target: 'busy' }] } },
    busy: { invoke: { src: 'misbehave', input: ({ event }) => event.input, onDone: { target: 'idle', actions: reply('done') } } },
  },
});
`;
