/**
 * How much of a connection is read in one turn of the event loop.
 *
 * Node reads a socket on and on while each read fills its buffer, up to 2 MiB in one turn, and the client library handles all of it
 * before a timer fires. A worker that starts behind a long journal would stand still for a second or more: no lease renewed, no
 * signal heard, and on a busy machine so long that it counts as stuck.
 *
 * Invariants
 * 1. After `TURN_BYTES_MAX` of full reads the socket rests until the next turn. A read that is not full emptied the socket, so it is
 *    not counted, and small traffic pays one comparison.
 * 2. A socket that rests always goes on: nothing but the next turn is waited for.
 */

/** Bytes of full reads per turn: some hundred entries. */
const TURN_BYTES_MAX = 65_536;
/** A read of at least so many bytes may not have emptied the socket: TLS hands over 16 KiB at a time. */
const FULL_READ_BYTES = 16_384;

/** What is needed of a socket. */
export interface PacedSocket {
  on(event: 'data', listener: (chunk: { readonly length: number }) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

const paced = new WeakSet<PacedSocket>();

/**
 * Lets a socket in flowing mode rest once it was read enough in one turn. A second call for the same socket does nothing.
 *
 * @param nextTurn `setImmediate`; calls back after timers and sockets had their turn.
 */
export function paceReads(
  socket: PacedSocket,
  nextTurn: (callback: () => void) => void = (callback) => void setImmediate(callback),
): void {
  if (paced.has(socket)) return;
  paced.add(socket);
  let bytes = 0;
  let resting = false;
  socket.on('data', ({ length }) => {
    if (length < FULL_READ_BYTES || resting) return;
    bytes += length;
    if (bytes < TURN_BYTES_MAX) return;
    resting = true;
    socket.pause();
    nextTurn(() => {
      bytes = 0;
      resting = false;
      socket.resume();
    });
  });
}
