/** Tokens of the gateway, from a file and from the environment. */
import { readFileSync, statSync } from 'node:fs';
import { parseTokens, type TokenSpec } from '@troupe/service-gateway';
import { TroupeError } from '@troupe/wire';

type Environment = Readonly<Record<string, string | undefined>>;

/** Rights of a file that somebody other than its owner has. */
const OTHERS = 0o077;

/**
 * Every token that is configured.
 *
 * @throws TroupeError `ConfigInvalid` for a file that can't be read, that others may read, or that is malformed.
 */
export function gatewayTokens(file: string | undefined, env: Environment): TokenSpec[] {
  return [...(file === undefined ? [] : readTokenFile(file)), ...environmentTokens(env)];
}

function readTokenFile(file: string): TokenSpec[] {
  let text: string;
  let mode: number;
  try {
    ({ mode } = statSync(file));
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TroupeError('ConfigInvalid', `The file of tokens ${file} can't be read: check --tokens.`, { cause });
  }
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    throw new TroupeError(
      'ConfigInvalid',
      `Others than its owner may use the file of tokens ${file} (mode ${(mode & 0o777).toString(8)}): chmod 600 it.`,
    );
  }
  const tokens = parseTokens(text, file);
  if (tokens.length > 0) return tokens;
  throw new TroupeError(
    'ConfigInvalid',
    `The file of tokens ${file} holds none: write a line '<role> <name> <token>'.`,
  );
}

function environmentTokens(env: Environment): TokenSpec[] {
  const given = [
    { name: 'env-read', role: 'read', token: env.TROUPE_GATEWAY_READ_TOKEN },
    { name: 'env-operate', role: 'operate', token: env.TROUPE_GATEWAY_OPERATE_TOKEN },
  ] as const;
  return given.flatMap(({ token, ...rest }) => (token === undefined || token === '' ? [] : [{ ...rest, token }]));
}
