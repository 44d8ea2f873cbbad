import { portConformance } from '@troupe/runtime/internal';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startWorlds } from './support/nats-harness.ts';

let worlds: Awaited<ReturnType<typeof startWorlds>>;
beforeAll(async () => {
  worlds = await startWorlds();
});
afterAll(() => worlds.close());

portConformance('on JetStream', (options) => worlds.make(options), { describe, test });
