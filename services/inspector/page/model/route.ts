/** Where the page is, in its address: `/`, `/actor/<type>/<key>?panel=chart&seq=12`, `/<global panel>`. */
import { Store } from './store.ts';

export interface Place {
  /** `<type>/<key>`; undefined outside an actor. */
  readonly actor: string | undefined;
  /** Of the actor, or of the whole. */
  readonly panel: string | undefined;
  /** The moment; undefined for the newest. */
  readonly seq: number | undefined;
}

export function parsePlace(path: string, query: string): Place {
  const params = new URLSearchParams(query);
  const seq = /^\d{1,16}$/.test(params.get('seq') ?? '') ? Number(params.get('seq')) : undefined;
  const [first, type, ...key] = path.split('/').filter((part) => part !== '');
  if (first === 'actor' && type !== undefined && key.length > 0) {
    const actor = `${decode(type)}/${key.map(decode).join('/')}`;
    return { actor, panel: params.get('panel') ?? undefined, seq };
  }
  return { actor: undefined, panel: first, seq: undefined };
}

export function formatPlace({ actor, panel, seq }: Place): string {
  if (actor === undefined) return `/${panel ?? ''}`;
  const slash = actor.indexOf('/');
  const params = new URLSearchParams();
  if (panel !== undefined) params.set('panel', panel);
  if (seq !== undefined) params.set('seq', String(seq));
  const query = params.size === 0 ? '' : `?${params}`;
  return `/actor/${encodeURIComponent(actor.slice(0, slash))}/${encodeURIComponent(actor.slice(slash + 1))}${query}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export class Route extends Store {
  #place: Place;

  constructor() {
    super();
    this.#place = parsePlace(location.pathname, location.search);
    addEventListener('popstate', () => {
      this.#place = parsePlace(location.pathname, location.search);
      this.changed();
    });
  }

  get place(): Place {
    return this.#place;
  }

  /** A new page in the browser's history; `replace` changes the present one, as a moving slider does. */
  go(place: Partial<Place>, options: { readonly replace?: boolean } = {}): void {
    this.#place = { ...this.#place, ...place };
    const url = formatPlace(this.#place);
    if (options.replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    this.changed();
  }
}
