import { defineConfig } from '@troupe/agent';
import { accountV2, auditor } from '../agents/account.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [accountV2, auditor], partitions: PARTITIONS });
