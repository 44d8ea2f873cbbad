/** Troupe for Stately's inspector: what its `createWebSocketReceiver` reads. */
import type { InspectionEvent } from '@troupe/wire';
import { INSPECTION_VERSION } from '@troupe/wire';
import { type InspectorSocket, Outbound } from './outbound.ts';
import { type WatchOptions, watchActors } from './watch.ts';

export interface FeedOptions extends Pick<WatchOptions, 'bus' | 'subjects' | 'actors' | 'types' | 'clock' | 'ttlMs'> {
  readonly socket: InspectorSocket;
}

/** Sessions that were introduced to one inspector; beyond, they are introduced again. */
const SESSIONS_MAX = 10_000;

/**
 * Sends what happens to an inspector, from now on until closed. Every session is introduced before anything else of it.
 *
 * @example server.on('connection', (socket) => socket.on('close', createStatelyFeed({ bus, subjects, socket }).close));
 */
export function createStatelyFeed(options: FeedOptions): { close(): void; readonly dropped: number } {
  const { socket, ...watched } = options;
  const out = new Outbound(socket);
  const known = new Set<string>();
  const introduce = (event: InspectionEvent): void => {
    if (known.size >= SESSIONS_MAX) known.clear();
    known.add(event.sessionId);
    if (event.type !== '@xstate.actor') out.send(introductionOf(event));
  };
  const watch = watchActors({
    ...watched,
    onEvent: (event) => {
      if (!known.has(event.sessionId)) introduce(event);
      const { troupe: _ours, ...plain } = event as InspectionEvent & { readonly troupe?: unknown };
      out.send(plain);
    },
  });
  return {
    close: () => watch.close(),
    get dropped() {
      return out.dropped;
    },
  };
}

/** Of a session whose beginning this inspector has not seen. */
function introductionOf({ rootId, sessionId, createdAt, ...event }: InspectionEvent): InspectionEvent {
  const isRoot = rootId === sessionId;
  const slash = rootId.indexOf('/');
  const path = sessionId.slice(rootId.length + 1);
  const { troupe } = event as { readonly troupe?: { readonly src?: unknown } };
  const nameOfChild = typeof troupe?.src === 'string' ? troupe.src : path;
  return {
    type: '@xstate.actor',
    rootId,
    sessionId,
    createdAt,
    id: `${sessionId}@0`,
    _version: INSPECTION_VERSION,
    name: isRoot ? rootId.slice(0, slash < 0 ? rootId.length : slash) : nameOfChild,
    snapshot: 'snapshot' in event ? event.snapshot : { status: 'active' },
    ...(isRoot ? {} : { parentId: path.includes('/') ? sessionId.slice(0, sessionId.lastIndexOf('/')) : rootId }),
  };
}
