/** Where a datagram goes to or came from. */
export interface Address {
  /** An IPv4 or IPv6 literal, without brackets. */
  host: string;
  port: number;
}

/** Of an address literal: what stays on this machine. */
export const isLoopback = (host: string) => /^127\.|^::1$/.test(host);

export const sameAddress = (a: Address, b: Address) => a.host === b.host && a.port === b.port;

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export const printAddress = ({ host, port }: Address) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
