/** The body of a request, read within its bounds. */
import type { IncomingMessage } from 'node:http';
import { type ContentType, decodePayload, parseContentType, TroupeError } from '@troupe/wire';
import { HttpError } from './http-error.ts';

/** Reads it all. Time is bounded by the server (`requestMs`). @throws HttpError `PayloadTooLarge` */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bytesMax) throw tooLarge(`${announced}`, bytesMax);
  if (request.headers['content-encoding'] !== undefined)
    throw unsupported(`Content-Encoding ${JSON.stringify(request.headers['content-encoding'].slice(0, 50))}`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(`more than ${bytesMax}`, bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** The content type that a body is read by; undefined where none is given. @throws TroupeError `UnsupportedContentType` */
export function contentTypeOf(header: string | undefined): ContentType | undefined {
  if (header === undefined) return undefined;
  try {
    return parseContentType(header);
  } catch {
    throw unsupported(`Content-Type ${JSON.stringify(header.slice(0, 100))}`);
  }
}

/** The value in a body, as a worker would read it. @throws TroupeError `InvalidPayload` */
export function bodyValue(body: Buffer, contentType: ContentType | undefined): unknown {
  if (body.length === 0) return undefined;
  return decodePayload(body, contentType).value;
}

function tooLarge(seen: string, bytesMax: number): HttpError {
  const error = new TroupeError(
    'PayloadTooLarge',
    `The body has ${seen} bytes, this gateway takes ${bytesMax}: send less, or store the data elsewhere and send a reference.`,
    { details: { bytesMax } },
  );
  return new HttpError(error, {}, true);
}

function unsupported(what: string): TroupeError {
  return new TroupeError(
    'UnsupportedContentType',
    `${what} is not read: send application/json, application/msgpack or text/plain, not compressed.`,
  );
}
