/**
 * What a session's turns write, early and late: one actor at a time is given 5,000 turns, and the streams are read around
 * the turns up to 10 and around the thousand up to 5,000.
 */
import { connect } from '@troupe/client';
import { startServerProcess } from '@troupe/nats';
import { bytesBetween, readStreams } from './bytes.ts';
import { TYPE } from './machine.ts';
import { WorkerProcess } from './processes.ts';
import type { Report } from './report.ts';
import { configFor } from './streams.ts';

const INPUT = 'm'.repeat(198);
const SESSIONS = 32;
const EARLY_TURNS = 10;
const LATE_TURNS = 1_000;

export async function benchSessionBytes(report: Report, turns: number): Promise<void> {
  await using server = await startServerProcess();
  await using stack = new AsyncDisposableStack();
  const worker = await WorkerProcess.start('troupe-worker.ts', [server.url, TYPE, 'one']);
  stack.defer(() => worker.stop());
  const troupe = await connect({ url: server.url });
  stack.defer(() => troupe.close());
  const sessions = Array.from({ length: SESSIONS }, (_, n) => troupe.actor(TYPE, `s${n}`));
  const take = async (count: number): Promise<void> => {
    await Promise.all(
      sessions.map(async (session) => {
        for (let turn = 0; turn < count; turn++) await session.ask(INPUT);
      }),
    );
  };
  const streams = (): ReturnType<typeof readStreams> => readStreams(server.url, configFor([TYPE], false));
  const measured = async (count: number): Promise<ReturnType<typeof bytesBetween>> => {
    const before = await streams();
    await take(count);
    return bytesBetween(before, await streams());
  };
  const early = await measured(EARLY_TURNS);
  await take(turns - EARLY_TURNS - LATE_TURNS);
  const late = await measured(LATE_TURNS);
  for (const [turn, { perTurn, ownPerTurn }] of [[EARLY_TURNS, early] as const, [turns, late] as const]) {
    report({
      name: 'session-bytes',
      turn,
      bytesPerTurn: perTurn,
      ownBytesPerTurn: ownPerTurn,
      bytesRatio: perTurn / ownPerTurn,
    });
  }
}
