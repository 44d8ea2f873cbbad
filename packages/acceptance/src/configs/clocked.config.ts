import { defineConfig } from '@troupe/agent';
import { clocked } from '../agents/clocked.ts';
import { hasty } from '../agents/hasty.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [clocked, hasty], partitions: PARTITIONS });
