/** Compare-and-set on a subject's last message, as JetStream offers it. */
import { type Clock, PortError, type SaveResult } from '@troupe/runtime';
import { compareAndSet, type WriteAttempt } from '@troupe/runtime/internal';
import { nuid } from 'nats';
import { headerBytes, trustedHeaders } from './header-block.ts';
import type { JsApi } from './js-api.ts';
import { API_ERRORS, apiPortError } from './port-error.ts';

/** Names the write, so that a read-back can tell whose it is. */
export const WRITE_ID_HEADER = 'Troupe-Write-Id';

export interface ConditionalPublish {
  readonly api: JsApi;
  readonly clock: Clock;
  readonly stream: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Known to be valid. */
  readonly headers: Record<string, string>;
  /** Undefined: no comparison. */
  readonly expectedRevision: number | undefined;
}

/** Publishes if the subject's last sequence is the expected one. Rejects with `PortError`. */
export async function conditionalPublish(publish: ConditionalPublish): Promise<SaveResult> {
  const { api, clock, stream, subject, expectedRevision } = publish;
  const writeId = nuid.next();
  const bytesMax = api.connection.payloadBytesMax;
  const headers = trustedHeaders({
    ...publish.headers,
    [WRITE_ID_HEADER]: writeId,
    ...(expectedRevision !== undefined && { 'Nats-Expected-Last-Subject-Sequence': String(expectedRevision) }),
  });
  const bytes = publish.payload.length + headerBytes(headers);
  if (bytes > bytesMax)
    throw new PortError('too-large', `${subject} gets ${bytes} bytes, the server takes ${bytesMax}`);
  return compareAndSet({
    clock,
    expectedRevision,
    attempt: async (timeoutMs): Promise<WriteAttempt> => {
      const ack = await api.publish(subject, publish.payload, headers, timeoutMs);
      if (ack.ok) return { kind: 'stored', revision: ack.seq };
      if (ack.error.err_code === API_ERRORS.wrongLastSequence) return { kind: 'mismatch' };
      if (ack.error.err_code === API_ERRORS.wrongLastSequenceInFlight) return { kind: 'busy' };
      throw apiPortError(`writing ${subject}`, ack.error);
    },
    readBack: async (timeoutMs) => {
      const stored = await api.readLast(stream, subject, timeoutMs);
      return stored && { revision: stored.seq, mine: stored.header(WRITE_ID_HEADER) === writeId };
    },
  });
}
