/** What one step costs by itself: the whole step, and the machine driver in it. */
import { emptyState, step } from '@troupe/core';
import { decodeEntry, type StoredMessage } from '@troupe/wire';
import { counterOf, TYPE } from './machine.ts';
import type { Report } from './report.ts';

const ROUNDS = 9;
const WARM_UP_ROUNDS = 2;
const NAMES = ['Troupe-Task-Id', 'Troupe-Created', 'Troupe-Reply-To'] as const;

/** The best of several rounds: what the machine does meanwhile only adds. */
export function benchPureStep(report: Report, stepsPerRound: number): void {
  const definition = counterOf(TYPE);
  let state = emptyState({ type: TYPE, key: 'john' }, definition.version, definition.hash);
  let seq = 0;
  const startAt = 1_700_000_000_000;
  const payload = Buffer.from(JSON.stringify('m'.repeat(198)));
  const whole = best(stepsPerRound, () => {
    seq++;
    const entry = decodeEntry(taskAt(seq, startAt + seq, payload));
    state = step(definition, state, entry, payload.length).state;
    // Else the actor runs into its limit of named tasks.
    if (seq % 5_000 === 0) state = emptyState(state.address, state.version, state.hash);
  });
  const { driver } = definition;
  const event = { type: 'task', input: 'm'.repeat(198) };
  const scope = { now: startAt, address: state.address, seed: 'bench', nextId: () => '1.0' };
  let machine = driver.init({}, scope).state;
  const inDriver = best(stepsPerRound, () => {
    driver.accepts(machine, event, scope);
    machine = driver.transition(machine, '', event, scope).state;
  });
  report({ name: 'pure-step', decodeAndStepUs: whole, driverUs: inDriver });
}

function best(calls: number, call: () => void): number {
  let bestUs = Number.POSITIVE_INFINITY;
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const from = performance.now();
    for (let i = 0; i < calls; i++) call();
    if (round >= 0) bestUs = Math.min(bestUs, ((performance.now() - from) / calls) * 1_000);
  }
  return bestUs;
}

function taskAt(seq: number, at: number, payload: Uint8Array): StoredMessage {
  const values = [`task-${seq}`, '2026-01-01T00:00:00.000Z', '_INBOX.abcdefghijklmnopqrstuv.r1'];
  const headers = Object.fromEntries(NAMES.map((name, i) => [name, values[i]!]));
  return {
    seq,
    at,
    verb: 'task',
    type: TYPE,
    keyToken: 'john',
    payload,
    header: (name) => headers[name],
    headers: () => headers,
  };
}
