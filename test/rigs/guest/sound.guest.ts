/** The contract of both ALSA drivers on a card of the kernel's own. */
import { afterEach, describe } from 'vitest';
import { type Listener, soundCardContract } from '../../peers/support/sound-card.ts';
import { LoopbackCard } from './loopback-card.ts';

const card = new LoopbackCard();
const listeners: Listener[] = [];

afterEach(async () => {
  for (const { device } of listeners.splice(0)) await device.stop();
  await card.pull();
});

describe.each(['alsa', 'packages'] as const)('the driver %s on hw:Loopback', driver => {
  soundCardContract(driver, card, listener => listeners.push(listener));
});
