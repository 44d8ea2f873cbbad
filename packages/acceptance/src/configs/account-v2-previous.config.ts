import { defineConfig } from '@troupe/agent';
import { accountV2WithPrevious, auditor } from '../agents/account.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [accountV2WithPrevious, auditor], partitions: PARTITIONS });
