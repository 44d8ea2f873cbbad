/**
 * NATS as fast as the client library can be driven: header blocks written by hand, received bytes read without the
 * library's accessors, one wildcard subscription for all answers. What Troupe is measured against.
 */
import { connect, type Msg, type MsgHdrs, type NatsConnection } from 'nats';

interface Insides {
  readonly _msg?: { readonly subject: Uint8Array; readonly hdr: number };
  readonly _rdata?: Uint8Array;
}

export function connectRaw(url: string, name: string): Promise<NatsConnection> {
  return connect({ servers: url, name, noAsyncTraces: true } as Parameters<typeof connect>[0]);
}

/** A header block in the form that the library's `publish` takes. */
export class HeaderBlock {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  encode(): Uint8Array {
    return Buffer.from(this.#text, 'latin1');
  }
}

export function asHeaders(block: string): MsgHdrs {
  return new HeaderBlock(block) as unknown as MsgHdrs;
}

export function subjectBytes(msg: Msg): Uint8Array {
  return (msg as Insides)._msg?.subject ?? Buffer.from(msg.subject);
}

export function headerText(msg: Msg): string {
  const { _msg, _rdata } = msg as Insides;
  if (_msg === undefined || _rdata === undefined) return msg.headers?.toString() ?? '';
  return _msg.hdr > 0 ? Buffer.from(_rdata.buffer, _rdata.byteOffset, _msg.hdr).toString('latin1') : '';
}
