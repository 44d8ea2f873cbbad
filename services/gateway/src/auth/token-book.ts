/**
 * The tokens that are accepted.
 *
 * Invariants
 * 1. A token is never kept, logged or told: only its SHA-256 digest stays in memory.
 * 2. Looking one up takes the same steps whichever token it is, and whether or not it is known: every digest is compared, in
 *    constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { TroupeError } from '@troupe/wire';
import { type Principal, ROLES, type Role } from './role.ts';

/** A token as it is configured. */
export interface TokenSpec {
  /** Who has it; stands in logs. 1 to 64 letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  readonly role: Role;
  /** 24 to 512 visible ASCII characters. */
  readonly token: string;
}

/** Fewer characters could be guessed. */
export const TOKEN_LENGTH_MIN = 24;
export const TOKEN_LENGTH_MAX = 512;
/** Tokens of one gateway. */
export const TOKENS_MAX = 1_000;

const NAME_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;
const TOKEN_PATTERN = /^[!-~]+$/;

export class TokenBook {
  readonly #rows: readonly { readonly digest: Buffer; readonly principal: Principal }[];

  /** @throws TroupeError `ConfigInvalid` naming the token by its name, never by itself. */
  constructor(specs: readonly TokenSpec[]) {
    if (specs.length > TOKENS_MAX) throw invalid(`${specs.length} tokens are given, at most ${TOKENS_MAX} are taken`);
    this.#rows = specs.map((spec) => ({ digest: digestOf(checked(spec).token), principal: principalOf(spec) }));
    const digests = new Set(this.#rows.map(({ digest }) => digest.toString('hex')));
    if (digests.size < specs.length) throw invalid('two names have the same token');
  }

  /** False: nobody has to say who they are. */
  get required(): boolean {
    return this.#rows.length > 0;
  }

  /** Whose token it is; undefined for an unknown one (invariant 2). */
  find(token: string): Principal | undefined {
    const digest = digestOf(token.slice(0, TOKEN_LENGTH_MAX + 1));
    let found: Principal | undefined;
    for (const row of this.#rows) if (timingSafeEqual(row.digest, digest)) found = row.principal;
    return found;
  }
}

/**
 * Reads a file of tokens: a line each, `<role> <name> <token>`; empty lines and lines that begin with `#` are skipped.
 *
 * @throws TroupeError `ConfigInvalid` naming the line, never its token.
 * @example parseTokens('operate ann 5f3c...\nread grafana 91ab...\n')
 */
export function parseTokens(text: string, where: string): TokenSpec[] {
  return text.split('\n').flatMap((line, at) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]!.startsWith('#')) return [];
    const [role, name, token] = words;
    if (words.length !== 3 || !(ROLES as readonly string[]).includes(role!))
      throw invalid(`line ${at + 1} of ${where} is not '<role> <name> <token>' with the role read or operate`);
    return [{ role: role as Role, name: name!, token: token! }];
  });
}

function checked(spec: TokenSpec): TokenSpec {
  const { name, role, token } = spec;
  if (!NAME_PATTERN.test(name)) throw invalid(`${JSON.stringify(name).slice(0, 80)} can't name a token`);
  if (!ROLES.includes(role)) throw invalid(`the token of ${name} has a role that is neither read nor operate`);
  if (token.length < TOKEN_LENGTH_MIN || token.length > TOKEN_LENGTH_MAX || !TOKEN_PATTERN.test(token))
    throw invalid(
      `the token of ${name} has ${token.length} characters; it takes ${TOKEN_LENGTH_MIN} to ${TOKEN_LENGTH_MAX} visible ones, such as those of: openssl rand -hex 32`,
    );
  return spec;
}

function principalOf({ name, role }: TokenSpec): Principal {
  return { name, role };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

function invalid(what: string): TroupeError {
  return new TroupeError('ConfigInvalid', `Tokens of the gateway: ${what}.`);
}
