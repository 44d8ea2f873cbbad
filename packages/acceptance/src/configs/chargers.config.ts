import { defineConfig } from '@troupe/agent';
import { charger, onceCharger } from '../agents/charger.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [charger, onceCharger], partitions: PARTITIONS });
