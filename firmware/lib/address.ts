/** Where a datagram goes to or came from. */
export interface Address {
  /** An IPv4 or IPv6 literal, without brackets. */
  host: string;
  port: number;
}

export const sameAddress = (a: Address, b: Address) => a.host === b.host && a.port === b.port;

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export const printAddress = ({ host, port }: Address) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
