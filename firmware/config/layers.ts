/** Default < board < provisioned < local: the effective document, and where each of its values comes from. */
import type { BoardDefinition } from '../../hal/contracts.ts';
import { printDuration } from '../lib/duration.ts';
import type { Surroundings } from './check.ts';
import { isObject, type JsonObject, type JsonValue, mergePatch } from './document.ts';
import { type Parsed, parseConfig } from './parse.ts';
import { type Path, printPath, type Setting, tree } from './tree.ts';

export type Origin = 'default' | 'board' | 'provisioned' | 'local';

/** What each layer says, weakest first. A layer that is absent says nothing. */
export interface Layers {
  board?: JsonObject;
  provisioned?: JsonObject;
  local?: JsonObject;
}

const strongestFirst = ['local', 'provisioned', 'board'] as const;

/** The layers as one document, without the defaults (RFC 7396: `null` in a layer takes back what a weaker one said). */
export function mergeLayers(layers: Layers): JsonObject {
  return [...strongestFirst]
    .reverse()
    .reduce<JsonObject>((merged, origin) => mergePatch(merged, layers[origin] ?? {}) as JsonObject, {});
}

export const parseLayers = (layers: Layers, surroundings?: Surroundings): Parsed =>
  parseConfig(mergeLayers(layers), surroundings);

/** One effective value. `value` is as a document would hold it; undefined where the setting is absent. */
export interface Effective {
  path: string;
  value: JsonValue | undefined;
  origin: Origin;
  secret: boolean;
}

/** Every setting of a sound document with its value and origin, in the order of declaration. */
export function effectiveSettings(layers: Layers): Effective[] {
  const found: Effective[] = [];
  const walk = (setting: Setting, value: JsonValue | undefined, path: Path): void => {
    if (setting.is === 'leaf') {
      const secret = setting.about.secret === true;
      found.push({ path: printPath(path), value: value ?? setting.preset, origin: originOf(layers, path), secret });
      return;
    }
    const object = isObject(value) ? value : {};
    const members =
      setting.is === 'group'
        ? Object.entries(setting.members)
        : Object.keys(object).map(key => [key, setting.entry] as const);
    for (const [key, member] of members)
      walk(member, Object.hasOwn(object, key) ? object[key] : undefined, [...path, key]);
  };
  walk(tree, mergeLayers(layers), []);
  return found;
}

/** The strongest layer that says anything at this place. A `null` there leads back to the default. */
function originOf(layers: Layers, path: Path): Origin {
  for (const origin of strongestFirst) {
    let at: JsonValue | undefined = layers[origin];
    for (const step of path) {
      if (at !== null) at = isObject(at) && Object.hasOwn(at, step) ? at[step as string] : undefined;
    }
    if (at === null) return 'default';
    if (at !== undefined) return origin;
  }
  return 'default';
}

/** What a board says about the configuration: which card, by which driver. */
export function boardLayer({ gpio, audio }: BoardDefinition): JsonObject {
  const { driver, capture, playback, rate, periodMs, bufferMs, captureFile, playbackFile } = audio;
  return {
    board: { gpio },
    audio: {
      driver,
      capture,
      playback,
      rate,
      period: printDuration(periodMs),
      buffer: printDuration(bufferMs),
      ...(captureFile !== undefined && { captureFile }),
      ...(playbackFile !== undefined && { playbackFile }),
    },
  };
}
