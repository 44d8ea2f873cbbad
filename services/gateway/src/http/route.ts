/** A route as data: what it takes, who may, what it answers. Checking, dispatch and the OpenAPI document come from it. */
import type { Role } from '../auth/role.ts';
import type { GatewayContext } from '../context.ts';
import type { GatewayRequest } from './gateway-request.ts';
import type { Reply } from './reply.ts';

/** A JSON Schema, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parameter of the path, the query or the head. */
export interface ParamSpec {
  readonly kind: 'text' | 'whole' | 'switch';
  readonly meaning: string;
  readonly required?: boolean;
  /** Of whole numbers. Default 0 to 2^53 - 1. */
  readonly min?: number;
  readonly max?: number;
  /** Said in the document; the route itself applies it. */
  readonly default?: string | number | boolean;
  /** Most characters of text. Default 1,024. */
  readonly lengthMax?: number;
}

/** What a body may be. */
export interface BodySpec {
  readonly meaning: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** One answer. */
export interface ResponseSpec {
  readonly meaning: string;
  /** Of its JSON; absent: no body. */
  readonly schema?: JsonSchema;
  /** Default `application/json`. */
  readonly contentType?: string;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` for whole segments. */
  readonly path: string;
  readonly operationId: string;
  /** Groups it in the document. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The least role that may use it; `anyone` for signing in. */
  readonly role: Role | 'anyone';
  readonly params?: Readonly<Record<string, ParamSpec>>;
  readonly query?: Readonly<Record<string, ParamSpec>>;
  /** Headers it reads, besides those that every request may have. */
  readonly headers?: Readonly<Record<string, ParamSpec>>;
  readonly body?: BodySpec;
  /** By status; errors of every route are added by the document. */
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  handle(request: GatewayRequest, context: GatewayContext): Promise<Reply> | Reply;
}
