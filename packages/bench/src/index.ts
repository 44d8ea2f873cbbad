/** The benchmarks. `npm run bench` runs them; see docs/benchmarks.md. */
export { runBenchmarks } from './main.ts';
