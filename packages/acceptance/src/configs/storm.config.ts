import { defineConfig } from '@troupe/agent';
import { ledger } from '../agents/ledger.ts';
import { courier, onceCourier } from '../agents/outside.ts';

/** As a user's project is: every limit at its default. */
export default defineConfig({ actors: [ledger, courier, onceCourier] });
