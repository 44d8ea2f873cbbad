/** `npm run proof`: the long form of the proof under load; see packages/acceptance/README.md. */
import { runProof } from '@troupe/acceptance';

process.exitCode = await runProof(process.argv.slice(2));
