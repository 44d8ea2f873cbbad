/** What somebody without rights, or with bad intentions, gets: against the real server, byte by byte where needed. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Gateway, type MakeMount, startGateway } from '@troupe/service-gateway';
import { isTroupeError } from '@troupe/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counter } from './support/agents.ts';
import { request, sendRaw } from './support/raw-http.ts';
import { Stage } from './support/stage.ts';

const READ = 'read-token-0123456789-abcdef';
const OPERATE = 'operate-token-0123456789-abcdef';
const TOKENS = [
  { name: 'grafana', role: 'read', token: READ },
  { name: 'ann', role: 'operate', token: OPERATE },
] as const;

let stage: Stage;
/** Without tokens, as in development. */
let open: Gateway;
/** With tokens, a page and a socket. */
let guarded: Gateway;
let dir: string;
const opened: string[] = [];

const socketMount: MakeMount = () => ({
  path: '/v1/test-socket',
  role: 'read',
  open: (_request, socket, _head, principal) => {
    opened.push(principal.name);
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  },
});

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'troupe-page-'));
  mkdirSync(join(dir, 'page/assets'), { recursive: true });
  writeFileSync(join(dir, 'page/index.html'), '<!doctype html><title>Inspector</title>');
  writeFileSync(join(dir, 'page/assets/app.js'), 'export {};');
  writeFileSync(join(dir, 'page/.secret'), 'hidden');
  writeFileSync(join(dir, 'secret.txt'), 'top secret');
  symlinkSync(join(dir, 'secret.txt'), join(dir, 'page/link.txt'));
  stage = await Stage.start([counter]);
  open = await stage.gateway({ page: { dir: join(dir, 'page') }, mounts: [socketMount] });
  guarded = await stage.gateway({
    tokens: TOKENS,
    allowHosts: ['troupe.example.org'],
    page: { dir: join(dir, 'page') },
    mounts: [socketMount],
    limits: { headMs: 400, requestMs: 800, bodyBytesMax: 10_000, wrongTokensPerMinuteMax: 30 },
  });
});
afterAll(async () => {
  await stage.close();
  rmSync(dir, { recursive: true, force: true });
});

const host = (gateway: Gateway, name = '127.0.0.1') => ['Host', `${name}:${gateway.port}`] as const;
const bearer = (token: string) => ['Authorization', `Bearer ${token}`] as const;
const codeOf = (body: string): unknown => (JSON.parse(body) as { code: string }).code;

describe('a foreign Host', () => {
  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '0.0.0.0', '127.0.0.1:1', ''])(
    '%j gets nothing (DNS rebinding)',
    async (name) => {
      for (const target of ['/v1/actors', '/', '/healthz', '/v1/actors/counter/x/state']) {
        const answer = await sendRaw(open.port, request('GET', target, [['Host', name]]));
        expect(answer.status, target).toBe(421);
        expect(codeOf(answer.body)).toBe('ForeignHost');
      }
    },
  );

  test('two of them, or none, get nothing either', async () => {
    const twice = await sendRaw(open.port, request('GET', '/healthz', [host(open), ['Host', 'evil.example']]));
    expect([400, 421]).toContain(twice.status);
    expect((await sendRaw(open.port, request('GET', '/healthz', []))).status).toBe(421);
  });

  test('our own names are answered, with and without tokens', async () => {
    for (const name of ['127.0.0.1', 'localhost', '[::1]', 'LOCALHOST'])
      expect((await sendRaw(open.port, request('GET', '/healthz', [host(open, name)]))).status, name).toBe(200);
    const named = [['Host', 'troupe.example.org'], bearer(READ)] as const;
    expect((await sendRaw(guarded.port, request('GET', '/healthz', named))).status).toBe(200);
  });

  test('in an absolute target is refused, whatever the Host header says', async () => {
    for (const target of ['http://evil.example/healthz', '//evil.example/healthz', '*'])
      expect((await sendRaw(open.port, request('GET', target, [host(open)]))).status, target).toBe(400);
  });
});

