/** Settings: microphone, loudspeaker and what is heard from the device itself. */
import { field, section } from '../field.ts';
import { decibels, duration, line, matching, oneOf, oneOfNumbers, path, whole, yesOrNo } from '../types.ts';

const needs = 'restart media';
const ofTheBoard = 'By default that of the board definition.';

const country = () =>
  matching({ kind: 'country', wrong: 'is not a country; write two small letters such as "de", or "eu"' }, /^[a-z]{2}$/);

export const audio = section({
  driver: field(oneOf(['alsa', 'packages', 'simulated']).optional(), { help: `Sound driver. ${ofTheBoard}`, needs }),
  capture: field(line(255).optional(), {
    help: `ALSA name of the microphone; "none" where there is none. ${ofTheBoard}`,
    needs,
  }),
  playback: field(line(255).optional(), {
    help: `ALSA name of the loudspeaker; "none" where there is none. ${ofTheBoard}`,
    needs,
  }),
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
  microphoneSide: field(oneOf(['both', 'left', 'right']).optional(), {
    help: `Which half of a stereo input is the microphone. ${ofTheBoard}`,
    needs,
  }),
  loudspeakerSide: field(oneOf(['both', 'left', 'right']).optional(), {
    help: `Which half of a stereo output is the loudspeaker. ${ofTheBoard}`,
    needs,
  }),
  lineOut: section({
    side: field(oneOf(['none', 'left', 'right']).prefault('none'), {
      help: 'The half of a stereo output that goes to an amplifier of its own; the loudspeaker has the other. Driver `alsa` only.',
      needs,
    }),
    plays: field(oneOf(['everything', 'pages']).prefault('everything'), {
      help: 'What the line out plays: all that the loudspeaker plays, or only the pages of it.',
      needs,
    }),
    gain: field(decibels(-60, 20).prefault(0), { help: 'Louder than the loudspeaker by so much.', unit: 'dB', needs }),
  }).prefault({}),
  mixer: section({
    use: field(yesOrNo().prefault(true), {
      help: 'The card makes it loud and soft by its own mixer, where it has one that counts in decibels. `false`: its mixer is left as it was found. Driver `alsa` only.',
      needs,
    }),
    card: field(line(255).optional(), {
      help: 'ALSA name of the mixer, such as "hw:1". By default that of the card.',
      needs,
    }),
    loudspeaker: field(line(63).optional(), {
      help: 'What turns there for the loudspeaker, as `amixer` shows it: "Speaker". By default the likeliest; `porter status` says which.',
      needs,
    }),
    microphone: field(line(63).optional(), { help: 'The same for the microphone: "Mic".', needs }),
  }).prefault({}),
  loudspeaker: field(decibels(-60, 20).prefault(0), { help: 'Gain of the loudspeaker.', unit: 'dB', needs: 'live' }),
  microphone: field(decibels(-60, 20).prefault(0), { help: 'Gain of the microphone.', unit: 'dB', needs: 'live' }),
  echo: field(oneOf(['auto', 'off', 'half duplex', 'speex', 'aec3', 'two stage']).optional(), {
    help:
      'What keeps callers from hearing themselves. `auto` is `two stage`: it removes most, lets both speak at once, bears ' +
      'a microphone and loudspeaker on two sound cards, and needs no library. `aec3` removes as much and lowers the ' +
      'visitor while both speak. `speex` is the least work, lets both speak, and wants one card for both. ' +
      `\`half duplex\` lets one speak at a time. ${ofTheBoard}`,
    needs,
  }),
  noiseSuppression: field(yesOrNo().optional(), {
    help: `Takes steady noise, such as traffic and wind, out of the microphone. ${ofTheBoard}`,
    needs,
  }),
  automaticGain: field(yesOrNo().optional(), {
    help: `Brings near and far visitors to one loudness, slowly. ${ofTheBoard}`,
    needs,
  }),
  volumeFollowsNoise: section({
    upTo: field(decibels(0, 20).prefault(0), {
      help: 'The loudspeaker gets louder in a loud place, by at most so much; 0 means never.',
      unit: 'dB',
      needs,
    }),
    quiet: field(decibels(-80, -20).prefault(-50), {
      help: 'Level at the microphone from which on the loudspeaker rises, a decibel for each. `porter status` shows the level of now.',
      unit: 'dB of full scale',
      needs,
    }),
  }).prefault({}),
  recording: section({
    folder: field(path().optional(), {
      help: 'Where `record call` and `record microphone` put their WAV files. Without it nothing is ever recorded. The law may ask that callers are told.',
      needs: 'live',
    }),
    longest: field(duration(1000, 3_600_000).prefault('5 min'), {
      help: 'One recording ends after so long.',
      needs: 'live',
    }),
    limit: field(whole(1, 100_000).prefault(100), {
      help: 'All recordings together; the oldest give way to a new one.',
      unit: 'MB',
      needs: 'live',
    }),
  }).prefault({}),
  country: field(country().prefault('eu'), { help: 'Whose call tones are played.', needs }),
});
