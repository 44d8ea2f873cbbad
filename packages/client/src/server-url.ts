/** Addresses of servers, and the credentials that people write into them. */
import { TroupeError } from '@troupe/wire';

/** What a list of addresses says. */
export interface Servers {
  /** Each as `scheme://host:port`, without credentials, so that it can be shown. */
  readonly servers: readonly string[];
  readonly user: string | undefined;
  readonly pass: string | undefined;
}

const SCHEMES = ['nats:', 'tls:'];

/**
 * Reads `nats://user:pass@host:4222,nats://other`; a bare `host:port` will do. Throws `ConfigInvalid`, never showing a
 * password.
 */
export function parseServers(list: string): Servers {
  const urls = list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseOne);
  if (urls.length === 0) throw invalid(list, 'names no server');
  const first = urls[0]!;
  return {
    servers: urls.map((url) => `${url.protocol}//${url.hostname}:${url.port === '' ? '4222' : url.port}`),
    user: first.username === '' ? undefined : decodeURIComponent(first.username),
    pass: first.password === '' ? undefined : decodeURIComponent(first.password),
  };
}

function parseOne(text: string): URL {
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `nats://${text}`);
  } catch {
    throw invalid(text, 'is not an address');
  }
  if (!SCHEMES.includes(url.protocol)) throw invalid(text, `has the scheme ${url.protocol}//`);
  if (url.hostname === '') throw invalid(text, 'has no host');
  return url;
}

function invalid(text: string, what: string): TroupeError {
  const shown = text.replace(/\/\/[^@/]*@/, '//***@').slice(0, 200);
  return new TroupeError(
    'ConfigInvalid',
    `The NATS address ${JSON.stringify(shown)} ${what}: write nats://host:4222, or several with commas between them.`,
  );
}
