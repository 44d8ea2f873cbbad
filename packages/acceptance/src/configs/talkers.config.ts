import { defineConfig } from '@troupe/agent';
import { ledger } from '../agents/ledger.ts';
import { support } from '../agents/support.ts';
import { PARTITIONS } from '../partitions.ts';

export default defineConfig({ actors: [support, ledger], partitions: PARTITIONS });
