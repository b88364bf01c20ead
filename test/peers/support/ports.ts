/** Ports on loopback that nobody has now. */
import { freePort } from '../../demo/free-port.ts';

/** Ports of one RTP range: ten calls with RTCP. */
const RANGE = 20;

export const sipPort = () => freePort('udp');
export const tcpPort = () => freePort('tcp');

/** A range for RTP: even at the start (RFC 3550 §11). Only its first port is known to be free; the peers look for more. */
export async function rtpRange(): Promise<{ from: number; to: number }> {
  for (;;) {
    const from = (await freePort('udp')) & ~1;
    const to = from + RANGE - 1;
    if (to <= 65_535) return { from, to };
  }
}
