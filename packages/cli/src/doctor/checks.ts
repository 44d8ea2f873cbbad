/** Every check, in the order they are made and shown. A new one is a file under `checks/` and a line here. */
import type { Check } from './check.ts';
import { actors } from './checks/actors.ts';
import { clocks } from './checks/clocks.ts';
import { consistency } from './checks/consistency.ts';
import { deadLetters } from './checks/dead-letters.ts';
import { disk } from './checks/disk.ts';
import { errors } from './checks/errors.ts';
import { eventLoop } from './checks/event-loop.ts';
import { jetstream } from './checks/jetstream.ts';
import { lag } from './checks/lag.ts';
import { memory } from './checks/memory.ts';
import { owners } from './checks/owners.ts';
import { parked } from './checks/parked.ts';
import { quarantine } from './checks/quarantine.ts';
import { response } from './checks/response.ts';
import { server } from './checks/server.ts';
import { streams } from './checks/streams.ts';
import { turns } from './checks/turns.ts';
import { types } from './checks/types.ts';
import { workers } from './checks/workers.ts';

export const CHECKS: readonly Check[] = [
  server,
  jetstream,
  disk,
  streams,
  clocks,
  workers,
  types,
  owners,
  lag,
  response,
  turns,
  errors,
  actors,
  parked,
  deadLetters,
  quarantine,
  consistency,
  memory,
  eventLoop,
];
