/** One declaration per setting: its type, and beside it everything that a person or a program may ask about it. */
import { z } from 'zod';

/** What a change of a setting needs. Never a reboot of the board. */
export type Needs =
  /** Taken over at once, calls go on. */
  | 'live'
  /** The account registers again; calls go on. */
  | 're-register'
  /** The SIP socket and user agent start anew; calls end. */
  | 'restart sip'
  /** The media thread starts anew; calls end. */
  | 'restart media'
  /** The board is let go and opened again: relays go through their safe level. */
  | 'restart lines'
  | 'restart mqtt'
  | 'restart provisioning'
  /** The process starts anew. */
  | 'restart process';

export interface About {
  /** A sentence for the technician. */
  help: string;
  needs: Needs;
  /** Unit of a plain number: `dB`, `bit/s`. */
  unit?: string;
  /** Never shown, logged or reported. */
  secret?: true;
}

/** What a kind of value is, whichever setting it serves. */
export interface Kind {
  /** In the reference table: `duration`, `SIP URI`. */
  kind: string;
  /** In the reference table: `100 ms to 60 s`. */
  allowed?: string;
  /** Follows the value in a sentence: `is not a duration; write …`. */
  wrong: string;
  /** Regular expression for JSON Schema, where the value is checked by code. */
  pattern?: string;
}

export const abouts = z.registry<About, z.core.$ZodType>();
export const kinds = z.registry<Kind, z.core.$ZodType>();

/** Declares a setting. Use `.prefault(…)` for a default as a person writes it, `.optional()` where absence means something. */
export function field<S extends z.ZodType>(schema: S, about: About): S {
  abouts.add(schema, about);
  return schema;
}

/** Declares what a type is, for errors and the reference page. */
export function kind<S extends z.ZodType>(schema: S, what: Kind): S {
  kinds.add(schema, what);
  return schema;
}

/** A group of settings, every one of which has a default: the group may be left out. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape);
}
