/** What a watcher of the network is told over the socket: `sip.trace`. */
import type { Device } from '../controller/contracts.ts';
import type { SeenMessage } from '../controller/wire-tap.ts';

/** The params of a notification `sip`. */
export interface TracedMessage {
  /** Milliseconds since 1970. */
  atMs: number;
  way: 'in' | 'out';
  transport: 'udp' | 'tcp' | 'tls';
  local: { host: string; port: number };
  remote: { host: string; port: number };
  /** The message as it stood on the wire, in base64; of TLS what was inside. */
  bytes: string;
  /** Messages that were left out before this one, since the reader was too slow. */
  missed?: number;
}

/** Tells one follower, as far as it keeps up; what it misses is counted, and the device does not wait. */
export function trace(
  device: Device,
  notify: (method: string, params: unknown) => void,
  keepsUp: () => boolean,
): () => void {
  let missed = 0;
  const told = ({ atMs, way, local, remote, bytes }: SeenMessage): TracedMessage => ({
    atMs,
    way,
    transport: remote.transport ?? 'udp',
    local: { host: local.host, port: local.port },
    remote: { host: remote.host, port: remote.port },
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    ...(missed > 0 && { missed }),
  });
  return device.watch({
    onMessage: seen => {
      if (!keepsUp()) {
        missed++;
        return;
      }
      notify('sip', told(seen));
      missed = 0;
    },
  });
}
