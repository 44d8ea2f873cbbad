import { defineConfig } from '@troupe/agent';
import { errand, onceErrand, tally } from '../agents/errands.ts';

/** As a user's project is: every limit at its default. */
export default defineConfig({ actors: [tally, errand, onceErrand] });
