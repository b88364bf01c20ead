/** What a flood is made of, and where it comes from: an address of this machine that no account has for its server. */
export const floodSource = '127.0.0.2';

export const datagramKinds = ['INVITE for us', 'INVITE for nobody', 'REGISTER', 'OPTIONS', 'garbage'] as const;
export const connectionKinds = ['half-open TCP', 'slow TLS'] as const;

export interface FloodTally {
  /** Datagrams, or connections. */
  sent: number;
  /** Status → how many responses. */
  statuses: Record<string, number>;
  /** Responses with Retry-After. */
  retryAfter: number;
  /** Connections that have ended, whoever closed them. */
  closed: number;
}
