/** A room with a loudspeaker, a microphone and a visitor: what an echo canceller is given, and how well it did. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EchoCanceller } from '../../firmware/audio/echo/canceller.ts';
import { Interpolator } from '../../hal/audio/interpolator.ts';
import { parseWav } from '../../hal/audio/wav.ts';

const SPEECH = join(import.meta.dirname, '../fixtures/speech');
export const ROOM_RATE = 16_000;
const FRAME = ROOM_RATE / 100;
/** From the loudspeaker to the microphone, card and air. Milliseconds. */
const WAY_MS = 12;
/** Samples of the reverberation: 180 ms. */
const TAIL = ROOM_RATE * 0.18;
const REFLECTIONS = 400;
/** Somebody is heard from this sample on, and his first words last so long, seconds. */
const HEARD = 300;
const FIRST_WORDS = 0.6;

/** When what is heard, seconds: the far end alone, both, the visitor alone, the far end alone after somebody moved. */
export interface Scenes {
  both: number;
  near: number;
  moved: number;
  end: number;
}

export const longScenes: Scenes = { both: 25, near: 40, moved: 48, end: 60 };
export const shortScenes: Scenes = { both: 8, near: 12, moved: 15, end: 21 };

export interface RoomOptions {
  scenes?: Scenes;
  /** The reverberation falls by 60 dB within so long, milliseconds. */
  reverberationMs?: number;
  /** The echo against the loudspeaker's sound, as a factor. */
  coupling?: number;
  /** The microphone's clock is so much slower than the loudspeaker's, parts per million. */
  driftPpm?: number;
  /** The loudspeaker's amplifier cuts off here. Absent: it bends gently at the top, as all do. */
  clipAt?: number;
  /** Who speaks, at the rate of the room; absent: the speech of the fixtures. */
  voices?: { far: Int16Array; near: Int16Array };
  /** Root of the mean square of the noise in the room, in units of the last bit. */
  noise?: number;
}

export interface Room {
  scenes: Scenes;
  /** Samples, all of one length. */
  far: Int16Array;
  near: Float64Array;
  microphone: Int16Array;
  /** Root of its mean square. */
  noise: number;
}

export function speechOf(name: 'visitor' | 'desk' | 'page'): Int16Array {
  const file = join(SPEECH, `${name}.wav`);
  return parseWav(readFileSync(file), file).samples;
}

export function makeRoom(options: RoomOptions = {}): Room {
  const { scenes = shortScenes, reverberationMs = 200, coupling = 0.7, driftPpm = 0, clipAt, noise = 15 } = options;
  const total = scenes.end * ROOM_RATE;
  const farVoice = options.voices?.far ?? oneAfterTheOther(speechOf('page'), speechOf('desk'));
  const nearVoice = options.voices?.near ?? speechOf('visitor');
  const far = new Int16Array(total);
  const near = new Float64Array(total);
  for (let at = 0; at < total; at++) {
    const second = at / ROOM_RATE;
    if (second < scenes.near || second >= scenes.moved) far[at] = 0.6 * farVoice[at % farVoice.length]!;
    if (second >= scenes.both && second < scenes.moved) near[at] = 0.5 * nearVoice[at % nearVoice.length]!;
  }
  const next = generator(12_345);
  const first = response(next, reverberationMs, coupling, 0);
  const second = response(next, reverberationMs, coupling * 0.85, 7);
  const bend = (value: number) =>
    clipAt === undefined ? 26_000 * Math.tanh(value / 26_000) : Math.max(-clipAt, Math.min(clipAt, value));
  const played = Float64Array.from(far, bend);
  const echo = new Float64Array(total);
  const moment = scenes.moved * ROOM_RATE;
  for (const { after, factor } of first) reflect(played, echo, { after, factor, from: 0, to: moment });
  for (const { after, factor } of second) reflect(played, echo, { after, factor, from: moment, to: total });
  const heard = driftPpm === 0 ? echo : atAnotherClock(echo, driftPpm);
  const microphone = new Int16Array(total);
  for (let at = 0; at < total; at++) {
    microphone[at] = Math.max(-32_768, Math.min(32_767, heard[at]! + near[at]! + next() * noise * Math.sqrt(3)));
  }
  return { scenes, far, near, microphone, noise };
}

/** As a converter does whose crystal differs: no line is drawn between two samples, which would be a filter that moves. */
function atAnotherClock(sound: Float64Array, ppm: number): Int16Array {
  const out = new Int16Array(sound.length);
  new Interpolator(1 - ppm * 1e-6, sound.length).process(Int16Array.from(sound, Math.round), sound.length, out);
  return out;
}

/** −1 to 1, the same each time. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return state / 0x3fff_ffff - 1;
  };
}

interface Reflection {
  /** Samples. */
  after: number;
  factor: number;
}

