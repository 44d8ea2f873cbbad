/** Reads server-sent events. Nothing waits longer than `PATIENCE_MS`. */

export interface SseEvent {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

const PATIENCE_MS = 20_000;

export class SseReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #stop: AbortController;
  #text = '';
  #over = false;

  private constructor(reader: ReadableStreamDefaultReader<string>, stop: AbortController) {
    this.#reader = reader;
    this.#stop = stop;
  }

  static async open(url: string, init: RequestInit = {}): Promise<SseReader> {
    const stop = new AbortController();
    const response = await fetch(url, {
      ...init,
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>;
    return new SseReader(response.body!.pipeThrough(decoder).getReader(), stop);
  }

  /** Until the gateway says that it listens. */
  async listening(): Promise<void> {
    while (!this.#text.includes(': listening\n\n') && (await this.#more()));
  }

  /** The next so many. */
  async next(count: number): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    while (events.length < count) {
      const event = this.#take();
      if (event !== undefined) events.push(event);
      else if (!(await this.#more())) break;
    }
    return events;
  }

  /** All until the stream ends. */
  rest(): Promise<SseEvent[]> {
    return this.next(Number.POSITIVE_INFINITY);
  }

  /** The first of this name; those before it are left out. */
  async until(name: string): Promise<SseEvent> {
    for (;;) {
      const [event] = await this.next(1);
      if (event === undefined) throw new Error(`the stream ended without ${name}`);
      if (event.name === name) return event;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reader.cancel().catch(() => undefined);
  }

  async #more(): Promise<boolean> {
    if (this.#over) return false;
    const { done, value } = await this.#reader.read();
    this.#over = done;
    this.#text += value ?? '';
    return !done;
  }

  #take(): SseEvent | undefined {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end === -1) return undefined;
      const lines = this.#text.slice(0, end).split('\n');
      this.#text = this.#text.slice(end + 2);
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined)
        return { name: field('event') ?? '', id: field('id'), data: JSON.parse(data) as Record<string, unknown> };
    }
  }
}
