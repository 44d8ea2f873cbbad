import { defineConfig } from '@troupe/agent';
import { rollingV1 } from '../agents/rolling.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [rollingV1], partitions: PARTITIONS });