describe('a foreign Origin', () => {
  test.each(['http://evil.example', 'https://localhost.evil.example', 'null', 'http://127.0.0.1:1', 'file://'])(
    '%s may neither read nor change anything',
    async (origin) => {
      const headers = [host(open), ['Origin', origin]] as const;
      const sent = await sendRaw(open.port, request('POST', '/v1/actors/counter/csrf/tasks', headers, '5'));
      expect([sent.status, codeOf(sent.body)]).toEqual([403, 'ForeignOrigin']);
      expect((await sendRaw(open.port, request('GET', '/v1/actors', headers))).status).toBe(403);
      const state = await sendRaw(open.port, request('GET', '/v1/actors/counter/csrf/state', [host(open)]));
      expect(state.status).toBe(404);
    },
  );

  test('a form of another site is refused by Sec-Fetch-Site alone; a link to the page is followed', async () => {
    const cross = [host(open), ['Sec-Fetch-Site', 'cross-site']] as const;
    const form = [...cross, ['Content-Type', 'text/plain']] as const;
    expect((await sendRaw(open.port, request('POST', '/v1/actors/counter/csrf/tasks', form, '5'))).status).toBe(403);
    const link = [
      ...cross,
      ['Sec-Fetch-Mode', 'navigate'],
      ['Sec-Fetch-Dest', 'document'],
      ['Accept', 'text/html'],
    ] as const;
    expect((await sendRaw(open.port, request('GET', '/', link))).status).toBe(200);
    const frame = [...cross, ['Sec-Fetch-Mode', 'navigate'], ['Sec-Fetch-Dest', 'iframe']] as const;
    expect((await sendRaw(open.port, request('GET', '/', frame))).status).toBe(403);
  });

  test('may open no WebSocket; ours may', async () => {
    const upgrade = [host(open), ['Upgrade', 'websocket'], ['Sec-WebSocket-Version', '13']] as const;
    const raw = (headers: readonly (readonly [string, string])[]) =>
      `GET /v1/test-socket HTTP/1.1\r\n${[...headers, ['Connection', 'Upgrade']].map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    expect((await sendRaw(open.port, raw([...upgrade, ['Origin', 'http://evil.example']]))).status).toBe(403);
    expect((await sendRaw(open.port, raw([['Host', 'evil.example'], ...upgrade.slice(1)]))).status).toBe(421);
    expect((await sendRaw(guarded.port, raw([host(guarded), ...upgrade.slice(1)]))).status).toBe(401);
    expect(opened).toEqual([]);
    const ours = await sendRaw(open.port, raw([...upgrade, ['Origin', `http://127.0.0.1:${open.port}`]]));
    expect(ours.status).toBe(101);
    const withToken = [host(guarded), ...upgrade.slice(1), bearer(READ)] as const;
    expect((await sendRaw(guarded.port, raw(withToken))).status).toBe(101);
    expect(opened).toEqual(['local', 'grafana']);
  });

  test('gets no permission by CORS: there are no such headers', async () => {
    const { head } = await sendRaw(
      open.port,
      request('OPTIONS', '/v1/actors', [host(open), ['Origin', 'http://evil.example']]),
    );
    expect(head.toLowerCase()).not.toContain('access-control');
  });
});

describe('without a token', () => {
  test('no path answers, known or not', async () => {
    const targets = [
      '/',
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/v1/me',
      '/v1/actors',
      '/v1/nothing',
      '/assets/app.js',
    ];
    for (const target of targets) {
      const answer = await sendRaw(guarded.port, request('GET', target, [host(guarded)]));
      expect([target, answer.status, codeOf(answer.body)]).toEqual([target, 401, 'Unauthenticated']);
      expect(answer.head).toContain('WWW-Authenticate: Bearer');
    }
  });

  test('a wrong one is as good as none, in whatever form', async () => {
    const forms = [
      `Bearer ${READ}x`,
      `Bearer ${READ.slice(1)}`,
      READ,
      `Basic ${READ}`,
      'Bearer',
      `Bearer ${'x'.repeat(9_000)}`,
    ];
    for (const value of forms) {
      const answer = await sendRaw(guarded.port, request('GET', '/v1/me', [host(guarded), ['Authorization', value]]));
      expect([401, 431], value.slice(0, 40)).toContain(answer.status);
    }
  });

  test('a token in the address is none', async () => {
    for (const target of [`/v1/actors?token=${OPERATE}`, `/v1/actors?access_token=${OPERATE}`])
      expect((await sendRaw(guarded.port, request('GET', target, [host(guarded)]))).status).toBe(401);
  });

  test('a browser gets a form to sign in with, and nothing else', async () => {
    const answer = await sendRaw(guarded.port, request('GET', '/', [host(guarded), ['Accept', 'text/html']]));
    expect(answer.status).toBe(401);
    expect(answer.body).toContain('<form method="post" action="/v1/session">');
    expect(answer.body).not.toContain('Inspector');
    expect(answer.head).toContain("frame-ancestors 'none'");
  });
});

