/** What is known of a day when it is over. */
import type { DayPreset } from './plan.ts';

export interface DayResult {
  seed: number;
  preset: DayPreset;
  /** The user agent alone, or a whole device. */
  kind: 'agent' | 'device';
  /** What must not be; empty on a good bad day. */
  faults: string[];
  /** Every packet, trouble and deed. */
  trace: string[];
  /** Of the calls of the device. */
  outcomes: string[];
  troubles: string[];
  registrations: number;
  /** From the end of the troubles until the registrar had the device again. */
  recoveredAfterMs: number | undefined;
  virtualMs: number;
}
