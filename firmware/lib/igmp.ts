/** IGMP, as far as a member of groups wants to know it: whether anybody asks who is one. */

/** IPv4 header: its length in words stands in the lower half of the first byte (RFC 791 §3.1). */
const LEAST_HEADER_BYTES = 20;
const WORD_BYTES = 4;
const PROTOCOL_AT = 9;
const SOURCE_AT = 12;
const IGMP = 2;
/** RFC 2236 §2.1, RFC 3376 §4: Membership Query of every version. */
const QUERY = 0x11;

/** Who asks, in an IPv4 packet with a membership query; undefined for anything else. A switch may ask as 0.0.0.0. */
export function querierOf(packet: Uint8Array): string | undefined {
  if (packet.length < LEAST_HEADER_BYTES || packet[0]! >> 4 !== 4 || packet[PROTOCOL_AT] !== IGMP) return undefined;
  const header = (packet[0]! & 0x0f) * WORD_BYTES;
  if (header < LEAST_HEADER_BYTES || packet[header] !== QUERY) return undefined;
  return packet.subarray(SOURCE_AT, SOURCE_AT + 4).join('.');
}
