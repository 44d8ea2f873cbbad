/** Reads the fields of a decoded record, each checked: what a journal holds may be damaged. */
import { type ActorAddress, parseAddress } from './address.ts';
import { CodecError } from './codec-error.ts';
import { type FailureRecord, isFailureRecord } from './failure.ts';
import type { Outcome, TraceContext } from './record.ts';
import type { RawRecord } from './upgrade.ts';

/** A cursor over `[format, kind, ...fields]`; every reader throws `CodecError` with `InvalidPayload`. */
export class Fields {
  readonly #record: RawRecord;
  readonly #kind: string;
  #at: number;

  constructor(record: RawRecord, kind: string, from: number) {
    this.#record = record;
    this.#kind = kind;
    this.#at = from;
  }

  any(): unknown {
    return this.#record[this.#at++];
  }

  text(): string {
    const value = this.any();
    return typeof value === 'string' ? value : this.#fail('text');
  }

  number(): number {
    const value = this.any();
    return typeof value === 'number' ? value : this.#fail('a number');
  }

  flag(): boolean {
    const value = this.any();
    return typeof value === 'boolean' ? value : this.#fail('true or false');
  }

  list(): readonly unknown[] {
    const value = this.any();
    return Array.isArray(value) ? value : this.#fail('a list');
  }

  optionalText(): string | undefined {
    const value = this.any();
    if (value === null || value === undefined) return undefined;
    return typeof value === 'string' ? value : this.#fail('text or nothing');
  }

  optionalNumber(): number | undefined {
    const value = this.any();
    if (value === null || value === undefined) return undefined;
    return typeof value === 'number' ? value : this.#fail('a number or nothing');
  }

  address(): ActorAddress {
    return parseAddress(this.text());
  }

  addresses(): ActorAddress[] {
    return this.list().map((item) => (typeof item === 'string' ? parseAddress(item) : this.#fail('addresses')));
  }

  event(): { readonly type: string } {
    const value = this.any();
    if (typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string') {
      return value as { type: string };
    }
    return this.#fail('an event with a type');
  }

  failure(): FailureRecord {
    const value = this.any();
    return isFailureRecord(value) ? value : this.#fail('a failure');
  }

  outcome(): Outcome {
    return this.flag() ? { ok: true, value: this.any() } : { ok: false, error: this.failure() };
  }

  /** Two fields: both absent when there is no trace. */
  trace(): { trace?: TraceContext } {
    const traceparent = this.optionalText();
    const tracestate = this.optionalText();
    if (traceparent === undefined) return {};
    return { trace: tracestate === undefined ? { traceparent } : { traceparent, tracestate } };
  }

  #fail(wanted: string): never {
    throw new CodecError(
      'InvalidPayload',
      `Field ${this.#at - 1} of the ${this.#kind} record is not ${wanted}: the journal entry is damaged.`,
    );
  }
}
