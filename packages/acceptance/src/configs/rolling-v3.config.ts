import { defineConfig } from '@troupe/agent';
import { rollingV3 } from '../agents/rolling.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [rollingV3], partitions: PARTITIONS });
