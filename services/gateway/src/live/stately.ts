/**
 * WebSockets for other people's inspectors: `/v1/stately` for `@statelyai/inspect`, `/v1/xstate-inspect` for
 * `@xstate/inspect` 0.8. Each is read by that package's own `createWebSocketReceiver`. `?actor=order/42` and `?type=order`,
 * any number of them, say what is wanted; without, everything is sent.
 */
import type { IncomingMessage } from 'node:http';
import { createStatelyFeed, createXStateInspectFeed, type FeedOptions, requestStructures } from '@troupe/inspect';
import { machineStructure } from '@troupe/runtime';
import { parseAddress } from '@troupe/wire';
import { type WebSocket, WebSocketServer } from 'ws';
import type { GatewayContext } from '../context.ts';
import type { MakeMount, WebSocketMount } from '../mount.ts';

/** What an inspector may send at once: it has next to nothing to say, bytes. */
const FRAME_BYTES_MAX = 4_096;
/** How often one that has gone without a word is looked for, ms. */
const PING_EVERY_MS = 15_000;

type OpenFeed = (options: FeedOptions) => { receive?(text: string): void; close(): void };

/** @example startGateway({ mounts: [makeStately, makeXStateInspect] }) */
export const makeStately: MakeMount = (context) => mountOf(context, '/v1/stately', createStatelyFeed);

export const makeXStateInspect: MakeMount = (context) => {
  const { ports, subjects, definitions } = context;
  const ask = requestStructures({ bus: ports.bus, subjects });
  const structureOf: typeof ask = async (type) => {
    const own = definitions.find((one) => one.type === type);
    return (await ask(type)) ?? (own && machineStructure(own));
  };
  return mountOf(context, '/v1/xstate-inspect', (options) => createXStateInspectFeed({ ...options, structureOf }));
};

function mountOf({ ports, subjects, log }: GatewayContext, path: string, openFeed: OpenFeed): WebSocketMount {
  const server = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false });
  return {
    path,
    role: 'read',
    open(request, socket, head) {
      const wanted = wantedBy(request);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const feed = openFeed({ bus: ports.bus, subjects, socket: webSocket, ...wanted });
        webSocket.on('message', (data, isBinary) => {
          if (!isBinary) feed.receive?.(String(data));
        });
        webSocket.on('error', (error) => log.debug({ path, error: String(error) }, 'an inspector went away'));
        webSocket.on('close', () => feed.close());
        keepAlive(webSocket);
      });
    },
    close() {
      for (const socket of server.clients) socket.close(1_001, 'the gateway is closing');
      server.close();
    },
  };
}

/** @throws TroupeError `InvalidType`, `InvalidKey` for an actor that can't be one. */
function wantedBy({ url = '' }: IncomingMessage): Pick<FeedOptions, 'actors' | 'types'> {
  const { searchParams } = new URL(url, 'ws://gateway');
  const actors = searchParams.getAll('actor');
  const types = searchParams.getAll('type');
  for (const actor of actors) parseAddress(actor);
  for (const type of types) parseAddress(`${type}/any`);
  return { ...(actors.length > 0 && { actors }), ...(types.length > 0 && { types }) };
}

function keepAlive(webSocket: WebSocket): void {
  let isAlive = true;
  const timer = setInterval(() => {
    if (!isAlive) webSocket.terminate();
    isAlive = false;
    webSocket.ping();
  }, PING_EVERY_MS);
  webSocket.on('pong', () => {
    isAlive = true;
  });
  webSocket.on('close', () => clearInterval(timer));
}
