/** How much of the loudspeaker the echo cancellers take out, and what they leave of the visitor: all in the same rooms. */
import { aec3Canceller } from '../../firmware/audio/echo/aec3.ts';
import type { EchoCanceller, NotHere } from '../../firmware/audio/echo/canceller.ts';
import { HalfDuplex } from '../../firmware/audio/echo/half-duplex.ts';
import { speexCanceller } from '../../firmware/audio/echo/speexdsp.ts';
import { TwoStage } from '../../firmware/audio/echo/two-stage.ts';
import {
  cancel,
  type EchoScore,
  latenessOf,
  longScenes,
  makeRoom,
  ROOM_RATE,
  type Room,
  type RoomOptions,
  score,
} from '../sim/room.ts';
import type { Benchmark } from './benchmark.ts';
import { keep } from './keep.ts';
import { Unavailable } from './sheet.ts';
import { voices } from './voices.ts';

type Make = () => EchoCanceller | NotHere | Promise<EchoCanceller | NotHere>;

/** The first is what `auto` takes; the others stand beside it. */
const engines: readonly (readonly [string, Make])[] = [
  ['two stage', () => new TwoStage(ROOM_RATE)],
  ['aec3', () => aec3Canceller(ROOM_RATE)],
  ['speex', () => speexCanceller(ROOM_RATE, true)],
  ['half duplex', () => new HalfDuplex()],
];

const rooms: Record<string, () => RoomOptions[]> = {
  'one card': () => [{}],
  'two cards, 100 ppm apart': () => [{ driftPpm: 100 }],
  'loudspeaker clips': () => [{ clipAt: 9000 }],
  'five voices, 50 ppm apart': () => {
    const all = voices(ROOM_RATE).map(({ samples }) => samples);
    return all.map((far, at) => ({ driftPpm: 50, voices: { far, near: all[(at + 1) % all.length]! } }));
  },
};

const measures: Record<keyof EchoScore, string> = {
  early: 'echo taken out, 0.5 to 3 s',
  late: 'echo taken out, 5 to 25 s',
  rest: 'all that is left then, above the noise of the room',
  movedFirst: 'echo taken out, the first 0.6 s of speech after somebody moved',
  moved: 'echo taken out, 0.5 to 3 s after somebody moved',
  movedLate: 'echo taken out, from 5 s after it',
  movedRest: 'all that is left then, above the noise of the room',
  talkSdr: 'both speak: the visitor above all else',
  talkGain: 'both speak: the visitor louder by',
  nearSdr: 'the visitor alone: above all else',
  nearGain: 'the visitor alone: louder by',
};

export const audioEcho: Benchmark = {
  name: 'audio-echo',
  title: 'cancellers: echo taken out, what the visitor keeps, work',
  how:
    'A minute of speech of espeak-ng at 16 kHz in a simulated room: a direct way of 12 ms and 400 reflections that fall by ' +
    '60 dB in 200 ms, the echo as loud as the visitor, noise of −67 dB. 25 s of the far end alone, 15 s of both, 8 s of ' +
    'the visitor alone, then the far end again by another way. Microphone before against after; for the visitor, what of ' +
    'the output is his voice as it was against the rest. Speex’s figures of the visitor suffer from its filter against ' +
    'rumble, which turns phases and is not heard. Five voices: each is the far end once, with the next as the visitor.',
  async run(sheet, _bench, { keep: folder }) {
    const missing = new Map<string, string>();
    for (const [title, options] of Object.entries(rooms)) {
      const results = new Map<string, Result[]>();
      try {
        for (const [at, one] of options().entries()) {
          const room = makeRoom({ ...one, scenes: longScenes });
          const kept = (what: string, samples: Int16Array) =>
            keep(folder, `echo ${title} ${at + 1} ${what}`, ROOM_RATE, samples);
          kept('microphone', room.microphone);
          await measure(room, { results, missing, kept });
        }
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        sheet.unavailable(title, error.message);
        continue;
      }
      const add = (what: string, unit: string, figure: (result: Result) => number) => {
        const [ours, ...others] = [...results].map(([name, all]) => ({ name, values: all.map(figure) }));
        sheet.add(`${title}: ${what}`, unit, ours!.values, { peers: others, note: ours!.name });
      };
      for (const [key, what] of Object.entries(measures) as [keyof EchoScore, string][]) {
        add(what, 'dB', ({ scored }) => scored[key]);
      }
      add('the visitor later by', 'ms', ({ lateMs }) => lateMs);
      add('processor', 'ms per second of sound', ({ msPerSecond }) => msPerSecond);
    }
    for (const [name, why] of missing) sheet.unavailable(name, why);
  },
};

interface Result {
  scored: EchoScore;
  lateMs: number;
  msPerSecond: number;
}

interface Measuring {
  results: Map<string, Result[]>;
  missing: Map<string, string>;
  kept(what: string, samples: Int16Array): void;
}

async function measure(room: Room, { results, missing, kept }: Measuring) {
  for (const [name, make] of engines) {
    // Whoever interrupts is heard between two engines.
    await new Promise(resolve => setImmediate(resolve));
    const canceller = await make();
    if ('why' in canceller) {
      missing.set(name, canceller.why);
      continue;
    }
    const before = process.cpuUsage();
    const out = cancel(room, canceller);
    const { user, system } = process.cpuUsage(before);
    canceller.close();
    kept(name, out);
    results.set(name, [
      ...(results.get(name) ?? []),
      {
        scored: score(room, out),
        lateMs: (latenessOf(room.near, out, longScenes) * 1000) / ROOM_RATE,
        msPerSecond: (user + system) / 1000 / longScenes.end,
      },
    ]);
  }
}
