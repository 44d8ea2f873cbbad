import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Counts what is loaded of OpenTelemetry with a worker's code, and after asking for an exporter. */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  let count = 0;
  registerHooks({ load(url, context, next) { if (url.includes('@opentelemetry')) count++; return next(url, context); } });
  await import('./src/run-worker.ts');
  const before = count;
  const { loadSpanExporter } = await import('@troupe/diagnostics');
  await loadSpanExporter();
  console.log(JSON.stringify([before, count > before]));
`;

test('a worker that exports no traces has nothing of OpenTelemetry in memory', () => {
  const seen = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: join(import.meta.dirname, '..'),
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(JSON.parse(seen)).toEqual([0, true]);
});
