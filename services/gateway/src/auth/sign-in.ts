/** Signing a browser in: a form that works without any script, and the routes behind it. */
import { TroupeError } from '@troupe/wire';
import { readBody } from '../http/body.ts';
import type { GatewayRequest } from '../http/gateway-request.ts';
import { json, type Reply } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { ref } from '../openapi/schemas.ts';
import type { Authenticator } from './authenticator.ts';

/** Bytes of a sign-in; a token and its name around it. */
const BODY_BYTES_MAX = 8_192;
const FORM = 'application/x-www-form-urlencoded';

/** What somebody without a token sees in place of the page. It tells nothing about what is behind it. */
export const SIGN_IN_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in - Troupe</title>
</head>
<body>
<main>
<h1>Sign in</h1>
<form method="post" action="/v1/session">
<p><label for="token">Token of this gateway</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus size="50"></p>
<p><button type="submit">Sign in</button></p>
</form>
</main>
</body>
</html>
`;

/** The routes about who one is. */
export function sessionRoutes(authenticator: Authenticator): readonly Route[] {
  const signIn: Route = {
    method: 'POST',
    path: '/v1/session',
    operationId: 'signIn',
    tag: 'session',
    summary: 'Sign a browser in with a token; it gets a cookie.',
    description: 'As JSON { token }, or as the form of the sign-in page, which is then led to the page.',
    role: 'anyone',
    body: {
      meaning: 'The token.',
      required: true,
      schema: { type: 'object', properties: { token: { type: 'string' } }, required: ['token'] },
    },
    responses: { 200: { meaning: 'Signed in.', schema: ref('Me') }, 303: { meaning: 'Signed in by the form.' } },
    async handle(request): Promise<Reply> {
      const { token, isForm } = await readToken(request);
      const principal = authenticator.required
        ? authenticator.byToken(token, request.raw)
        : authenticator.authenticate(request.raw);
      const cookie = { 'Set-Cookie': authenticator.sessions.begin(principal) };
      if (isForm) return { kind: 'empty', status: 303, headers: { ...cookie, Location: '/' } };
      return { kind: 'json', status: 200, value: principal, headers: cookie };
    },
  };
  const signOut: Route = {
    method: 'DELETE',
    path: '/v1/session',
    operationId: 'signOut',
    tag: 'session',
    summary: 'Sign the browser out.',
    role: 'read',
    responses: { 204: { meaning: 'Signed out.' } },
    handle: (request) => ({
      kind: 'empty',
      status: 204,
      headers: { 'Set-Cookie': authenticator.sessions.end(request.raw.headers.cookie) },
    }),
  };
  const me: Route = {
    method: 'GET',
    path: '/v1/me',
    operationId: 'me',
    tag: 'session',
    summary: 'Who is asking, and what they may do.',
    role: 'read',
    responses: { 200: { meaning: 'You.', schema: ref('Me') } },
    handle: (request) => json(request.principal),
  };
  return [signIn, signOut, me];
}

async function readToken(request: GatewayRequest): Promise<{ token: string; isForm: boolean }> {
  const isForm = (request.raw.headers['content-type'] ?? '').toLowerCase().startsWith(FORM);
  const value = isForm
    ? new URLSearchParams((await readBody(request.raw, BODY_BYTES_MAX)).toString('utf8')).get('token')
    : (await request.object()).token;
  if (typeof value === 'string' && value !== '') return { token: value.trim(), isForm };
  throw new TroupeError('InvalidPayload', 'The body has to be { "token": "..." }, or the form with the field token.');
}
