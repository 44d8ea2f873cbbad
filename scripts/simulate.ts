/** `npm run simulate`: the runtime under seeded faults, in virtual time; see docs/design/simulation.md. */
import { runSimulate } from '@troupe/testing/internal';

process.exitCode = await runSimulate(process.argv.slice(2));
