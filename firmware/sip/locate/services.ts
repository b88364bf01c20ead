/** The DNS records that say where the servers of a domain are: NAPTR (RFC 3403) and SRV (RFC 2782). */

export interface Naptr {
  order: number;
  preference: number;
  /** `s`: `replacement` is the name of SRV records. */
  flags: string;
  /** `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`, … */
  service: string;
  replacement: string;
}

export interface Srv {
  priority: number;
  weight: number;
  port: number;
  /** A host name; empty or `.`: the service is decidedly not there. */
  target: string;
}

/** What DNS said of a name: its records (none is an answer too), or why nobody knows. */
export type Found<Record> = { records: readonly Record[]; ttlMs: number } | { why: string };

export interface Services {
  /** `done` is called at most once. */
  naptr(name: string, done: (found: Found<Naptr>) => void): void;
  srv(name: string, done: (found: Found<Srv>) => void): void;
}
