import { defineConfig } from '@troupe/agent';
import { rollingV2 } from '../agents/rolling.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [rollingV2], partitions: PARTITIONS });
