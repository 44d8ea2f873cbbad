/** The OpenAPI 3.1 document, made of the routes themselves. */
import { TOKEN_LENGTH_MIN } from '../auth/token-book.ts';
import type { ParamSpec, Route } from '../http/route.ts';
import { ref, SCHEMAS } from './schemas.ts';

/** Statuses that any route may answer with, besides its own. */
const ERRORS: Readonly<Record<string, string>> = {
  '4XX': 'What was sent is refused; `code` says why.',
  '5XX': 'It failed, or nobody could answer in time; `code` says why.',
};

const TAGS: Readonly<Record<string, string>> = {
  tasks: 'Sending to actors.',
  actors: 'Looking at actors.',
  events: 'Server-sent events.',
  'dead letters': 'Inputs that could not be applied.',
  cluster: 'Workers and partitions.',
  health: 'For probes and monitoring.',
  session: 'Who is asking.',
};

/** @param secured Whether this gateway wants tokens. */
export function openApiDocument(routes: readonly Route[], secured: boolean): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operationOf(route, secured);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Troupe gateway',
      version: '1.0.0',
      description:
        'Actors over HTTP. Errors are `{ code, message, details }` with the status of their code, see docs/reference/errors.md.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This gateway.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: `A token of the gateway, at least ${TOKEN_LENGTH_MIN} characters.`,
        },
        session: { type: 'apiKey', in: 'cookie', name: 'troupe_session', description: 'A signed-in browser.' },
      },
    },
  };
}

function operationOf(route: Route, secured: boolean): Record<string, unknown> {
  const { role, description = '' } = route;
  const needs = role === 'anyone' ? '' : `Needs the role \`${role}\`.`;
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: [description, needs].filter((part) => part !== '').join('\n\n'),
    parameters: [
      ...parametersOf('path', route.params),
      ...parametersOf('query', route.query),
      ...parametersOf('header', route.headers),
    ],
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route.body) }),
    responses: responsesOf(route),
    security: secured && role !== 'anyone' ? [{ token: [] }, { session: [] }] : [],
  };
}

function parametersOf(where: string, specs: Readonly<Record<string, ParamSpec>> = {}): object[] {
  return Object.entries(specs).map(([name, spec]) => ({
    name,
    in: where,
    required: where === 'path' || spec.required === true,
    description: spec.meaning,
    schema: schemaOf(spec),
  }));
}

function schemaOf({ kind, min = 0, max, default: fallback, lengthMax = 1_024 }: ParamSpec): object {
  const base = fallback === undefined ? {} : { default: fallback };
  if (kind === 'switch') return { type: 'boolean', ...base };
  if (kind === 'text') return { type: 'string', maxLength: lengthMax, ...base };
  return { type: 'integer', minimum: min, ...(max === undefined ? {} : { maximum: max }), ...base };
}

function bodyOf({ meaning, required, schema }: NonNullable<Route['body']>): object {
  return {
    description: meaning,
    required,
    content: {
      'application/json': { schema },
      'text/plain': { schema: { type: 'string' } },
      'application/msgpack': {},
    },
  };
}

function responsesOf({ responses }: Route): object {
  const own = Object.entries(responses).map(([status, { meaning, schema, contentType = 'application/json' }]) => [
    status,
    { description: meaning, ...(schema === undefined ? {} : { content: { [contentType]: { schema } } }) },
  ]);
  const errors = Object.entries(ERRORS).map(([status, description]) => [
    status,
    { description, content: { 'application/json': { schema: ref('Error') } } },
  ]);
  return Object.fromEntries([...own, ...errors]);
}
