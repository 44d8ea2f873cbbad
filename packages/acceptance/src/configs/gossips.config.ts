import { defineConfig } from '@troupe/agent';
import { gossips } from '../agents/gossip.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: gossips, partitions: PARTITIONS });
