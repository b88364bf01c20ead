/** A session description (RFC 4566, RFC 8866) as data: what a call needs is typed, other attributes are kept as they came. */

/** RFC 3264 §5.1. Seen from whoever sends the description. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** `a=name` or `a=name:value`. */
export type Attribute = readonly [name: string, value?: string];

/** RFC 4566 §6 rtpmap. */
export interface RtpMap {
  /** As it came; compare without regard to case. */
  name: string;
  clockRate: number;
  channels: number;
}

export interface Origin {
  username: string;
  /** Up to 64 bits: kept as text. */
  sessionId: string;
  version: string;
  host: string;
}

export interface MediaDescription {
  /** `audio`, `video`, `image`, … */
  type: string;
  /** 0: refused, or ended. */
  port: number;
  /** `RTP/AVP`, `RTP/SAVP`, `udptl`, … */
  protocol: string;
  /** In order of preference; RTP payload types where the protocol is RTP. */
  formats: string[];
  /** Connection address of this medium; absent: that of the session. */
  host?: string;
  /** Payload type → codec. Static types (RFC 3551) may be absent: `rtpMapOf` knows them. */
  rtpMaps: Map<number, RtpMap>;
  /** Payload type → format parameters. */
  formatParameters: Map<number, string>;
  /** Milliseconds. */
  ptime?: number;
  maxptime?: number;
  /** Absent: that of the session, else sendrecv. */
  direction?: Direction;
  /** RFC 3605. Absent: the port above `port`. */
  rtcpPort?: number;
  /** RFC 5761 was offered. */
  rtcpMux?: boolean;
  attributes: Attribute[];
}

export interface SessionDescription {
  origin: Origin;
  name: string;
  /** Connection address of the session: IP literal or name, without multicast TTL. */
  host?: string;
  direction?: Direction;
  attributes: Attribute[];
  media: MediaDescription[];
}

/** Why there is no call with a description. */
export interface Refused {
  refused: string;
}
