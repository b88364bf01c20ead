/** The groups that a device hears: where each is, how its pages are packed, how urgent they are. */
import type { L16Name } from '../audio/codecs/l16.ts';
import type { Level } from './levels.ts';

/** `rtp`: plain RTP. `polycom`: group page and push-to-talk. `linksys`: a word to start and to stop, then plain RTP. */
export type PageFormat = 'rtp' | 'polycom' | 'linksys';

/** What the sound of a page is packed in. */
export type PageCodecName = 'PCMU' | 'PCMA' | 'G722' | 'opus' | L16Name;

/** Groups heard at once. */
export const MAX_GROUPS = 32;

export interface PageGroup {
  name: string;
  /** Multicast address. */
  host: string;
  port: number;
  format: PageFormat;
  /** polycom: 1 to 25 push-to-talk, 26 to 50 group page 1 to 25. */
  channel?: number;
  level: Level;
  /** rtp, linksys: what payload types 96 to 127 are, which only the sender's configuration says. */
  dynamicCodec?: 'opus' | L16Name;
  /** Addresses and networks that may page; none: all. */
  sources: readonly string[];
  volumeDb: number;
  /** SRTP: master key and salt, 30 or 46 bytes. Absent: plain. */
  key?: Uint8Array;
}

/** Channels that every Polycom takes for urgent: 24 and 25 of push-to-talk, and of group page (49 and 50). */
export function levelOfChannel(channel: number | undefined): Level {
  if (channel === 25 || channel === 50) return 'emergency';
  return channel === 24 || channel === 49 ? 'high' : 'normal';
}

/** The groups of each address and port, which share one socket. */
export function byAddress<G extends { host: string; port: number }>(groups: readonly G[]): G[][] {
  const shared = new Map<string, G[]>();
  for (const group of groups) {
    const key = `${group.host} ${group.port}`;
    const others = shared.get(key);
    if (others === undefined) shared.set(key, [group]);
    else others.push(group);
  }
  return [...shared.values()];
}
