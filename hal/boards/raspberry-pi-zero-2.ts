/** Raspberry Pi Zero 2 W and Raspberry Pi 3. */
import type { BoardDefinition } from '../contracts.ts';
import { headerOf } from './raspberry-pi-header.ts';

export const raspberryPiZero2: BoardDefinition = {
  name: 'raspberry-pi-zero-2',
  description: 'Raspberry Pi Zero 2 W and Raspberry Pi 3',

  ...headerOf('pinctrl-bcm2835'),
  // A third of the work of the two stages of other boards.
  acoustics: { echo: 'speex' },
};
