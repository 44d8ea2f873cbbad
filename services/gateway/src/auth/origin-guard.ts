/**
 * Which names the gateway answers to, and which pages may talk to it: what keeps a web page elsewhere from using the
 * browser of somebody who has access (DNS rebinding, cross-site requests, cross-site WebSockets).
 *
 * Invariants
 * 1. A request has exactly one Host, and it is one of ours; anything else gets nothing but `ForeignHost`.
 * 2. An Origin, where there is one, is `http(s)://` of one of our hosts. `null` is foreign.
 * 3. Browsers that send Sec-Fetch-Site are believed: `cross-site` and `same-site` are foreign, except for opening the page.
 */
import type { IncomingMessage } from 'node:http';
import { TroupeError } from '@troupe/wire';

/** What the guard needs to know. */
export interface OriginGuardOptions {
  /** Host names or `name:port` pairs, lower case. */
  readonly hosts: readonly string[];
  /** The port that is listened on: names without a port count with it, and without any where a proxy stands in front. */
  readonly port: number;
}

export class OriginGuard {
  readonly #hosts: ReadonlySet<string>;

  constructor({ hosts, port }: OriginGuardOptions) {
    this.#hosts = new Set(hosts.flatMap((host) => (hasPort(host) ? [host] : [`${host}:${port}`, host])));
  }

  /** @throws TroupeError `ForeignHost`, `ForeignOrigin` */
  check(request: IncomingMessage): void {
    const host = onlyHost(request);
    if (host === undefined || !this.#hosts.has(host)) {
      throw new TroupeError(
        'ForeignHost',
        `The Host header is ${shown(host)}: this gateway answers to ${[...this.#hosts].join(', ')}. Allow a name with --allow-host.`,
      );
    }
    const { origin } = request.headers;
    if (origin !== undefined && !this.#isOurs(origin)) throw foreign(`Its Origin is ${shown(origin)}`);
    const site = request.headers['sec-fetch-site'];
    if ((site === 'cross-site' || site === 'same-site') && !isOpening(request)) throw foreign(`It is ${site}`);
  }

  /** Invariant 2. */
  #isOurs(origin: string): boolean {
    const match = /^https?:\/\/([^/\s]+)$/.exec(origin.toLowerCase());
    return match !== null && this.#hosts.has(match[1]!);
  }
}

/** Invariant 1: Node drops repeated Host headers, so they are counted as they came. */
function onlyHost({ rawHeaders, headers }: IncomingMessage): string | undefined {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]!.toLowerCase() === 'host') count++;
  return count === 1 ? headers.host?.toLowerCase() : undefined;
}

/** A link that somebody followed: it shows our page, and no answer reaches the page it was on. */
function isOpening({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function hasPort(host: string): boolean {
  return /:\d+$/.test(host);
}

function foreign(what: string): TroupeError {
  return new TroupeError(
    'ForeignOrigin',
    `The request comes from a page of another origin. ${what}: only pages that this gateway serves may use it.`,
  );
}

function shown(text: string | undefined): string {
  return text === undefined ? 'missing or repeated' : JSON.stringify(text.slice(0, 200));
}
