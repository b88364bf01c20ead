/** What the media thread is told of paging groups, from the configuration. */
import type { Config } from '../config/schema.ts';
import type { PagingSettings } from '../media/protocol.ts';
import { levelOfChannel } from '../paging/groups.ts';
import type { LevelRule, LevelRules } from '../paging/levels.ts';
import type { PageZone } from '../paging/zones.ts';

/** Of the codecs with one (RFC 3551 table 4). */
const STATIC_TYPES = { PCMU: 0, PCMA: 8, G722: 9 } as const;
const PACKET_MS = 20;

/** The zones that the device pages. */
export function zoneSettings({ paging, media }: Config): Readonly<Record<string, PageZone>> {
  return mapValues(paging.zones, ({ address, port, format, channel, codec, payloadType, dscp, ...zone }, name) => ({
    name,
    host: address,
    port,
    format,
    ...(channel !== undefined && { channel }),
    soundPort: zone.soundPort,
    codec: { name: codec, payloadType: codec === 'opus' ? payloadType : STATIC_TYPES[codec], ptimeMs: PACKET_MS },
    ttl: zone.ttl,
    dscp: dscp ?? media.dscp,
    gong: zone.gong,
    longestMs: zone.longest,
    reports: zone.reports,
  }));
}

type LevelSettings = Config['paging']['levels'][keyof Config['paging']['levels']];

export function pagingSettings({ paging, sip }: Config): PagingSettings {
  const { background, normal, high, emergency } = paging.levels;
  return {
    groups: Object.entries(paging.groups).map(
      ([name, { address, port, format, channel, level, codec, sources, volume }]) => ({
        name,
        host: address,
        port,
        format,
        ...(channel !== undefined && { channel }),
        level: level ?? levelOfChannel(channel),
        ...(codec !== undefined && { dynamicCodec: codec }),
        sources,
        volumeDb: volume,
      }),
    ),
    levels: {
      background: ruleOf(background),
      normal: ruleOf(normal),
      high: ruleOf(high),
      emergency: ruleOf(emergency),
    } satisfies LevelRules,
    silenceMs: paging.silence,
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
