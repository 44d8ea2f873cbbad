/** Reads what spans are of a body in the protobuf encoding of OTLP, by the numbers of its fields alone. */

/** What is compared of a span. */
export interface ReadSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export function spansOfProtobuf(body: Buffer): ReadSpan[] {
  const spans = bytesOf(body, 1).flatMap((resource) => bytesOf(resource, 2).flatMap((scope) => bytesOf(scope, 2)));
  return spans.map((span) => ({
    traceId: bytesOf(span, 1)[0]!.toString('hex'),
    spanId: bytesOf(span, 2)[0]!.toString('hex'),
    parentId: bytesOf(span, 4)[0]!.toString('hex'),
    name: bytesOf(span, 5)[0]!.toString(),
  }));
}

/** Every value of one field that is bytes, text or a message. */
function bytesOf(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error(`the message ends within a number, at byte ${at}`);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const kind = tag & 7;
    if (kind === VARINT) varint();
    else if (kind === FIXED64) at += 8;
    else if (kind === FIXED32) at += 4;
    else if (kind === BYTES) {
      const length = varint();
      if (tag >> 3 === wanted) found.push(message.subarray(at, at + length));
      at += length;
    } else throw new Error(`a field of kind ${kind} at byte ${at}`);
  }
  return found;
}
