/** Ports on loopback that nobody has now. */
import { freePort } from '../../demo/free-port.ts';

/** Ports of one RTP range: ten calls with RTCP. */
const RANGE = 20;

/** Free for UDP and for TCP, and the one above it for TLS. */
export async function sipPort(): Promise<number> {
  for (;;) {
    const port = await freePort('udp');
    const isFree = async (wanted: number) => (await freePort('tcp', wanted)) === wanted;
    if (port < 65_535 && (await isFree(port)) && (await isFree(port + 1))) return port;
  }
}
export const tcpPort = () => freePort('tcp');

/** A range for RTP: even at the start (RFC 3550 §11). Only its first port is known to be free; the peers look for more. */
export async function rtpRange(ports = RANGE): Promise<{ from: number; to: number }> {
  for (;;) {
    const from = (await freePort('udp')) & ~1;
    const to = from + ports - 1;
    if (to <= 65_535) return { from, to };
  }
}