/** The direct way, and what walls throw back at chance moments, ever weaker. */
function response(next: () => number, reverberationMs: number, gain: number, shift: number): Reflection[] {
  const start = (ROOM_RATE * WAY_MS) / 1000 + shift;
  const decay = 6.9 / ((ROOM_RATE * reverberationMs) / 1000);
  const taps = Array.from({ length: REFLECTIONS }, () => {
    const after = Math.floor(((next() + 1) / 2) * TAIL);
    return { after: start + after, factor: 2.5 * next() * Math.exp(-after * decay) };
  });
  taps.push({ after: start, factor: 1.5 });
  const energy = taps.reduce((sum, { factor }) => sum + factor * factor, 0);
  return taps.map(({ after, factor }) => ({ after, factor: (factor * gain) / Math.sqrt(energy) }));
}

function reflect(
  played: Float64Array,
  echo: Float64Array,
  { after, factor, from, to }: Reflection & { from: number; to: number },
) {
  for (let at = Math.max(from, after); at < to; at++) echo[at]! += factor * played[at - after]!;
}

function oneAfterTheOther(a: Int16Array, b: Int16Array): Int16Array {
  const both = new Int16Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** The microphone as it is after the canceller. */
export function cancel(room: Room, canceller: Pick<EchoCanceller, 'process'>): Int16Array {
  const out = room.microphone.slice();
  for (let at = 0; at + FRAME <= out.length; at += FRAME) {
    canceller.process(out.subarray(at, at + FRAME), room.far.subarray(at, at + FRAME));
  }
  return out;
}

/** Decibels, all of them. */
export interface EchoScore {
  /** Echo taken out, in the first seconds and later. */
  early: number;
  late: number;
  /** All that is left then, above the room's noise: below 0 the noise goes down while the far end speaks. */
  rest: number;
  /** In the first words after somebody moved; from 0.5 to 3 s after it, and from 5 s. */
  movedFirst: number;
  moved: number;
  movedLate: number;
  movedRest: number;
  /** While both speak: the visitor against all that is not the visitor, and how much louder he became. */
  talkSdr: number;
  talkGain: number;
  /** The same while only the visitor speaks. */
  nearSdr: number;
  nearGain: number;
}

export function score({ scenes, far, near, microphone, noise }: Room, cancelled: Int16Array): EchoScore {
  const out = aligned(near, cancelled, scenes);
  const erle = (from: number, to: number) => power(microphone, from, to) - power(out, from, to);
  const talk = likeness(near, out, scenes.both + 1, scenes.near);
  const alone = likeness(near, out, scenes.near + 1, scenes.moved);
  return {
    early: erle(0.5, 3),
    late: erle(5, scenes.both),
    rest: power(out, 5, scenes.both) - decibels(noise * noise),
    movedFirst: erle(firstWord(far, scenes.moved), firstWord(far, scenes.moved) + FIRST_WORDS),
    moved: erle(scenes.moved + 0.5, scenes.moved + 3),
    movedLate: erle(scenes.moved + 5, scenes.end),
    movedRest: power(out, scenes.moved + 5, scenes.end) - decibels(noise * noise),
    talkSdr: talk.sdr,
    talkGain: talk.gain,
    nearSdr: alone.sdr,
    nearGain: alone.gain,
  };
}

/** From `from` on, seconds. */
function firstWord(far: Int16Array, from: number): number {
  const silent = far.subarray(from * ROOM_RATE).findIndex(sample => Math.abs(sample) > HEARD);
  return from + Math.max(0, silent) / ROOM_RATE;
}

const decibels = (ratio: number) => 10 * Math.log10(ratio + 1e-9);

function power(samples: ArrayLike<number>, from: number, to: number): number {
  let sum = 0;
  const end = Math.round(to * ROOM_RATE);
  for (let at = Math.round(from * ROOM_RATE); at < end; at++) sum += samples[at]! ** 2;
  return decibels(sum / ((to - from) * ROOM_RATE));
}

/** An engine may be some milliseconds late: its output, put back over the visitor's voice. */
function aligned(near: Float64Array, out: Int16Array, scenes: Scenes): Int16Array {
  const moved = new Int16Array(out.length);
  moved.set(out.subarray(latenessOf(near, out, scenes)));
  return moved;
}

/** In samples, at most 40 ms. */
export function latenessOf(near: Float64Array, out: Int16Array, { near: from, moved: to }: Scenes): number {
  let best = 0;
  let lag = 0;
  for (let shift = 0; shift < ROOM_RATE * 0.04; shift++) {
    let sum = 0;
    for (let at = (from + 1) * ROOM_RATE; at < (to - 1) * ROOM_RATE; at += 3) sum += near[at]! * out[at + shift]!;
    if (sum > best) [best, lag] = [sum, shift];
  }
  return lag;
}

function likeness(near: Float64Array, out: Int16Array, from: number, to: number): { sdr: number; gain: number } {
  let [cross, own, all] = [0, 0, 0];
  for (let at = from * ROOM_RATE; at < to * ROOM_RATE; at++) {
    cross += near[at]! * out[at]!;
    own += near[at]! ** 2;
    all += out[at]! ** 2;
  }
  const gain = cross / own;
  const wanted = gain * gain * own;
  return { sdr: decibels(wanted / (all - wanted)), gain: 20 * Math.log10(Math.abs(gain) + 1e-9) };
}
