/** `/v1/live`: the inspector page's WebSocket. What it speaks is written in `live-protocol.ts` of the inspector. */
import { LIVE_PATH } from '@troupe/service-inspector';
import { WebSocketServer } from 'ws';
import type { MakeMount } from '../mount.ts';
import { ActorIndex } from './actor-index.ts';
import { LiveConnection, type LiveServices } from './live-connection.ts';
import { createOps } from './live-ops.ts';
import { StepHub } from './step-hub.ts';

/** What a page may send at once: a task's input at most, bytes. */
const FRAME_BYTES_MAX = 1_048_576;
/** How often a page that has gone without a word is looked for, ms. */
const PING_EVERY_MS = 15_000;

/** @example startGateway({ mounts: [makeLive], page: await inspectorPage() }); */
export const makeLive: MakeMount = (context) => {
  const server = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false });
  const index = new ActorIndex(context);
  const hub = new StepHub(context);
  const services: LiveServices = { ops: createOps(context), index, hub };
  return {
    path: LIVE_PATH,
    role: 'read',
    open(request, socket, head, principal) {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        let alive = true;
        const timer = setInterval(() => {
          if (!alive) webSocket.terminate();
          alive = false;
          webSocket.ping();
        }, PING_EVERY_MS);
        webSocket.on('pong', () => {
          alive = true;
        });
        webSocket.on('close', () => clearInterval(timer));
        new LiveConnection(webSocket, principal, services);
      });
    },
    close() {
      index.close();
      hub.close();
      for (const socket of server.clients) socket.close(1_001, 'the gateway is closing');
      server.close();
    },
  };
};
