/**
 * Old records made readable: one function per format, each leading to the next. Journals outlive releases, so a function
 * here is never removed while a stored record may need it.
 *
 * A record is the list `[format, kind, ...fields]`. Fields may be added at the end of a kind without a new format:
 * readers take a missing field as absent and ignore fields they don't know. Anything else raises `RECORD_FORMAT`.
 */
import { CodecError } from './codec-error.ts';
import { RECORD_FORMAT } from './record.ts';

/** A record as it was decoded. */
export type RawRecord = readonly unknown[];

/** From format n to n + 1, by n. */
const UPGRADES: Readonly<Record<number, (record: RawRecord) => RawRecord>> = {};

/**
 * The record in today's format. Throws `CodecError`: `RecordTooNew` when it was written by a later release (the worker
 * must not fold it), `InvalidPayload` when it is no record.
 */
export function upgradeRecord(raw: unknown): RawRecord {
  if (!Array.isArray(raw) || !Number.isInteger(raw[0]) || raw[0] < 1) {
    throw new CodecError('InvalidPayload', 'The payload on an event subject is not a journal record.');
  }
  let record: RawRecord = raw;
  for (let format = raw[0] as number; format < RECORD_FORMAT; format++) record = UPGRADES[format]!(record);
  if ((record[0] as number) > RECORD_FORMAT) {
    throw new CodecError(
      'RecordTooNew',
      `The journal record has format ${record[0]}, this release reads up to ${RECORD_FORMAT}: upgrade this worker.`,
    );
  }
  return record;
}
