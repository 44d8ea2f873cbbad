/**
 * Taking secrets out of what leaves the machine: capsules, bundles.
 *
 * Invariants
 * 1. What is returned is a copy of the same shape: maps stay maps, dates stay dates, text stays text, numbers stay numbers.
 * 2. A value found under a secret name is taken out wherever else it stands, inside of text too, plain, URL-encoded or Base64.
 *
 * A secret that has no secret name, no well-known form and isn't named by the caller can't be recognised: look before sharing.
 */
import { isSecret, REDACTED, redactText } from './redaction.ts';

export interface SecretFilterOptions {
  /** More field names whose values are secret, compared without case, `_` and `-`. Default none. */
  readonly fields?: readonly string[];
  /** Values that are secret wherever they stand. Default none. */
  readonly values?: readonly string[];
}

/** Shorter values are taken out under their name only: as a part of other text they'd be found everywhere. */
const VALUE_LENGTH_MIN = 4;
/** Values remembered at most. */
const VALUES_MAX = 10_000;
/** Deeper values are taken out whole. */
const DEPTH_MAX = 100;

/** Ends of names such as `dbPassword`, `stripe_api_key`, `sessionToken`. */
const SECRET_ENDINGS =
  /(?:password|passwd|passphrase|secret|token|apikey|accesskey|secretkey|privatekey|signingkey|credentials?|authorization|cookie)$/;

/** Secrets by their looks. */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|SEED|JWT)-----[\s\S]*?(?:-----END [A-Z0-9 ]*-----|------END [A-Z0-9 ]*------|$)/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /\bS[UAOCNX][A-Z2-7]{54,56}\b/g,
  /\b(?:sk|rk|pk)[-_](?:[\w-]{16,})/g,
  /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{16}|AIza[\w-]{30,}|hf_\w{20,})/g,
];
/** `Bearer …`, `password=…`, `"apiKey":"…"`: the name stays. */
const NAMED = [
  /\b(Bearer|Basic)(\s+)[\w.~+/=-]{8,}/gi,
  /((?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|authorization)\\?["']?)(\s*[=:]\s*\\?["']?)[^\s"'\\,;&}]{4,}/gi,
];

/** Collects first, then takes out. */
export class SecretFilter {
  /** Values taken out so far. */
  count = 0;
  readonly #fields: ReadonlySet<string>;
  readonly #values = new Set<string>();
  #spellings: readonly string[] | undefined;

  constructor({ fields = [], values = [] }: SecretFilterOptions = {}) {
    this.#fields = new Set(fields.map(plainName));
    for (const value of values) this.#remember(value);
  }

  /** Looks for values under secret names, so that they are found elsewhere too. Changes nothing. */
  collect(value: unknown): void {
    this.#collect(value, false, 0);
  }

  /** A copy without secrets. Invariant 1. */
  apply<T>(value: T): T {
    return this.#apply(value, false, 0) as T;
  }

  /** Text without secrets. */
  text(text: string): string {
    let clean = text;
    for (const one of this.#allSpellings()) if (clean.includes(one)) clean = clean.replaceAll(one, REDACTED);
    clean = redactText(clean);
    for (const pattern of PATTERNS) clean = clean.replace(pattern, REDACTED);
    for (const pattern of NAMED)
      clean = clean.replace(pattern, (whole: string, name: string, between: string) =>
        whole.includes(REDACTED.slice(1, -1)) ? whole : `${name}${between}${REDACTED}`,
      );
    if (clean !== text) this.count++;
    return clean;
  }

  #isSecret(name: string): boolean {
    const plain = plainName(name);
    return this.#fields.has(plain) || isSecret(name) || SECRET_ENDINGS.test(plain);
  }

  #collect(value: unknown, secret: boolean, depth: number): void {
    if (typeof value === 'string') {
      if (secret) this.#remember(value);
      return;
    }
    if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return;
    for (const [key, item] of partsOf(value)) this.#collect(item, secret || this.#isSecret(key), depth + 1);
  }

  #remember(value: string): void {
    if (value.length < VALUE_LENGTH_MIN || value.includes(REDACTED) || this.#values.size >= VALUES_MAX) return;
    this.#values.add(value);
    this.#spellings = undefined;
  }

  /** Longest first, so that no rest of a longer one stays. */
  #allSpellings(): readonly string[] {
    this.#spellings ??= [...this.#values]
      .flatMap((value) => {
        const bytes = Buffer.from(value);
        return [...new Set([value, encodeURIComponent(value.toWellFormed()), bytes.toString('base64')])];
      })
      .sort((a, b) => b.length - a.length);
    return this.#spellings;
  }

  #apply(value: unknown, secret: boolean, depth: number): unknown {
    if (typeof value === 'string') return secret ? this.#out(value, REDACTED) : this.text(value);
    if (typeof value === 'number') return secret ? this.#out(value, 0) : value;
    if (typeof value === 'bigint') return secret ? this.#out(value, 0n) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (depth > DEPTH_MAX) return this.#out(value, REDACTED);
    if (value instanceof Date) return value;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
      return secret ? this.#out(value, emptied(value)) : value;
    if (Array.isArray(value)) return value.map((item) => this.#apply(item, secret, depth + 1));
    if (value instanceof Map)
      return new Map(
        [...value].map(([key, item]) => [
          this.#apply(key, false, depth + 1),
          this.#apply(item, secret || this.#isSecret(String(key)), depth + 1),
        ]),
      );
    if (value instanceof Set) return new Set([...value].map((item) => this.#apply(item, secret, depth + 1)));
    return this.#applyFields(value, secret, depth);
  }

  #applyFields(value: object, secret: boolean, depth: number): object {
    const copy = Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>;
    const names =
      value instanceof Error ? ['name', 'message', 'stack', 'cause', ...Object.keys(value)] : Object.keys(value);
    for (const name of new Set(names)) {
      const item = (value as Record<string, unknown>)[name];
      if (item === undefined && !Object.hasOwn(value, name)) continue;
      Object.defineProperty(copy, name, {
        value: this.#apply(item, secret || this.#isSecret(name), depth + 1),
        enumerable: Object.prototype.propertyIsEnumerable.call(value, name),
        writable: true,
        configurable: true,
      });
    }
    return copy;
  }

  #out<T>(value: unknown, instead: T): unknown {
    if (value === instead || value === '') return value;
    this.count++;
    return instead;
  }
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

function partsOf(value: object): Iterable<readonly [string, unknown]> {
  if (value instanceof Date || ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return [...value].map(([key, item]) => [String(key), item] as const);
  if (value instanceof Set) return [...value].map((item) => ['', item] as const);
  if (Array.isArray(value)) return value.map((item) => ['', item] as const);
  return Object.entries(value);
}

/** Of the same kind and length, all zero. */
function emptied(bytes: ArrayBufferView | ArrayBuffer): unknown {
  const copy = structuredClone(bytes);
  if (copy instanceof ArrayBuffer) new Uint8Array(copy).fill(0);
  else new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength).fill(0);
  return copy;
}