describe('with a token', () => {
  test('of the role read one reads, and changes nothing', async () => {
    const headers = [host(guarded), bearer(READ)] as const;
    expect(JSON.parse((await sendRaw(guarded.port, request('GET', '/v1/me', headers))).body)).toEqual({
      name: 'grafana',
      role: 'read',
    });
    for (const [method, target] of [
      ['POST', '/v1/actors/counter/role/tasks'],
      ['POST', '/v1/actors/counter/role/ask'],
      ['POST', '/v1/actors/counter/role/signals'],
      ['POST', '/v1/dead-letters/1/redrive'],
      ['DELETE', '/v1/dead-letters/1'],
    ] as const) {
      const answer = await sendRaw(guarded.port, request(method, target, headers, '{"type":"add","by":1}'));
      expect([target, answer.status, codeOf(answer.body)]).toEqual([target, 403, 'PermissionDenied']);
    }
    expect((await sendRaw(guarded.port, request('GET', '/v1/actors/counter/role/state', headers))).status).toBe(404);
  });

  test('of the role operate one may do both', async () => {
    const headers = [host(guarded), bearer(OPERATE)] as const;
    const asked = await sendRaw(guarded.port, request('POST', '/v1/actors/counter/operated/ask', headers, '5'));
    expect(JSON.parse(asked.body)).toMatchObject({ output: 5 });
  });

  test('a browser signs in once, and its cookie does the rest until it signs out', async () => {
    const form = [host(guarded), ['Content-Type', 'application/x-www-form-urlencoded']] as const;
    const signedIn = await sendRaw(guarded.port, request('POST', '/v1/session', form, `token=${OPERATE}`));
    expect(signedIn.status).toBe(303);
    const cookie = /Set-Cookie: (troupe_session=[^;]+); Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200/.exec(
      signedIn.head,
    )?.[1];
    expect(cookie).not.toContain(OPERATE);
    const headers = [host(guarded), ['Cookie', `other=1; ${cookie}`]] as const;
    expect((await sendRaw(guarded.port, request('GET', '/', [...headers, ['Accept', 'text/html']]))).body).toContain(
      'Inspector',
    );
    const elsewhere = [...headers, ['Origin', 'http://evil.example']] as const;
    expect((await sendRaw(guarded.port, request('POST', '/v1/actors/counter/c/tasks', elsewhere, '5'))).status).toBe(
      403,
    );
    expect((await sendRaw(guarded.port, request('DELETE', '/v1/session', headers))).status).toBe(204);
    expect((await sendRaw(guarded.port, request('GET', '/v1/me', headers))).status).toBe(401);
    const wrong = await sendRaw(guarded.port, request('POST', '/v1/session', form, 'token=wrong'));
    expect([wrong.status, wrong.head.includes('Set-Cookie')]).toEqual([401, false]);
  });

  test('guessing is stopped, also for the right one afterwards', async () => {
    const gateway = await stage.gateway({ tokens: TOKENS, limits: { wrongTokensPerMinuteMax: 3 } });
    const guess = (token: string) => sendRaw(gateway.port, request('GET', '/v1/me', [host(gateway), bearer(token)]));
    for (let i = 0; i < 3; i++) expect((await guess('a-guess-of-24-characters')).status).toBe(401);
    const stopped = await guess(READ);
    expect([stopped.status, codeOf(stopped.body)]).toEqual([429, 'TooManyRequests']);
    expect(stopped.head).toMatch(/Retry-After: \d+/);
  });
});

