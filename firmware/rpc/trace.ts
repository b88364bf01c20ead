/** What a watcher of the network is told over the socket: `sip.trace`. */
import type { Device } from '../controller/contracts.ts';
import type { SeenMessage, Watcher } from '../controller/wire-tap.ts';

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

/** The params of a notification `rtp`. */
export interface TracedPackets {
  packets: Pick<TracedMessage, 'atMs' | 'way' | 'local' | 'remote' | 'bytes'>[];
  /** Packets that are not among them. */
  missed?: number;
}

/** Tells one follower, as far as it keeps up; what it misses is counted, and the device does not wait. */
export function trace(
  device: Device,
  { notify, keepsUp, rtp }: { notify: (method: string, params: unknown) => void; keepsUp: () => boolean; rtp: boolean },
): () => void {
  let missed = 0;
  let missedPackets = 0;
  const told = ({ atMs, way, local, remote, bytes }: SeenMessage): TracedMessage => ({
    atMs,
    way,
    transport: remote.transport ?? 'udp',
    local: { host: local.host, port: local.port },
    remote: { host: remote.host, port: remote.port },
    bytes: inBase64(bytes),
    ...(missed > 0 && { missed }),
  });
  const onPackets: Watcher['onPackets'] = (packets, lost) => {
    missedPackets += lost;
    if (!keepsUp()) {
      missedPackets += packets.length;
      return;
    }
    const told: TracedPackets = {
      packets: packets.map(packet => ({ ...packet, bytes: inBase64(packet.bytes) })),
      ...(missedPackets > 0 && { missed: missedPackets }),
    };
    notify('rtp', told);
    missedPackets = 0;
  };
  return device.watch({
    onMessage: seen => {
      if (!keepsUp()) {
        missed++;
        return;
      }
      notify('sip', told(seen));
      missed = 0;
    },
    ...(rtp && { onPackets }),
  });
}

const inBase64 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
