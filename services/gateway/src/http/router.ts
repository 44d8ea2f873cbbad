/** Finds the route of a request. */
import { TroupeError } from '@troupe/wire';
import { HttpError } from './http-error.ts';
import type { Route } from './route.ts';
import type { Target } from './target.ts';

export interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly segments: readonly string[];
}

export class Router {
  readonly #routes: readonly Compiled[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, segments: route.path.slice(1).split('/') }));
  }

  /** @returns undefined where there is no such path. @throws HttpError `MethodNotAllowed` where there is, but not so. */
  find(method: string, { segments, path }: Target): Found | undefined {
    const matches = this.#routes.flatMap((compiled) => {
      const params = match(compiled.segments, segments);
      return params === undefined ? [] : [{ route: compiled.route, params }];
    });
    const wanted = method === 'HEAD' ? 'GET' : method;
    const found = matches.find(({ route }) => route.method === wanted);
    if (found !== undefined || matches.length === 0) return found;
    const allow = matches.map(({ route }) => route.method).join(', ');
    throw new HttpError(
      new TroupeError(
        'MethodNotAllowed',
        `${method.slice(0, 20)} is not possible on ${path.slice(0, 200)}: use ${allow}.`,
      ),
      { Allow: allow },
    );
  }
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const wanted = pattern[i]!;
    if (wanted.startsWith('{')) params[wanted.slice(1, -1)] = segments[i]!;
    else if (wanted !== segments[i]) return undefined;
  }
  return params;
}
