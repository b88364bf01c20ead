/** What all Raspberry Pi with 40 pins share: lines are BCM numbers; the comments give the pin on the header. */
import type { BoardDefinition } from '../contracts.ts';

/** `chip` is the label of the chip that the header hangs on; its number changes with the kernel. */
export function headerOf(chip: string): Pick<BoardDefinition, 'gpio' | 'inputs' | 'outputs' | 'audio' | 'watchdog'> {
  return {
    gpio: 'chardev',
    inputs: {
      // Buttons to ground. GPIO 5 and 6 rest pulled up, 16 and 26 pulled down, until the firmware pulls all of them up.
      'button-1': { chip, line: 5, activeLow: true, bias: 'pull-up' }, // pin 29
      'button-2': { chip, line: 6, activeLow: true, bias: 'pull-up' }, // pin 31
      'button-3': { chip, line: 16, activeLow: true, bias: 'pull-up' }, // pin 36
      'button-4': { chip, line: 26, activeLow: true, bias: 'pull-up' }, // pin 37
      // Closed loops to ground: an open door, an open case and a cut wire all read as active.
      'door-contact': { chip, line: 17, bias: 'pull-up' }, // pin 11
      tamper: { chip, line: 4, bias: 'pull-up' }, // pin 7
    },
    outputs: {
      // GPIO 9 to 27 rest pulled down from power-up until the firmware runs: an active-high relay stays at rest.
      'relay-1': { chip, line: 22, safe: false }, // pin 15
      'relay-2': { chip, line: 23, safe: false }, // pin 16
      'led-1': { chip, line: 24, safe: false }, // pin 18
      'led-2': { chip, line: 25, safe: false }, // pin 22
      'led-3': { chip, line: 27, safe: false }, // pin 13
    },
    // GPIO 2, 3 (I2C) and 18 to 21 (I2S) stay free for a sound card on the header.
    audio: { driver: 'alsa', capture: 'default', playback: 'default', rate: 16000, periodMs: 10, bufferMs: 40 },
    watchdog: '/dev/watchdog',
  };
}
