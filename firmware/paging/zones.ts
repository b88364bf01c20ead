/** The zones that a device pages: where each is, and how its pages are packed. */
import type { PageCodecName, PageFormat } from './groups.ts';

/** Zones that are paged at once. */
export const MAX_SENT_PAGES = 8;

export interface PageZone {
  name: string;
  /** Multicast address; with `linksys`, of the word that says where the sound is. */
  host: string;
  port: number;
  format: PageFormat;
  /** polycom: 1 to 25 push-to-talk, 26 to 50 group page 1 to 25. */
  channel?: number;
  /** linksys: where the sound goes, on the same address. */
  soundPort: number;
  codec: { name: PageCodecName; payloadType: number; ptimeMs: number };
  /** Routers that may pass it on, and one. */
  ttl: number;
  /** 0 to 63 (RFC 2474). 0: no mark. */
  dscp: number;
  /** A gong before the first word. */
  gong: boolean;
  /** A page is over after so long, whoever still speaks. */
  longestMs: number;
  /** Sender reports go to the next port (RFC 3550 §6.4.1), by which speakers play together. */
  reports: boolean;
  /** SRTP: master key and salt, 30 or 46 bytes. Absent: plain. */
  key?: Uint8Array;
}
