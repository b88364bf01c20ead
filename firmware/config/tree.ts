/** The schema as a plain tree of groups, tables and settings: what errors, origins, changes and the reference page walk. */
import { strict as assert } from 'node:assert';
import type { z } from 'zod';
import type { JsonValue } from './document.ts';
import { type About, abouts, type Kind, kinds } from './field.ts';
import { schema } from './schema.ts';

export type Path = readonly (string | number)[];

/** Settings by name. */
export interface Group {
  is: 'group';
  members: Record<string, Setting>;
}

/** Groups by names that the building chooses. */
export interface Table {
  is: 'table';
  about: About;
  entry: Setting;
}

/** One setting. A list is one setting: layers replace it as a whole. */
export interface Leaf {
  is: 'leaf';
  about: About;
  kind: Kind;
  /** Of a list: what its entries are. */
  entryKind?: Kind;
  /** Of a list of groups: what the members of one are. */
  entryMembers?: Readonly<Record<string, Kind | undefined>>;
  /** As it would be written in a document; absent where there is none. */
  preset?: JsonValue;
  /** Neither a default nor leave to be absent. */
  required: boolean;
}

export type Setting = Group | Table | Leaf;

interface Layers {
  about?: About;
  kind?: Kind;
  preset?: JsonValue;
  optional?: boolean;
}

/** Peels defaults, options and transformations off a zod type, keeping what they say. */
function build(type: z.core.$ZodType, found: Layers = {}): Setting {
  found.about ??= abouts.get(type);
  found.kind ??= kinds.get(type);
  const { def } = (type as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'prefault':
      return build(def.innerType, { ...found, preset: def.defaultValue as JsonValue });
    case 'optional':
      return build(def.innerType, { ...found, optional: true });
    case 'pipe':
      return build(def.in, found);
    case 'object': {
      const members = Object.entries(def.shape).map(([key, member]) => [key, build(member)] as const);
      return { is: 'group', members: Object.fromEntries(members) };
    }
    case 'record':
      assert(found.about, 'a table is declared with field(…)');
      return { is: 'table', about: found.about, entry: build(def.valueType) };
    default: {
      assert(found.about && found.kind, 'a setting is declared with field(…) and a kind');
      const entryKind = def.type === 'array' ? kinds.get(def.element) : undefined;
      const entryMembers = def.type === 'array' ? membersOf(def.element) : undefined;
      return {
        is: 'leaf',
        about: found.about,
        kind: found.kind,
        ...(entryKind && { entryKind }),
        ...(entryMembers && { entryMembers }),
        ...(found.preset !== undefined && { preset: found.preset }),
        required: found.preset === undefined && found.optional !== true,
      };
    }
  }
}

function membersOf(type: z.core.$ZodType) {
  const { def } = (type as z.core.$ZodTypes)._zod;
  if (def.type !== 'object') return undefined;
  return Object.fromEntries(Object.entries(def.shape).map(([key, member]) => [key, kindOf(member)]));
}

/** Below its default or its leave to be absent. */
function kindOf(type: z.core.$ZodType): Kind | undefined {
  const { def } = (type as z.core.$ZodTypes)._zod;
  return kinds.get(type) ?? (def.type === 'prefault' || def.type === 'optional' ? kindOf(def.innerType) : undefined);
}

export const tree = build(schema) as Group;

/** The declaration that a path leads to: a path into a list ends at the list. Undefined where nothing is declared. */
export function settingAt(path: Path): Setting | undefined {
  let at: Setting = tree;
  for (const step of path) {
    if (at.is === 'leaf') return at;
    const next: Setting | undefined =
      at.is === 'table' ? at.entry : Object.hasOwn(at.members, step) ? at.members[step] : undefined;
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}

/** `sip.accounts.desk.expires`; a place in a list as `doors.front.codes[2]`. */
export const printPath = (path: Path) =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    // A key of an unknown document may be anything: what does not look like one is quoted, and bounded.
    const key = /^[\w-]{1,64}$/.test(step) ? step : JSON.stringify(step.slice(0, 64));
    return text === '' ? key : `${text}.${key}`;
  }, '');
