import { contract } from '@troupe/agent';
import { z } from 'zod';

/** The words between `support` and whoever talks to it. */
export const support = contract({
  type: 'support',
  task: { input: z.string(), output: z.string() },
  events: { approve: z.object({ by: z.string() }) },
});
