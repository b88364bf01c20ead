/** Raspberry Pi 5, 500 and Compute Module 5. */
import type { BoardDefinition } from '../contracts.ts';
import { headerOf } from './raspberry-pi-header.ts';

export const raspberryPi5: BoardDefinition = {
  name: 'raspberry-pi-5',
  description: 'Raspberry Pi 5, 500 and Compute Module 5',
  // The RP1 chip is gpiochip4 on some kernels and gpiochip0 on others, and always has this label.
  ...headerOf('pinctrl-rp1'),
};
