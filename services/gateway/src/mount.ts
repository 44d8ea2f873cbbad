/** WebSockets that the gateway serves: it checks who comes, the mount does the talking. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Principal, Role } from './auth/role.ts';
import type { GatewayContext } from './context.ts';

/** Everything behind one path. */
export interface WebSocketMount {
  /** Exact, such as `/v1/live`. */
  readonly path: string;
  /** The least role that may open it; what needs more is for the mount to check. */
  readonly role: Role;
  /**
   * Host, Origin, token, rate and number of sockets were checked: do the handshake (`ws` with `noServer` and `handleUpgrade`).
   * What it throws closes the socket.
   */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, principal: Principal): void;
  /** Ends what is open; called once, when the gateway closes. Sockets that are left are destroyed afterwards. */
  close?(): Promise<void> | void;
}

export type MakeMount = (context: GatewayContext) => WebSocketMount;
