/** `npm run bench`: see docs/benchmarks.md. */
import { runBenchmarks } from '@troupe/bench';

process.exitCode = await runBenchmarks(process.argv.slice(2));
