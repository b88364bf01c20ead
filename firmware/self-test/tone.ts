/** Plays a tone and listens for it: whether the loudspeaker is heard by the microphone. Pure; frames come from a card. */

const TONE_HZ = 1000;
/** Quiet enough for a hall, loud enough for a microphone. dB below full scale. */
const TONE_DB = -20;
/** The card and what a mixer brings late: not listened to. */
const SETTLE_MS = 500;
const SILENCE_MS = 500;
const PLAY_MS = 1000;
/** A tone that is so much louder than in silence was heard. dB */
const HEARD_DB = 12;
const FULL_SCALE = 32_768;
/** What digital silence counts as. dB below full scale. */
const FLOOR_DB = -100;
const FRAME_MS = 10;

/** Levels of the tone's frequency at the microphone, dB below full scale. */
export interface Tone {
  heard: boolean;
  silenceDb: number;
  toneDb: number;
}

/** The test takes so long. Milliseconds. */
export const TONE_TEST_MS = SETTLE_MS + SILENCE_MS + PLAY_MS + SETTLE_MS;

/** `process` is given to a card; `done` is called once, after `TONE_TEST_MS` of sound. */
export function toneTest(rate: number, done: (tone: Tone) => void) {
  const turn = (2 * Math.PI * TONE_HZ) / rate;
  const amplitude = FULL_SCALE * 10 ** (TONE_DB / 20);
  let frame = 0;
  let sample = 0;
  let silence = FLOOR_DB;
  let tone = FLOOR_DB;
  return (captured: Int16Array, toPlay: Int16Array) => {
    const atMs = frame++ * FRAME_MS;
    const playing = atMs >= SETTLE_MS + SILENCE_MS && atMs < SETTLE_MS + SILENCE_MS + PLAY_MS;
    for (let index = 0; index < toPlay.length; index++)
      toPlay[index] = playing ? amplitude * Math.sin(turn * sample++) : 0;
    // The loudest moment of each: noise that comes and goes counts against the tone.
    const level = levelOf(captured, turn);
    if (atMs >= SETTLE_MS && atMs < SETTLE_MS + SILENCE_MS) silence = Math.max(silence, level);
    if (atMs >= SETTLE_MS + SILENCE_MS) tone = Math.max(tone, level);
    if (atMs === TONE_TEST_MS) done({ heard: tone > silence + HEARD_DB, silenceDb: silence, toneDb: tone });
  };
}

/** By Goertzel's algorithm. A frame of 10 ms holds ten whole turns. */
function levelOf(samples: Int16Array, turn: number): number {
  const coefficient = 2 * Math.cos(turn);
  let first = 0;
  let second = 0;
  for (const sample of samples) {
    const value = sample + coefficient * first - second;
    second = first;
    first = value;
  }
  const power = first * first + second * second - coefficient * first * second;
  const amplitude = (2 * Math.sqrt(Math.max(0, power))) / samples.length;
  return Math.max(FLOOR_DB, 20 * Math.log10(amplitude / FULL_SCALE || Number.MIN_VALUE));
}
