/** The lines of a Raspberry Pi 4 on the kernel's simulator, with fingers for the buttons. */
import { passes } from '../../peers/support/until.ts';
import { SimChip, type SimChipSpec, tracedLevels, traceLines } from './gpio-sim.ts';

/** As hal/boards/raspberry-pi-header.ts wires them. */
export const LINE = { button1: 5, button2: 6, relay1: 22, led1: 24 } as const;

export const PI_4: SimChipSpec = { label: 'pinctrl-bcm2711', lines: 58 };

/** Longer than a button's debounce. Milliseconds. */
const PRESS_MS = 80;

export class PiHeader {
  readonly chip: SimChip;

  /** `plugged`: false for one that comes later. */
  constructor(spec: Partial<SimChipSpec> = {}, { plugged = true } = {}) {
    this.chip = new SimChip({ ...PI_4, ...spec });
    if (plugged) this.plug();
  }

  plug() {
    this.chip.plug();
    traceLines();
    // Buttons to ground, let go.
    this.letGo(LINE.button1);
    this.letGo(LINE.button2);
  }

  hold(line: number) {
    this.chip.drive(line, false);
  }

  letGo(line: number) {
    this.chip.drive(line, true);
  }

  async press(line: number) {
    this.hold(line);
    await passes(PRESS_MS);
    this.letGo(line);
  }

  active(line: number): boolean {
    return this.chip.level(line);
  }

  /** Every level that the firmware has ever driven the line to. */
  history(line: number): boolean[] {
    const number = this.chip.number(line);
    return tracedLevels().flatMap(other => (other.line === number ? [other.level] : []));
  }

  discard() {
    this.chip.discard();
  }
}
