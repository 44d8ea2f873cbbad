/** Run as a process of its own: continues machines from the bytes on standard input, and writes the bytes they came to. */
import { readFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { travel } from './travel.ts';

const cases = deserialize(readFileSync(0)) as { spec: never; ops: never; start: Uint8Array | undefined }[];
const steps = cases.map(({ spec, ops, start }) => travel(spec, ops, start).steps);
process.stdout.write(serialize(steps));
