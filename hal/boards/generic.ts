/** Any Linux board: ALSA's default card and no lines. The start of a definition for new hardware. */
import type { BoardDefinition } from '../contracts.ts';

export const generic: BoardDefinition = {
  name: 'generic',
  description: 'Any Linux board: the default sound card, no lines',
  gpio: 'chardev',
  inputs: {},
  outputs: {},
  audio: { driver: 'alsa', capture: 'default', playback: 'default', rate: 16000, periodMs: 10, bufferMs: 40 },
  watchdog: '/dev/watchdog',
};
