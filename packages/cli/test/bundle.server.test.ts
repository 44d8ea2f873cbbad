/** `troupe bundle` against a real server and a real worker, unpacked by a real tar: what is in it, and what must not be. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../src/bundle/tar.ts';
import { type Finished, RunningCommand, run } from './support/process.ts';
import { FILES, makeProject, type Project } from './support/project.ts';

const SECRETS = {
  collector: 'quiet-otter-71-collector',
  entry: 'correct-horse-battery',
  setting: 'staple-of-the-settings',
  log: 'quiet-otter-in-the-log',
  form: 'sk-live-0123456789abcdef',
  dead: 'secret-of-a-dead-letter',
};

interface Manifest {
  readonly format: string;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly cut?: string;
  }[];
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
  readonly redacted: number;
}

let project: Project;
let dev: RunningCommand;
let url: string;

beforeAll(async () => {
  project = makeProject(FILES);
  dev = new RunningCommand(['dev', '--nats-port', '0', '--no-gateway'], { cwd: project.dir });
  url = (await dev.until(/troupe dev {2}(nats:\S+)/))[1]!;
  await dev.until(/ ready\n/);
});

afterAll(async () => {
  await dev.stop();
  project[Symbol.dispose]();
});

const troupe = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  run(words, { cwd: project.dir, env: { TROUPE_NATS_URL: url, ...env } });

/** Unpacks with the system's tar. @returns texts by name. */
function unpack(file: string): Map<string, string> {
  const dir = join(project.dir, `unpacked-${file}`);
  mkdirSync(dir);
  execFileSync('tar', ['-xzf', join(project.dir, file), '-C', dir]);
  const names = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return new Map(
    names.map((one) => {
      const path = join(one.parentPath, one.name);
      return [path.slice(dir.length + 1), readFileSync(path, 'utf8')];
    }),
  );
}

/** As text, URL-encoded, and inside of longer text in Base64 at any of its three offsets. */
function spellings(secret: string): string[] {
  const shifted = [0, 1, 2].map((n) => {
    const text = Buffer.from(`${'x'.repeat(n)}${secret}`).toString('base64');
    return text.slice(n === 0 ? 0 : 4, Math.floor(((n + secret.length) * 8) / 6) - 1);
  });
  return [secret, encodeURIComponent(secret), ...shifted];
}

describe('troupe bundle', () => {
  test('holds what support needs, with a manifest that is true, and no planted secret anywhere', async () => {
    await troupe(['ask', 'counter/ann', '4']);
    // Under a secret name once, and then in free text.
    await troupe(['send', 'counter/ann', JSON.stringify({ password: SECRETS.entry, key: SECRETS.form })]);
    await troupe(['send', 'counter/ann', `please try ${SECRETS.entry} and ${SECRETS.setting}`]);
    await troupe(['send', 'order/dead', JSON.stringify({ type: 'nonsense', apiKey: SECRETS.dead })]);
    project.write(
      'worker.log',
      [
        JSON.stringify({ level: 30, msg: 'call', apiKey: SECRETS.log }),
        `plain text with ${SECRETS.log}, ${SECRETS.entry}, ${SECRETS.collector} and ${SECRETS.form}`,
      ].join('\n'),
    );
    const words = [
      'bundle',
      '--out',
      'b.tar.gz',
      '--actor',
      'counter/ann,counter/nobody',
      '--log',
      'worker.log,none.log',
    ];
    const { code, stdout, stderr } = await troupe([...words, '--json'], {
      TROUPE_NATS_TOKEN: SECRETS.setting,
      OTEL_EXPORTER_OTLP_HEADERS: `x-of=orders,x-way=${SECRETS.collector}`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(statSync(join(project.dir, 'b.tar.gz')).mode & 0o777).toBe(0o600);

    const files = unpack('b.tar.gz');
    for (const [name, text] of files)
      for (const [which, secret] of Object.entries(SECRETS))
        for (const spelling of spellings(secret))
          expect(text.includes(spelling), `${which} as ${spelling} in ${name}`).toBe(false);

    const manifest = JSON.parse(files.get('manifest.json')!) as Manifest;
    expect(JSON.parse(stdout)).toMatchObject(manifest);
    expect(manifest.format).toBe('troupe-bundle-1');
    expect(manifest.redacted).toBeGreaterThan(5);
    expect([...files.keys()].sort()).toEqual(['manifest.json', ...manifest.files.map(({ name }) => name)].sort());
    for (const { name, bytes, sha256 } of manifest.files) {
      const text = files.get(name)!;
      expect({ name, bytes, sha256 }).toEqual({
        name,
        bytes: Buffer.byteLength(text),
        sha256: createHash('sha256').update(text).digest('hex'),
      });
    }
    const left = Object.fromEntries(manifest.leftOut.map(({ name, why }) => [name, why]));
    expect(left).toEqual({
      'actors/2-counter-nobody.history.ndjson': 'It has no entries that are kept.',
      'actors/2-counter-nobody.capsule.json': expect.stringContaining('counter/nobody has no entries'),
      'logs/2-none-log.ndjson': expect.stringContaining('ENOENT'),
    });
    expect(JSON.parse(files.get('workers.json')!)).toHaveLength(1);
    expect(JSON.parse(files.get('partitions.json')!)).toHaveLength(4);
    expect(JSON.parse(files.get('doctor.json')!)).toMatchObject({ report: [{ checks: expect.any(Array) }] });
    expect(files.get('metrics.txt')).toMatch(/^troupe_worker_up\{worker="[^"]+"\} 1$/m);
    expect(files.get('actors/1-counter-ann.history.ndjson')!.trim().split('\n').length).toBeGreaterThanOrEqual(3);
    expect(JSON.parse(files.get('actors/1-counter-ann.capsule.json')!)).toMatchObject({
      format: 'troupe-capsule-1',
      actor: 'counter/ann',
    });
    const dead = JSON.parse(files.get('dead-letters.ndjson')!.trim().split('\n').at(-1)!);
    expect(dead).toMatchObject({ actor: 'order/dead', payload: { type: 'nonsense', apiKey: '[redacted]' } });
    expect(files.get('logs/1-worker-log.ndjson')).toContain('plain text with');
  });

  test('is made of a cluster that is away too, and says what could not be had', async () => {
    const gone = { TROUPE_NATS_URL: 'nats://someone:hidden-in-url@127.0.0.1:1' };
    const { code, stdout } = await troupe(['bundle', '--out', 'away.tar.gz'], gone);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^away\.tar\.gz {2}\S+ KiB, \d+ files, \d+ secrets taken out, \d+ parts left out\n$/);
    const files = unpack('away.tar.gz');
    const { leftOut } = JSON.parse(files.get('manifest.json')!) as Manifest;
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['versions.json', 'settings.json', 'definitions.json', 'doctor.json']),
    );
    expect(leftOut.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['server.json', 'streams.json', 'workers.json', 'dead-letters.ndjson']),
    );
    for (const { why } of leftOut) expect(why).toMatch(/nats/i);
    for (const [name, text] of files) expect(text.includes('hidden-in-url'), name).toBe(false);
  });

  test('refuses actors that are no addresses, before anything is collected', async () => {
    const refused = await troupe(['bundle', '--actor', 'counter']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('write <type>/<key>');
  });
});

describe('an archive', () => {
  test('refuses names that the format can not hold', () => {
    expect(() => tarOf([{ name: 'a'.repeat(101), bytes: new Uint8Array() }], 0)).toThrow(RangeError);
    expect(() => tarOf([{ name: 'ä', bytes: new Uint8Array() }], 0)).toThrow(RangeError);
  });
});
