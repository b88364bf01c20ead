/** What happens on a bad day, drawn from its seed: the network, the troubles, and what people do meanwhile. */
import type { TransportName } from '../../../firmware/sip/hop.ts';
import type { Impairment } from '../lossy-network.ts';
import { seeded } from '../seeded.ts';
import { between, pick, times } from './chance.ts';
import { type DnsMood, dnsMoods } from './names.ts';

/** Networks of a bad day, each bad in one way and the last in all. */
export const dayPresets = {
  clean: { loss: 0, duplication: 0, delayMs: [1, 10] },
  lossy: { loss: 0.2, duplication: 0, delayMs: [5, 40] },
  reordering: { loss: 0, duplication: 0, delayMs: [1, 800] },
  duplicating: { loss: 0, duplication: 0.5, delayMs: [1, 60] },
  awful: { loss: 0.25, duplication: 0.2, delayMs: [5, 900] },
} as const satisfies Record<string, Impairment>;

export type DayPreset = keyof typeof dayPresets;
export const dayPresetNames = Object.keys(dayPresets) as DayPreset[];

export type Trouble =
  /** Bindings and nonces are lost. */
  | { is: 'registrar restarts' }
  | { is: 'registrar silent'; forMs: number }
  | { is: 'registrar refuses'; status: number; retryAfterS: number; forMs: number }
  /** Each credential is called stale. */
  | { is: 'registrar says stale'; forMs: number }
  | { is: 'DNS'; mood: DnsMood; forMs: number }
  /** The PBX is another machine from now on, and DNS says so. */
  | { is: 'PBX moves' }
  | { is: 'link down'; forMs: number }
  | { is: 'wall clock jumps'; byMs: number }
  /** Our process stands still, and everything is overdue afterwards. */
  | { is: 'suspended'; forMs: number }
  | { is: 'peer loses power'; who: 'desk' | 'carol'; forMs: number }
  | { is: 'we lose power'; forMs: number }
  | { is: 'connections reset' };

export const troubleKinds = [
  'registrar restarts',
  'registrar silent',
  'registrar refuses',
  'registrar says stale',
  'DNS',
  'PBX moves',
  'link down',
  'wall clock jumps',
  'suspended',
  'peer loses power',
  'we lose power',
  'connections reset',
] as const satisfies readonly Trouble['is'][];

const meddlings = ['offer', 'hold', 'key', 'transfer', 'hang up', 'answer'] as const;
export type Who = 'front' | 'desk' | 'carol';

export type Deed =
  | { is: 'call'; who: Who; whom: string; forMs: number }
  /** The desk calls the device where the registrar says it is. */
  | { is: 'call back'; forMs: number }
  | { is: 'meddle'; who: Who; how: (typeof meddlings)[number]; target: string }
  /** Both ends make an offer in the same instant. */
  | { is: 'both offer' }
  | { is: 'refresh' }
  | { is: 'garbage'; bytes: number };

export interface Timed<T> {
  atMs: number;
  what: T;
}

export interface Day {
  seed: number;
  preset: DayPreset;
  transport: TransportName | undefined;
  expiresMs: number;
  ttlMs: number;
  troubles: Timed<Trouble>[];
  deeds: Timed<Deed>[];
  /** Everybody stops in the middle of it, calls or not. */
  endsAbruptly: boolean;
  /** From then on nothing bad happens. */
  troublesEndMs: number;
}

const YEAR_MS = 31_557_600_000;
const TARGETS = [
  'sip:desk@192.0.2.20',
  'sip:desk@192.0.2.20',
  'sip:desk@192.0.2.20;transport=tcp',
  'sip:carol@192.0.2.30',
  'sip:odd@192.0.2.40',
  'sip:odd@192.0.2.40',
  'sip:desk@pbx.example',
  'sip:desk@pbx.example',
  'sip:nobody@192.0.2.99',
  'sip:nobody@nowhere.example',
  'sip:front@192.0.2.10',
];

/** The same seed draws the same day. */
export function drawDay(seed: number, preset?: DayPreset): Day {
  const random = seeded(seed);
  const chosen = pick(random, dayPresetNames);
  const lengthMs = between(random, 60_000, 900_000);
  const at = <T>(what: T): Timed<T> => ({ atMs: Math.round(lengthMs * random.next()), what });
  const inOrder = <T>(timed: Timed<T>[]) => timed.toSorted((a, b) => a.atMs - b.atMs);
  // Races are where much happens at once: half of everything comes in a burst, and some of that in one.
  const burstMs = lengthMs * random.next();
  const maybeInBurst = <T>(timed: Timed<T>): Timed<T> => {
    const chance = random.next();
    if (chance < 0.5) return timed;
    return { ...timed, atMs: Math.round(burstMs + (chance < 0.8 ? 8_000 : 300) * random.next()) };
  };
  const troubles = inOrder(times(Math.floor(8 * random.next()), () => maybeInBurst(at(drawTrouble()))));
  const deeds = inOrder(times(4 + Math.floor(30 * random.next()), () => maybeInBurst(at(drawDeed()))));
  const endOf = ({ atMs, what }: Timed<Trouble>) => atMs + ('forMs' in what ? what.forMs : 0);
  return {
    seed,
    preset: preset ?? chosen,
    transport: pick(random, ['udp', 'udp', 'tcp', undefined]),
    expiresMs: pick(random, [60_000, 120_000, 300_000, 600_000]),
    ttlMs: pick(random, [0, 5_000, 60_000]),
    troubles,
    deeds,
    endsAbruptly: random.next() < 0.2,
    troublesEndMs: Math.max(lengthMs, ...troubles.map(endOf)),
  };

  function drawTrouble(): Trouble {
    const forMs = Math.round(between(random, 1_000, 120_000));
    const is = pick(random, troubleKinds);
    switch (is) {
      case 'registrar refuses':
        return {
          is,
          forMs,
          status: pick(random, [401, 403, 404, 480, 500, 503, 503, 504]),
          retryAfterS: pick(random, [0, 0, 5, 120]),
        };
      case 'DNS':
        return { is, forMs, mood: pick(random, dnsMoods) };
      case 'link down':
        return { is, forMs: Math.round(between(random, 5_000, 90_000)) };
      case 'wall clock jumps':
        return { is, byMs: Math.round(YEAR_MS * between(random, -50, 50)) };
      case 'suspended':
        return { is, forMs: Math.round(between(random, 1_000, 600_000)) };
      case 'peer loses power':
        return { is, forMs, who: pick(random, ['desk', 'carol']) };
      case 'registrar silent':
      case 'registrar says stale':
      case 'we lose power':
        return { is, forMs };
      default:
        return { is };
    }
  }

  function drawDeed(): Deed {
    const who = pick(random, ['front', 'front', 'desk', 'carol'] as const);
    const forMs = Math.round(60_000 * random.next() ** 2);
    const chance = random.next();
    if (chance < 0.4) return { is: 'call', who, whom: pick(random, TARGETS), forMs };
    if (chance < 0.55) return { is: 'call back', forMs };
    if (chance < 0.85) return { is: 'meddle', who, how: pick(random, meddlings), target: pick(random, TARGETS) };
    if (chance < 0.92) return { is: 'both offer' };
    if (chance < 0.96) return { is: 'refresh' };
    return { is: 'garbage', bytes: Math.floor(1_500 * random.next()) };
  }
}
