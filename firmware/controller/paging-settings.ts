/** What the media thread is told of paging groups, from the configuration. */
import type { Config } from '../config/schema.ts';
import type { PagingSettings } from '../media/protocol.ts';
import { levelOfChannel } from '../paging/groups.ts';
import type { LevelRule, LevelRules } from '../paging/levels.ts';

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
