/** From the start of a worker's process to the end of its first turn. */
import { connect } from '@troupe/client';
import { startServerProcess } from '@troupe/nats';
import { TYPE } from './machine.ts';
import { WorkerProcess } from './processes.ts';
import type { Report } from './report.ts';
import { median } from './statistics.ts';

export async function benchFirstTurn(report: Report, rounds: number): Promise<void> {
  await using server = await startServerProcess();
  const first = await WorkerProcess.start('troupe-worker.ts', [server.url, TYPE, 'one']);
  await first.stop();
  const readyMs: number[] = [];
  const firstTurnMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using troupe = await connect({ url: server.url });
    const from = performance.now();
    const worker = await WorkerProcess.start('troupe-worker.ts', [server.url, TYPE, 'one']);
    readyMs.push(performance.now() - from);
    await troupe.actor(TYPE, `first-${round}`).ask('x');
    firstTurnMs.push(performance.now() - from);
    await worker.stop();
  }
  report({ name: 'first-turn', firstTurnMs: median(firstTurnMs), readyMs: median(readyMs) });
}
