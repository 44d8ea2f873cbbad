/** Runs the benchmarks that were asked for. */
import { readOptions, USAGE } from './bench-options.ts';
import { BENCHMARKS } from './benchmarks.ts';
import { createReport, progress } from './report.ts';

/** @returns the exit code. */
export async function runBenchmarks(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === 'help') {
    process.stdout.write(`${USAGE}\n\nBenchmarks: ${BENCHMARKS.map(({ name }) => name).join(', ')}\n`);
    return 0;
  }
  const unknown = options.only.filter((name) => !BENCHMARKS.some((one) => one.name === name));
  if (unknown.length > 0) {
    progress(
      `There is no benchmark ${unknown.join(', ')}. There are: ${BENCHMARKS.map(({ name }) => name).join(', ')}.`,
    );
    return 2;
  }
  const report = createReport(options.json);
  for (const { name, run } of BENCHMARKS) {
    if (options.only.length > 0 && !options.only.includes(name)) continue;
    progress(name);
    await run(report, options.full);
  }
  return 0;
}