describe('the log and every answer', () => {
  test('hold no token, whatever was sent where', async () => {
    const planted = 'planted-secret-0123456789-abc';
    const bodies: string[] = [];
    const send = async (text: string) => bodies.push((await sendRaw(guarded.port, text)).body);
    await send(request('GET', '/v1/me', [host(guarded), bearer(planted)]));
    await send(request('GET', `/v1/nothing/${planted}`, [host(guarded), bearer(OPERATE)]));
    await send(
      request(
        'POST',
        '/v1/session',
        [host(guarded), ['Content-Type', 'application/json']],
        JSON.stringify({ token: planted }),
      ),
    );
    await send(request('POST', '/v1/actors/counter/x/ask', [host(guarded), bearer(OPERATE)], '1'));
    for (const secret of [READ, OPERATE, planted]) expect(stage.log).not.toContain(secret);
    for (const secret of [READ, OPERATE]) expect(bodies.join()).not.toContain(secret);
    expect(bodies[0]).not.toContain(planted);
    expect(bodies[2]).not.toContain(planted);
    expect(stage.log).toContain('a request came with a token that is not known');
  });
});

describe('beyond this machine', () => {
  test('it does not listen without tokens, and says how to give some', async () => {
    const starting = startGateway({ ...(await parts()), listen: '0.0.0.0:0' });
    const error = await starting.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(isTroupeError(error, 'ConfigInvalid') && error.message).toContain('--tokens FILE');
  });

  test('it listens with tokens, and still wants them from this machine', async () => {
    const gateway = await stage.gateway({ listen: '0.0.0.0:0', tokens: TOKENS });
    expect((await sendRaw(gateway.port, request('GET', '/healthz', [host(gateway)]))).status).toBe(401);
    expect((await sendRaw(gateway.port, request('GET', '/healthz', [host(gateway), bearer(READ)]))).status).toBe(200);
  });

  async function parts() {
    const { troupe, ports } = stage;
    const { createLogger } = await import('@troupe/diagnostics');
    return { troupe, ports, log: createLogger({ level: 'silent' }) };
  }
});

