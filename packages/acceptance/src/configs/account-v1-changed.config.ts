import { defineConfig } from '@troupe/agent';
import { accountV1Changed, auditor } from '../agents/account.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [accountV1Changed, auditor], partitions: PARTITIONS });
