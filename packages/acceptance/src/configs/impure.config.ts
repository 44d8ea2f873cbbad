import { defineConfig } from '@troupe/agent';
import { impure } from '../agents/impure.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [impure], partitions: PARTITIONS });
