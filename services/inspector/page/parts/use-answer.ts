/** What a question is answered with, while the view is there. */
import { useEffect, useState } from 'preact/hooks';

export interface Answer<T> {
  readonly value: T | undefined;
  readonly error: string | undefined;
  readonly loading: boolean;
}

/**
 * Asks again whenever one of `deps` changes; an answer that comes too late is dropped. The last value stays until the next
 * one is there.
 */
export function useAnswer<T>(ask: () => Promise<T> | undefined, deps: readonly unknown[]): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: undefined, error: undefined, loading: true });
  useEffect(() => {
    let wanted = true;
    const promise = ask();
    if (promise === undefined) {
      setAnswer({ value: undefined, error: undefined, loading: false });
      return;
    }
    setAnswer((before) => ({ ...before, loading: true }));
    promise.then(
      (value) => wanted && setAnswer({ value, error: undefined, loading: false }),
      (error: unknown) =>
        wanted &&
        setAnswer({ value: undefined, error: error instanceof Error ? error.message : String(error), loading: false }),
    );
    return () => {
      wanted = false;
    };
  }, deps);
  return answer;
}
