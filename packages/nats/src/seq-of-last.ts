/**
 * Where the newest entries of one actor begin, without reading the older ones: the server counts what lies behind a
 * sequence whenever it makes a consumer, so that a search takes some twenty small requests however long the journal is.
 */
import { consumerName } from './consumer-name.ts';
import type { JsApi } from './js-api.ts';

export interface LastOptions {
  readonly api: JsApi;
  readonly stream: string;
  readonly filter: string;
  /** Included; nothing before it counts. */
  readonly fromSeq: number;
  /** Included; nothing after it counts. */
  readonly toSeq: number;
  /** How many are wanted. */
  readonly last: number;
}

export interface LastStretch {
  /** From here to the end there are at least as many as wanted, or all there are. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** So many of them come before those that are wanted. */
  readonly skip: number;
}

/** Reading so many too many costs less than another question. */
const SURPLUS_MAX = 64;
/** For counting only: gone as soon as it has answered, or by itself. */
const INACTIVE_NANOS = 5_000_000_000;

/** Throws `PortError`. Undefined when there is nothing in the range. */
export async function findLast(options: LastOptions): Promise<LastStretch | undefined> {
  const { api, stream, filter, last } = options;
  const newest = await api.readLast(stream, filter);
  if (newest === undefined || last <= 0 || options.fromSeq > Math.min(newest.seq, options.toSeq)) return undefined;
  const toSeq = Math.min(options.toSeq, newest.seq);
  const after = toSeq < newest.seq ? await countFrom(options, toSeq + 1) : 0;
  const count = async (seq: number): Promise<number> => Math.max(0, (await countFrom(options, seq)) - after);
  let low = { seq: options.fromSeq, count: await count(options.fromSeq) };
  let highSeq = toSeq + 1;
  while (low.count > last + SURPLUS_MAX && highSeq - low.seq > 1) {
    const seq = guess(low, highSeq, last);
    const found = await count(seq);
    if (found >= last) low = { seq, count: found };
    else highSeq = seq;
  }
  return low.count === 0 ? undefined : { fromSeq: low.seq, toSeq, skip: Math.max(0, low.count - last) };
}

/** The middle, or where they would begin if they lay evenly, whichever cuts off more. */
function guess(low: { readonly seq: number; readonly count: number }, highSeq: number, last: number): number {
  const span = highSeq - low.seq;
  const even = highSeq - Math.ceil((span * (last + SURPLUS_MAX / 2)) / low.count);
  return Math.min(highSeq - 1, Math.max(low.seq + Math.floor(span / 2), even));
}

async function countFrom({ api, stream, filter }: LastOptions, fromSeq: number): Promise<number> {
  const name = consumerName('count');
  const config = {
    name,
    ack_policy: 'none',
    ...(fromSeq > 1 ? { deliver_policy: 'by_start_sequence', opt_start_seq: fromSeq } : { deliver_policy: 'all' }),
    filter_subject: filter,
    headers_only: true,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: INACTIVE_NANOS,
  };
  const verb = `CONSUMER.CREATE.${stream}.${name}.${filter}`;
  const info = await api.call<{ readonly num_pending: number }>(verb, { stream_name: stream, config, action: '' });
  void api.call(`CONSUMER.DELETE.${stream}.${name}`, undefined, 1_000).catch(() => undefined);
  return info.num_pending;
}
