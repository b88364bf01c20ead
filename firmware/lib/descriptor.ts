/** The system's own handle of a socket, which Node keeps to itself: for what Node has no call for. */

export interface Handle {
  /** File descriptor. */
  fd: number;
  /** Of datagram sockets: the event loop reads no more. */
  recvStop?(): void;
}

/** Undefined where this Node does not show it, or the socket is closed. In a state of datagram sockets, in the handle of connections. */
export function handleOf(socket: object): Handle | undefined {
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  const handle =
    state === undefined ? Reflect.get(socket, '_handle') : Reflect.get(Reflect.get(socket, state), 'handle');
  const fd: unknown = handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? handle : undefined;
}
