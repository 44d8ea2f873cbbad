import { defineConfig } from '@troupe/agent';
import { accountV2Unmigrated, auditor } from '../agents/account.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [accountV2Unmigrated, auditor], partitions: PARTITIONS });
