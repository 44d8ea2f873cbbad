/** Data that views show: they are told of changes in the next frame, and at most twenty times a second. */
import { useEffect, useReducer } from 'preact/hooks';

/** Less than the eye needs, and a third of the work that every frame would be, ms. */
const TELL_EVERY_MS = 50;

export class Store {
  readonly #listeners = new Set<() => void>();
  #scheduled = false;
  #toldAt = 0;

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called after every change. */
  protected changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const tell = (): void => {
      this.#scheduled = false;
      this.#toldAt = performance.now();
      for (const listener of this.#listeners) listener();
    };
    const waitMs = this.#toldAt + TELL_EVERY_MS - performance.now();
    // A hidden tab has no frames; its data goes on all the same.
    if (document.hidden) setTimeout(tell, 250);
    else if (waitMs <= 0) requestAnimationFrame(tell);
    else setTimeout(() => requestAnimationFrame(tell), waitMs);
  }
}

/** Renders the calling view again whenever the store changes. */
export function useStore<S extends Store>(store: S): S {
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => store.subscribe(() => render(undefined)), [store]);
  return store;
}
