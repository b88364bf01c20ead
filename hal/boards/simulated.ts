/** No hardware at all: lines in memory, sound from and to files. The same names as on the real boards. */
import type { BoardDefinition } from '../contracts.ts';
import { SIMULATED_CHIP } from '../gpio/simulated.ts';

const chip = SIMULATED_CHIP;

export const simulated: BoardDefinition = {
  name: 'simulated',
  description: 'No hardware: lines in memory, sound from and to files',
  gpio: 'simulated',
  inputs: {
    'button-1': { chip, line: 'button-1' },
    'button-2': { chip, line: 'button-2' },
    'button-3': { chip, line: 'button-3' },
    'button-4': { chip, line: 'button-4' },
    'door-contact': { chip, line: 'door-contact' },
    tamper: { chip, line: 'tamper' },
  },
  outputs: {
    'relay-1': { chip, line: 'relay-1', safe: false },
    'relay-2': { chip, line: 'relay-2', safe: false },
    'led-1': { chip, line: 'led-1' },
    'led-2': { chip, line: 'led-2' },
    'led-3': { chip, line: 'led-3' },
  },
  audio: { driver: 'simulated', capture: 'memory', playback: 'memory', rate: 16000, periodMs: 10, bufferMs: 40 },
  // Files hear no loudspeaker.
  acoustics: { echo: 'off', noiseSuppression: false },
  watchdog: 'simulated',
};
