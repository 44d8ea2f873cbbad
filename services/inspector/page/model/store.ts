/** Data that views show: they are told of changes once a frame, however many there were. */
import { useEffect, useReducer } from 'preact/hooks';

export class Store {
  readonly #listeners = new Set<() => void>();
  #scheduled = false;

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called after every change. */
  protected changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A hidden tab has no frames; its data goes on all the same.
    const next = document.hidden ? (tell: () => void) => setTimeout(tell, 250) : requestAnimationFrame;
    next(() => {
      this.#scheduled = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

/** Renders the calling view again whenever the store changes. */
export function useStore<S extends Store>(store: S): S {
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => store.subscribe(() => render(undefined)), [store]);
  return store;
}
