import { defineConfig } from '@troupe/agent';
import { accountV1, auditor } from '../agents/account.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [accountV1, auditor], partitions: PARTITIONS });
