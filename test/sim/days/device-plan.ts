/** A bad day of a whole device: what happens to its cable and its PBX, and what visitors, the desk and installers do. */
import { seeded } from '../seeded.ts';
import { between, pick, times } from './chance.ts';
import { type DayPreset, dayPresetNames, type Timed } from './plan.ts';

export type DeviceTrouble =
  | { is: 'link down'; forMs: number }
  | { is: 'registrar silent'; forMs: number }
  | { is: 'registrar forgets' }
  | { is: 'address changes'; host: string }
  | { is: 'wall clock jumps'; byMs: number }
  | { is: 'port taken'; forMs: number };

export type DeviceDeed =
  | { is: 'press'; forMs: number }
  | { is: 'desk calls'; page: boolean; caller: 'desk' | 'stranger'; forMs: number }
  | { is: 'desk keys'; keys: string }
  | { is: 'desk hangs up' }
  | { is: 'act'; action: 'call' | 'page' | 'hang up' | 'answer' | 'open' }
  | { is: 'document'; changes: 'volume' | 'port' | 'contact' };

export interface DeviceDay {
  seed: number;
  preset: DayPreset;
  troubles: Timed<DeviceTrouble>[];
  deeds: Timed<DeviceDeed>[];
  troublesEndMs: number;
}

/** The code of the door in `building`, and one that no lost key makes into it. */
const RIGHT = '55#';
const WRONG = '19#';
const YEAR_MS = 31_557_600_000;

export const deviceTroubleKinds = [
  'link down',
  'registrar silent',
  'registrar forgets',
  'address changes',
  'wall clock jumps',
  'port taken',
] as const satisfies readonly DeviceTrouble['is'][];

export function drawDeviceDay(seed: number, preset?: DayPreset): DeviceDay {
  const random = seeded(seed ^ 0x0dd5);
  const chosen = pick(random, dayPresetNames);
  const lengthMs = between(random, 30_000, 180_000);
  const at = <T>(what: T): Timed<T> => ({ atMs: Math.round(lengthMs * random.next()), what });
  const inOrder = <T>(timed: Timed<T>[]) => timed.toSorted((a, b) => a.atMs - b.atMs);
  const troubles = inOrder(times(Math.floor(4 * random.next()), () => at(drawTrouble())));
  const deeds = inOrder(times(5 + Math.floor(25 * random.next()), () => at(drawDeed())));
  const endOf = ({ atMs, what }: Timed<DeviceTrouble>) => atMs + ('forMs' in what ? what.forMs : 0);
  const troublesEndMs = Math.max(lengthMs, ...troubles.map(endOf));
  return { seed, preset: preset ?? chosen, troubles, deeds, troublesEndMs };

  function drawTrouble(): DeviceTrouble {
    const is = pick(random, deviceTroubleKinds);
    const forMs = Math.round(between(random, 5_000, 90_000));
    if (is === 'registrar forgets') return { is };
    if (is === 'address changes') return { is, host: pick(random, ['192.0.2.10', '192.0.2.11', '192.0.2.12']) };
    if (is === 'wall clock jumps') return { is, byMs: Math.round(YEAR_MS * between(random, -50, 50)) };
    return { is, forMs };
  }

  function drawDeed(): DeviceDeed {
    const chance = random.next();
    if (chance < 0.25) return { is: 'press', forMs: Math.round(2_000 * random.next() ** 3) };
    if (chance < 0.4) {
      const caller = random.next() < 0.8 ? 'desk' : 'stranger';
      return { is: 'desk calls', page: random.next() < 0.5, caller, forMs: Math.round(30_000 * random.next()) };
    }
    if (chance < 0.55) return { is: 'desk keys', keys: random.next() < 0.7 ? RIGHT : WRONG };
    if (chance < 0.65) return { is: 'desk hangs up' };
    if (chance < 0.93)
      return { is: 'act', action: pick(random, ['call', 'page', 'hang up', 'answer', 'answer', 'open']) };
    return { is: 'document', changes: pick(random, ['volume', 'port', 'contact']) };
  }
}
