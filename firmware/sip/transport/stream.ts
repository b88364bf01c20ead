/** What SIP needs of a TCP or TLS connection. The real one is in `streams.ts`; tests and worlds bring their own. */
import type { Hop } from '../hop.ts';

export interface StreamEvents {
  /** Connected, and over TLS the peer is who it should be. Once, and only on a connection that we open. */
  onOpen(): void;
  onBytes(bytes: Uint8Array): void;
  /** The connection is no more; nothing is told after this. `why` in words, for a person; absent: closed in order. */
  onClose(why?: string): void;
}

/** No event is told before the function that gave the stream has returned. */
export interface ByteStream {
  /** Written in order, also before the connection is open. */
  write(bytes: Uint8Array): void;
  /** Our end, once it is known. */
  readonly localHost: string | undefined;
  /** Bytes that were written and that the network has not taken yet. */
  readonly waitingBytes: number;
  /** Ends it at once. `onClose` is not told. */
  close(): void;
}

/** Opens a connection; what becomes of it is told later. Never throws. */
export type Connect = (to: Hop, events: StreamEvents) => ByteStream;
