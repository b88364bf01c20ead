/** Raspberry Pi 4, 400 and Compute Module 4. */
import type { BoardDefinition } from '../contracts.ts';
import { headerOf } from './raspberry-pi-header.ts';

export const raspberryPi4: BoardDefinition = {
  name: 'raspberry-pi-4',
  description: 'Raspberry Pi 4, 400 and Compute Module 4',

  ...headerOf('pinctrl-bcm2711'),
};
