/** What a route answers with. */
import type { EventStream } from './event-stream.ts';

export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly value: unknown; readonly headers?: ReplyHeaders }
  | { readonly kind: 'text'; readonly status: number; readonly contentType: string; readonly text: string }
  | { readonly kind: 'empty'; readonly status: number; readonly headers?: ReplyHeaders }
  /** Server-sent events: `open` is called once the head is sent; what it returns stops the source. */
  | { readonly kind: 'events'; open(stream: EventStream): (() => void) | undefined };

/** Never made of what a client sent. */
export type ReplyHeaders = Readonly<Record<string, string>>;

export const json = (value: unknown, status = 200): Reply => ({ kind: 'json', status, value });

/** To a reader that has seen the end: a browser does not come again. */
export const nothingMore: Reply = { kind: 'empty', status: 204 };

export const events = (open: (stream: EventStream) => (() => void) | undefined): Reply => ({ kind: 'events', open });
