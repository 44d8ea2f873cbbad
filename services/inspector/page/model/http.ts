/** Questions to the gateway's HTTP API, with its errors in words. */

const TIMEOUT_MS = 20_000;

/** @throws Error with the gateway's message. */
export async function http<T>(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<T> {
  const init = { method, headers: { accept: 'application/json' }, signal: AbortSignal.timeout(TIMEOUT_MS) };
  const response = await fetch(path, init);
  const text = await response.text();
  const body: unknown = text === '' ? undefined : parse(text);
  if (response.ok) return body as T;
  const { code, message } = (body ?? {}) as { readonly code?: string; readonly message?: string };
  throw new Error(message === undefined ? `${response.status} ${response.statusText}` : `${code}: ${message}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 200) };
  }
}
