/** Settings: microphone, loudspeaker and what is heard from the device itself. */
import { field, section } from '../field.ts';
import { decibels, duration, line, matching, oneOf, oneOfNumbers, path } from '../types.ts';

const needs = 'restart media';
const ofTheBoard = 'By default that of the board definition.';

const country = () =>
  matching({ kind: 'country', wrong: 'is not a country; write two small letters such as "de", or "eu"' }, /^[a-z]{2}$/);

export const audio = section({
  driver: field(oneOf(['alsa', 'packages', 'simulated']).optional(), { help: `Sound driver. ${ofTheBoard}`, needs }),
  capture: field(line(255).optional(), { help: `ALSA name of the microphone. ${ofTheBoard}`, needs }),
  playback: field(line(255).optional(), { help: `ALSA name of the loudspeaker. ${ofTheBoard}`, needs }),
  rate: field(oneOfNumbers([8000, 16000, 32000, 48000]).optional(), {
    help: `Samples per second. ${ofTheBoard}`,
    unit: 'Hz',
    needs,
  }),
  period: field(duration(5, 100).optional(), { help: `One period of the sound card. ${ofTheBoard}`, needs }),
  buffer: field(duration(10, 1000).optional(), { help: `The sound card's buffer. ${ofTheBoard}`, needs }),
  captureFile: field(path().optional(), {
    help: 'Simulated driver: a WAV that the microphone hears, in a loop.',
    needs,
  }),
  playbackFile: field(path().optional(), { help: 'Simulated driver: a WAV that takes what is played.', needs }),
  loudspeaker: field(decibels(-60, 20).prefault(0), { help: 'Gain of the loudspeaker.', unit: 'dB', needs: 'live' }),
  microphone: field(decibels(-60, 20).prefault(0), { help: 'Gain of the microphone.', unit: 'dB', needs: 'live' }),
  country: field(country().prefault('eu'), { help: 'Whose call tones are played.', needs }),
});
