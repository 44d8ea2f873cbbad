/**
 * What the wire package costs per call. Run: `node packages/wire/bench/wire.bench.ts`. Prints one line per case,
 * microseconds per call, the best of five rounds.
 */
import { decodeState, decodeValue, encodeState, encodeValue } from '../src/codec.ts';
import { decodeEntry } from '../src/entry.ts';
import { hash53 } from '../src/hash.ts';
import { encodeOutcome } from '../src/outcome.ts';
import { partitionOf } from '../src/partition.ts';
import { decodePayload, encodePayload } from '../src/payload.ts';
import type { JournalVerb, OutcomeBody, StoredMessage } from '../src/record.ts';
import { decodeInternal, encodeInternal } from '../src/record-codec.ts';
import { createSubjects } from '../src/subjects.ts';
import { decodeUtf8, encodeUtf8 } from '../src/utf8.ts';

const ROUNDS = 5;
const CALLS = 50_000;

function measure(name: string, call: () => unknown): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < CALLS; i++) call();
    best = Math.min(best, performance.now() - start);
  }
  process.stdout.write(`${((best * 1_000) / CALLS).toFixed(3).padStart(8)} us  ${name}\n`);
}

const json = JSON.stringify({ type: 'placed', order: 4711, lines: [{ sku: 'A-1', n: 2 }], note: 'x'.repeat(120) });
const payload = encodeUtf8(json);
const message = (verb: JournalVerb, bytes: Uint8Array, headers: Record<string, string>): StoredMessage => ({
  seq: 1,
  at: 2,
  verb,
  type: 'order',
  keyToken: 'customer-17',
  payload: bytes,
  header: (name) => headers[name],
  headers: () => headers,
});

const state = {
  value: { open: 'waiting' },
  context: {
    count: 17,
    messages: Array.from({ length: 20 }, (_, i) => ({
      id: `m${i}`,
      role: 'user',
      at: 1_700_000_000_000 + i,
      text: 'x'.repeat(100),
    })),
  },
  children: {},
  historyValue: {},
};
const outcome: OutcomeBody = {
  kind: 'outcome',
  effectId: 'order/customer-17@4711.0',
  result: { ok: true, value: JSON.parse(json) },
};
const address = { type: 'order', key: 'customer-17' };
const subjects = createSubjects();
const inbox = '_INBOX.client.abcdefghijklmnopqrstuv.17';

const bare = message('task', payload, {});
const named = message('task', payload, {
  'Troupe-Task-Id': 'order-17',
  'Troupe-Reply-To': inbox,
  'Troupe-Deadline': '30s',
});
const record = encodeInternal(outcome).payload;
const stateBytes = encodeState(state);
const valueBytes = encodeValue(state);
const packed = encodePayload(JSON.parse(json), 'application/msgpack');
process.stdout.write(
  `json ${payload.length} B, state ${stateBytes.length} B (JSON ${JSON.stringify(state).length} B)\n`,
);

measure('JSON.parse alone', () => JSON.parse(json));
measure('encodeUtf8', () => encodeUtf8(json));
measure('decodeUtf8', () => decodeUtf8(payload));
measure('decodePayload JSON', () => decodePayload(payload));
measure('decodePayload msgpack', () => decodePayload(packed, 'application/msgpack'));
measure('decodeEntry task, no headers', () => decodeEntry(bare));
measure('decodeEntry task, 3 headers', () => decodeEntry(named));
measure('encodeInternal outcome', () => encodeInternal(outcome));
measure('decodeInternal outcome', () => decodeInternal(record));
measure('encodeState 20 messages', () => encodeState(state));
measure('decodeState 20 messages', () => decodeState(stateBytes));
measure('encodeValue 20 messages', () => encodeValue(state));
measure('decodeValue 20 messages', () => decodeValue(valueBytes));
measure('JSON.stringify 20 messages', () => JSON.stringify(state));
measure('encodeOutcome JSON', () =>
  encodeOutcome({ actor: address, seq: 17, taskId: '17', version: 1, outcome: outcome.result }),
);
measure('subjects.task', () => subjects.task(address));
measure('partitionOf', () => partitionOf(address, 64));
measure('hash53 of the payload', () => hash53(payload));
measure('hash53 of the state', () => hash53(stateBytes));
