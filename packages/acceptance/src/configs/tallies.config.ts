import { defineConfig } from '@troupe/agent';
import { tally } from '../agents/errands.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [tally], partitions: PARTITIONS });
