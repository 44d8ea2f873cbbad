/**
 * The dead letter port on JetStream. The payload is the original one; the reason and the original headers are in headers,
 * so `nats sub 'troupe.dead.>'` shows what happened.
 *
 * Idempotent by the subject, which carries the sequence, and "nothing there yet" as the condition. With several journal
 * streams two of them may have the same sequence: they then differ in the type.
 */
import type { Clock, DeadLetter, DeadLetterPort } from '@troupe/runtime';
import { type ActorAddress, decodeKey, encodeKey, type JournalVerb } from '@troupe/wire';
import { conditionalPublish } from './conditional-publish.ts';
import type { NatsConfig } from './config.ts';
import { decodeMeta, encodeMeta, type LetterMeta } from './dead-letter-meta.ts';
import { findHeader } from './header-block.ts';
import type { JsApi } from './js-api.ts';
import { headerText, subjectBytes, text } from './message-bytes.ts';
import { scanStream } from './stream-scan.ts';

export class NatsDeadLetters implements DeadLetterPort {
  readonly #api: JsApi;
  readonly #config: NatsConfig;
  readonly #clock: Clock;

  constructor(api: JsApi, config: NatsConfig, clock: Clock) {
    this.#api = api;
    this.#config = config;
    this.#clock = clock;
  }

  async put(letter: DeadLetter): Promise<void> {
    await conditionalPublish({
      api: this.#api,
      clock: this.#clock,
      stream: this.#config.streams.deadLetters,
      subject: this.#subject(letter),
      payload: letter.payload,
      headers: encodeMeta(letter),
      expectedRevision: 0,
    });
  }

  async get(seq: number): Promise<DeadLetter | undefined> {
    const stored = await this.#find(seq);
    return stored && readLetter(stored.subject, stored.payload, decodeMeta(stored.header));
  }

  async *list(filter: { readonly type?: string; readonly key?: string }): AsyncIterable<DeadLetter> {
    const key = filter.key === undefined ? '*' : encodeKey(filter.key);
    const pattern = `${this.#config.subjects.prefix}.dead.${filter.type ?? '*'}.${key}.*`;
    const stream = this.#config.streams.deadLetters;
    for await (const { msg } of scanStream({ api: this.#api, clock: this.#clock, stream, filters: [pattern] })) {
      const block = headerText(msg);
      yield readLetter(
        text(subjectBytes(msg)),
        msg.data.slice(),
        decodeMeta((name) => findHeader(block, name)),
      );
    }
  }

  async remove(seq: number): Promise<boolean> {
    const stored = await this.#find(seq);
    return stored !== undefined && this.#api.deleteMessage(this.#config.streams.deadLetters, stored.seq);
  }

  #find(seq: number): ReturnType<JsApi['readLast']> {
    return this.#api.readLast(this.#config.streams.deadLetters, `${this.#config.subjects.prefix}.dead.*.*.${seq}`);
  }

  #subject({ address, seq }: DeadLetter): string {
    const isInvalid = address.type === INVALID.type && address.key === INVALID.key;
    return this.#config.subjects.dead(isInvalid ? undefined : address, seq);
  }
}

const INVALID: ActorAddress = { type: 'invalid', key: 'invalid' };

function readLetter(subject: string, payload: Uint8Array, meta: LetterMeta): DeadLetter {
  const [type, keyToken, seq] = subject.split('.').slice(-3) as [string, string, string];
  return {
    seq: Number(seq),
    at: meta.at,
    address: { type, key: decodeKey(keyToken) },
    code: meta.code,
    message: meta.message,
    verb: meta.verb as JournalVerb,
    subject: meta.subject,
    headers: meta.headers,
    payload,
    ...(meta.details !== undefined && { details: meta.details }),
  };
}
