/** What goes out to an inspector that may be slower than the workers: dropped and counted, never queued without end. */

/** Text that may wait in the socket before more is dropped, bytes. */
export const BUFFERED_BYTES_MAX = 4 * 1_048_576;

/** One end of a WebSocket, as the feeds need it; `ws` has it. */
export interface InspectorSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
}

export class Outbound {
  /** Messages that were not sent because the inspector is too slow. */
  dropped = 0;
  readonly #socket: InspectorSocket;

  constructor(socket: InspectorSocket) {
    this.#socket = socket;
  }

  send(message: object): void {
    if (this.#socket.bufferedAmount > BUFFERED_BYTES_MAX) this.dropped++;
    else this.#socket.send(JSON.stringify(message));
  }
}
