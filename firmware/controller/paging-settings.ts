/** What the media thread is told of paging groups, from the configuration. */
import type { Config } from '../config/schema.ts';
import type { PagingSettings } from '../media/protocol.ts';
import { levelOfChannel } from '../paging/groups.ts';
import type { LevelRule, LevelRules } from '../paging/levels.ts';
import type { PageZone } from '../paging/zones.ts';

/** Of the codecs with one (RFC 3551 table 4). */
const STATIC_TYPES: Readonly<Record<string, number>> = { PCMU: 0, PCMA: 8, G722: 9, 'L16/44100': 11 };
const PACKET_MS = 20;
/** Of these, 20 ms do not fit into a packet. */
const SHORT_PACKET_MS = 10;
const SHORT = ['L16/44100', 'L16/48000'];

/** The zones that the device pages. */
export function zoneSettings({ paging, media }: Config): Readonly<Record<string, PageZone>> {
  return mapValues(
    paging.zones,
    ({ address, port, format, channel, codec, payloadType, dscp, key, ...zone }, name) => ({
      name,
      host: address,
      port,
      format,
      ...(channel !== undefined && { channel }),
      soundPort: zone.soundPort,
      codec: {
        name: codec,
        payloadType: STATIC_TYPES[codec] ?? payloadType,
        ptimeMs: SHORT.includes(codec) ? SHORT_PACKET_MS : PACKET_MS,
      },
      ttl: zone.ttl,
      dscp: dscp ?? media.dscp,
      gong: zone.gong,
      longestMs: zone.longest,
      reports: zone.reports,
      ...(key !== undefined && { key: Uint8Array.from(Buffer.from(key, 'base64')) }),
    }),
  );
}

type LevelSettings = Config['paging']['levels'][keyof Config['paging']['levels']];

export function pagingSettings({ paging, sip }: Config): PagingSettings {
  const { background, normal, high, emergency } = paging.levels;
  return {
    groups: Object.entries(paging.groups).map(
      ([name, { address, port, format, channel, level, codec, sources, volume, key }]) => ({
        name,
        host: address,
        port,
        format,
        ...(channel !== undefined && { channel }),
        level: level ?? levelOfChannel(channel),
        ...(codec !== undefined && { dynamicCodec: codec }),
        sources,
        volumeDb: volume,
        ...(key !== undefined && { key: Uint8Array.from(Buffer.from(key, 'base64')) }),
      }),
    ),
    levels: {
      background: ruleOf(background),
      normal: ruleOf(normal),
      high: ruleOf(high),
      emergency: ruleOf(emergency),
    } satisfies LevelRules,
    silenceMs: paging.silence,
    delayMs: paging.delay,
    interfaceHost: paging.interface ?? (isWildcard(sip.listen.host) ? undefined : sip.listen.host),
  };
}

const ruleOf = ({ call, pages, volume, atLeast, gong }: LevelSettings): LevelRule => ({
  call,
  pages,
  volumeDb: volume,
  leastDb: atLeast,
  gong,
});

const isWildcard = (host: string) => host === '0.0.0.0' || host === '::';

const mapValues = <T, U>(record: Record<string, T>, change: (value: T, key: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
