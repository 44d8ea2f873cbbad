/** The OpenAPI document: valid by somebody else's word, and true of what the gateway really answers. */
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Gateway } from '@troupe/service-gateway';
import { ROUTES } from '@troupe/service-gateway/internal';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counter } from './support/agents.ts';
import { Stage } from './support/stage.ts';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** What fills `{name}` in paths: an actor with an ended task and a dead letter. */
const FILL: Record<string, string> = { type: 'counter', key: 'spec', taskId: 'one', name: 'timers' };
/** Bodies of what needs one. */
const BODIES: Readonly<Record<string, unknown>> = {
  sendTask: 2,
  ask: 3,
  signal: { type: 'add', by: 1 },
  query: {},
  signIn: { token: 'any' },
};

let stage: Stage;
let gateway: Gateway;
let document: Document;

beforeAll(async () => {
  stage = await Stage.start([counter]);
  gateway = await stage.gateway();
  document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document;
  const actor = stage.troupe.actor('counter', 'spec');
  await actor.ask(1, { taskId: 'one' });
  await actor.ask({ type: 'nonsense' }).catch(() => undefined);
  const { letters } = (await (await fetch(`${gateway.url}/v1/dead-letters`)).json()) as { letters: { seq: number }[] };
  FILL.seq = `${letters[0]!.seq}`;
});
afterAll(() => stage.close());

const operations = (): { method: string; path: string; operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(document as never);
    expect(result).toEqual({ valid: true });
    expect(document.openapi).toBe('3.1.0');
  });

  test('has every route, once, under an id of its own', () => {
    const documented = operations().map(({ method, path }) => `${method} ${path}`);
    for (const { method, path } of ROUTES) expect(documented).toContain(`${method} ${path}`);
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(20);
  });

  test('describes what each operation really answers', async () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: 'document', components: document.components });
    const check = (schema: object, value: unknown, where: string): void => {
      const text = JSON.stringify(schema).replaceAll('#/components', 'document#/components');
      const validate = ajv.compile(JSON.parse(text) as object);
      expect(validate(value), `${where}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(value)}`).toBe(true);
    };
    // What removes comes last.
    const ordered = operations().sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));
    for (const { method, path, operation } of ordered) {
      const target = path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(FILL[name]!));
      const body = BODIES[operation.operationId];
      const response = await fetch(`${gateway.url}${target}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      });
      const where = `${method} ${path} (${response.status})`;
      const spec =
        operation.responses[response.status] ?? operation.responses[`${Math.floor(response.status / 100)}XX`];
      expect(spec, where).toBeDefined();
      const type = response.headers.get('Content-Type')?.split(';')[0];
      const documented = Object.keys(spec!.content ?? {}).map((name) => name.split(';')[0]);
      expect(documented, where).toEqual(type === undefined ? [] : [type]);
      if (type !== 'application/json') {
        await response.body?.cancel();
        continue;
      }
      const schema = Object.values(spec!.content!)[0]!.schema;
      if (schema !== undefined) check(schema, await response.json(), where);
    }
  });

  test('says which tokens are needed only where they are', async () => {
    const tokens = [{ name: 'ann', role: 'read', token: 'a-token-of-24-characters' }] as const;
    const guarded = await stage.gateway({ tokens });
    const headers = { Authorization: `Bearer ${tokens[0].token}` };
    const secured = (await (await fetch(`${guarded.url}/openapi.json`, { headers })).json()) as Document;
    const securityOf = (of: Document, path: string, method: string) =>
      (of.paths[path]![method] as { security?: object[] }).security;
    expect(securityOf(document, '/v1/actors', 'get')).toEqual([]);
    expect(securityOf(secured, '/v1/actors', 'get')).toEqual([{ token: [] }, { session: [] }]);
    expect(securityOf(secured, '/v1/session', 'post')).toEqual([]);
  });
});