describe('too much, or too slowly', () => {
  const auth = () => [host(guarded), bearer(OPERATE)] as const;

  test('an oversized body is refused by its announced length before it is read', async () => {
    const head = [...auth(), ['Content-Length', '20000000'], ['Connection', 'close']] as const;
    const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const answer = await sendRaw(guarded.port, `POST /v1/actors/counter/big/tasks HTTP/1.1\r\n${lines}\r\n`);
    expect([answer.status, codeOf(answer.body)]).toEqual([413, 'PayloadTooLarge']);
  });

  test('an oversized body without a length is cut off', async () => {
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const headers = { Authorization: `Bearer ${OPERATE}`, 'Transfer-Encoding': 'chunked' };
      const sending = httpRequest(`http://127.0.0.1:${guarded.port}/v1/actors/counter/big/tasks`, {
        method: 'POST',
        headers,
      });
      sending.on('response', (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode, body }));
      });
      sending.on('error', reject);
      sending.write('x'.repeat(12_000));
    });
    expect([answer.status, codeOf(answer.body)]).toEqual([413, 'PayloadTooLarge']);
  });

  test('a compressed body is refused: no bomb is unpacked', async () => {
    const headers = [...auth(), ['Content-Encoding', 'gzip']] as const;
    expect((await sendRaw(guarded.port, request('POST', '/v1/actors/counter/z/tasks', headers, 'x'))).status).toBe(415);
  });

  test('a head that never ends is cut off (slow loris)', async () => {
    const started = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => sendRaw(guarded.port, 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([408]));
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await sendRaw(guarded.port, request('GET', '/healthz', auth()))).status).toBe(200);
  });

  test('a body that comes drop by drop is cut off', async () => {
    const socket = connect({ host: '127.0.0.1', port: guarded.port });
    let seen = '';
    let over = false;
    socket.on('data', (bytes: Buffer) => {
      seen += bytes.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      over = true;
    });
    const lines = [...auth(), ['Content-Length', '1000']].map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST /v1/actors/counter/slow/tasks HTTP/1.1\r\n${lines}\r\n`);
    for (let i = 0; i < 100 && !over; i++) {
      socket.write('1');
      await sleep(100);
    }
    expect(over).toBe(true);
    expect(seen === '' || seen.startsWith('HTTP/1.1 408')).toBe(true);
    const state = await sendRaw(guarded.port, request('GET', '/v1/actors/counter/slow/state', auth()));
    expect(state.status).toBe(404);
  });

  test('a head that is too long is refused', async () => {
    const answer = await sendRaw(guarded.port, request('GET', '/healthz', [...auth(), ['X-Long', 'x'.repeat(20_000)]]));
    expect(answer.status).toBe(431);
  });

  test('requests beyond the rate are refused with the time to wait', async () => {
    const gateway = await stage.gateway({ limits: { requestsPerSecondMax: 5 } });
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => sendRaw(gateway.port, request('GET', '/healthz', [host(gateway)]))),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(10);
    expect(refused[0]!.head).toContain('Retry-After: 1');
  });

  test('connections and event streams beyond their numbers are refused', async () => {
    const gateway = await stage.gateway({ limits: { streamsMax: 2 } });
    const streams = await Promise.all([1, 2].map(() => fetch(`${gateway.url}/v1/events`)));
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
    expect((await fetch(`${gateway.url}/v1/events`)).status).toBe(429);
    await streams[0]!.body!.cancel();
    await expect.poll(async () => (await fetch(`${gateway.url}/v1/events`)).status, { timeout: 5_000 }).toBe(200);
  });
});

describe('files outside of the page', () => {
  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/..\\secret.txt',
    '/%5c..%5csecret.txt',
    '/....//secret.txt',
    '/link.txt',
    '/.secret',
    '/assets/app.js%00.html',
    '/%2fetc/passwd',
    '//etc/passwd',
  ])('%s is not served', async (target) => {
    const answer = await sendRaw(open.port, request('GET', target, [host(open)]));
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).not.toMatch(/top secret|hidden|root:/);
  });

  test('those of the page are, with headers that let nothing else in', async () => {
    const script = await sendRaw(open.port, request('GET', '/assets/app.js', [host(open)]));
    expect(script.status).toBe(200);
    expect(script.head).toContain('Content-Type: text/javascript');
    expect(script.head).toMatch(/Content-Security-Policy: default-src 'none'; script-src 'self';/);
    expect(script.head).toContain('X-Content-Type-Options: nosniff');
    const etag = /ETag: (\S+)/.exec(script.head)![1]!;
    expect(
      (await sendRaw(open.port, request('GET', '/assets/app.js', [host(open), ['If-None-Match', etag]]))).status,
    ).toBe(304);
    const deep = await sendRaw(
      open.port,
      request('GET', '/actors/counter/x%2Fy', [host(open), ['Accept', 'text/html']]),
    );
    expect(deep.body).toContain('Inspector');
  });
});

describe('bytes that are no request', () => {
  test('a header with a line break in it is refused, and splits nothing', async () => {
    const injected = await sendRaw(
      open.port,
      request('POST', '/v1/actors/counter/inject/tasks', [host(open), ['Troupe-Task-Id', 'a\rSet-Cookie: x=1']], '1'),
    );
    expect(injected.status).toBe(400);
    const badId = request('POST', '/v1/actors/counter/inject/tasks', [host(open), ['Troupe-Task-Id', 'a b;c']], '1');
    expect(codeOf((await sendRaw(open.port, badId)).body)).toBe('InvalidTaskId');
    const trace = request('POST', '/v1/actors/counter/inject/ask', [host(open), ['traceparent', '00-zz\u0001']], '1');
    expect([200, 400]).toContain((await sendRaw(open.port, trace)).status);
  });

  test('two lengths, a length beside chunks, and plain nonsense are refused (request smuggling)', async () => {
    const twice = [host(open), ['Content-Length', '1'], ['Content-Length', '2'], ['Connection', 'close']] as const;
    const lines = (headers: readonly (readonly [string, string])[]) =>
      headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    expect((await sendRaw(open.port, `POST /v1/actors/counter/s/tasks HTTP/1.1\r\n${lines(twice)}\r\n12`)).status).toBe(
      400,
    );
    const both = [
      host(open),
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'close'],
    ] as const;
    expect(
      (await sendRaw(open.port, `POST /v1/actors/counter/s/tasks HTTP/1.1\r\n${lines(both)}\r\n0\r\n\r\n`)).status,
    ).toBe(400);
    expect((await sendRaw(open.port, 'nonsense\r\n\r\n')).status).toBe(400);
    expect((await fetch(`${open.url}/healthz`)).status).toBe(200);
  });

  test('a failure inside tells nothing of the inside', async () => {
    const bad = await sendRaw(open.port, request('GET', '/v1/actors/%ff/x/state', [host(open)]));
    expect([bad.status, codeOf(bad.body)]).toEqual([400, 'InvalidPayload']);
    expect(bad.body).not.toContain('node:');
  });
});
