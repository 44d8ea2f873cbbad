/** Troupe's worker, as a process. `troupe-worker.ts <url> <types, comma-separated> <journals: one|each> <options as JSON> <more as JSON>` */
import { connectNats, createNatsPorts, provision } from '@troupe/nats';
import { type StartWorkerOptions, startWorker, type WorkerOptions } from '@troupe/runtime';
import { counterOf } from './machine.ts';
import { configFor } from './streams.ts';

const LOG = {
  debug: () => {},
  info: () => {},
  warn: (fields: object, message: string) => tell('warn', fields, message),
  error: (fields: object, message: string) => tell('error', fields, message),
};

function tell(level: string, fields: object, message: string): void {
  process.stderr.write(`worker ${level}: ${message} ${JSON.stringify(fields)}\n`);
}

type More = Pick<StartWorkerOptions, 'observe' | 'watchProbeMs'>;

async function main(
  url: string,
  types: string[],
  separate: boolean,
  options: WorkerOptions,
  more: More,
): Promise<void> {
  const connection = await connectNats({ servers: url, name: 'bench-worker' });
  const config = configFor(types, separate);
  await provision(connection, config);
  const ports = createNatsPorts(connection, config);
  const worker = await startWorker({ ports, definitions: types.map(counterOf), options, log: LOG, ...more });
  await worker.ready;
  process.send?.('ready');
  process.on('message', (message) => {
    if (message === 'stats') process.send?.(worker.stats());
    else if (message === 'collect') collect();
  });
  process.once('disconnect', () => void worker.drain().finally(() => process.exit()));
}

function collect(): void {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  process.send?.(process.memoryUsage());
}

const [url, types, journals, options, more] = process.argv.slice(2);
await main(url!, types!.split(','), journals === 'each', JSON.parse(options ?? '{}'), JSON.parse(more ?? '{}'));
