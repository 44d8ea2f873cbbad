/** A request after it was let in: parameters read by the route's own specification, the body on demand. */
import type { IncomingMessage } from 'node:http';
import { type ActorAddress, parseTrace, type TraceContext, TroupeError, validAddress } from '@troupe/wire';
import type { Principal } from '../auth/role.ts';
import { bodyValue, contentTypeOf, readBody } from './body.ts';
import type { ParamSpec, Route } from './route.ts';
import type { Target } from './target.ts';

type Value = string | number | boolean;

const LENGTH_MAX = 1_024;

export class GatewayRequest {
  readonly raw: IncomingMessage;
  readonly principal: Principal | undefined;
  /** Aborted when the client goes away, the answer takes too long, or the gateway closes. */
  readonly signal: AbortSignal;
  readonly #route: Route;
  readonly #params: Readonly<Record<string, string>>;
  readonly #query: ReadonlyMap<string, Value>;
  readonly #bodyBytesMax: number;
  #body: Promise<Buffer> | undefined;

  /** @throws TroupeError `InvalidPayload` naming the parameter. */
  constructor(options: {
    readonly raw: IncomingMessage;
    readonly route: Route;
    readonly target: Target;
    readonly params: Readonly<Record<string, string>>;
    readonly principal: Principal | undefined;
    readonly signal: AbortSignal;
    readonly bodyBytesMax: number;
  }) {
    this.raw = options.raw;
    this.principal = options.principal;
    this.signal = options.signal;
    this.#route = options.route;
    this.#params = options.params;
    this.#query = readQuery(options.target.query, options.route.query ?? {});
    this.#bodyBytesMax = options.bodyBytesMax;
  }

  /** A parameter of the path. */
  param(name: string): string {
    return this.#params[name]!;
  }

  /** The actor in the path. @throws TroupeError `InvalidType`, `InvalidKey` */
  address(): ActorAddress {
    return validAddress({ type: this.param('type'), key: this.param('key') });
  }

  text(name: string): string | undefined {
    return this.#query.get(name) as string | undefined;
  }

  whole(name: string): number | undefined {
    return this.#query.get(name) as number | undefined;
  }

  on(name: string): boolean {
    return this.#query.get(name) === true;
  }

  /** A header of the route's specification. */
  header(name: string): Value | undefined {
    const spec = this.#route.headers?.[name];
    const value = this.raw.headers[name.toLowerCase()];
    if (spec === undefined || value === undefined) return undefined;
    return readValue(`header ${name}`, String(value), spec);
  }

  /** What the reader of an event stream has seen last. Browsers write it as UTF-8, which Node reads as Latin-1. */
  lastEventId(): string | undefined {
    const text = this.header('Last-Event-ID') as string | undefined;
    return text === undefined || text === '' ? undefined : Buffer.from(text, 'latin1').toString('utf8');
  }

  /** Whether the client would rather have this content type. */
  wants(contentType: string): boolean {
    return (this.raw.headers.accept ?? '').includes(contentType);
  }

  get trace(): TraceContext | undefined {
    const { traceparent, tracestate } = this.raw.headers;
    return parseTrace(one(traceparent), one(tracestate));
  }

  /** The body as a value. @throws TroupeError `PayloadTooLarge`, `UnsupportedContentType`, `InvalidPayload` */
  async value(): Promise<unknown> {
    const contentType = contentTypeOf(this.raw.headers['content-type']);
    this.#body ??= readBody(this.raw, this.#bodyBytesMax);
    return bodyValue(await this.#body, contentType);
  }

  /** The body as a JSON object. @throws TroupeError as `value` */
  async object(): Promise<Readonly<Record<string, unknown>>> {
    const value = (await this.value()) ?? {};
    if (typeof value === 'object' && !Array.isArray(value) && value !== null) return value as Record<string, unknown>;
    throw new TroupeError('InvalidPayload', 'The body has to be a JSON object, such as {"text":"shoe size"}.');
  }
}

function readQuery(query: URLSearchParams, specs: Readonly<Record<string, ParamSpec>>): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [name, text] of query) {
    if (!Object.hasOwn(specs, name)) {
      const known = Object.keys(specs).join(', ') || 'none';
      throw invalid(`There is no parameter ${JSON.stringify(name.slice(0, 100))} here; known are: ${known}`);
    }
    if (values.has(name)) throw invalid(`The parameter ${name} is given twice`);
    values.set(name, readValue(`parameter ${name}`, text, specs[name]!));
  }
  return values;
}

function readValue(what: string, text: string, spec: ParamSpec): Value {
  const { kind, min = 0, max = Number.MAX_SAFE_INTEGER, lengthMax = LENGTH_MAX } = spec;
  const shown = JSON.stringify(text.slice(0, 100));
  if (kind === 'switch') {
    if (text === 'true' || text === '') return true;
    if (text === 'false') return false;
    throw invalid(`The ${what} is ${shown}: it is true or false`);
  }
  if (kind === 'whole') {
    const number = Number(text);
    if (/^\d{1,16}$/.test(text) && number >= min && number <= max) return number;
    throw invalid(`The ${what} is ${shown}: it is a whole number from ${min} to ${max}`);
  }
  if (text.length <= lengthMax) return text;
  throw invalid(`The ${what} has ${text.length} characters, at most ${lengthMax} are taken`);
}

function one(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}

function invalid(what: string): TroupeError {
  return new TroupeError('InvalidPayload', `${what}. See /openapi.json.`);
}
