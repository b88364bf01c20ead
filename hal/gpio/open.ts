/** Finds the driver for a board's lines. */
import type { Clock, GpioDriver } from '../contracts.ts';
import { linuxKernel } from '../kernel.ts';
import { loadOptional } from '../native.ts';
import { ChardevGpio } from './chardev.ts';
import { SimulatedGpio } from './simulated.ts';
import type { OnoffConstructor } from './sysfs.ts';
import { SysfsGpio } from './sysfs.ts';

export interface GpioOptions {
  clock: Clock;
  /** Simulated driver: where outputs keep their physical level when the process is killed. */
  stateDirectory?: string | undefined;
}

/** Throws HalError `unsupported` when the driver lacks a package or library that it needs. */
export function openGpio(name: GpioDriver['name'], { clock, stateDirectory }: GpioOptions): GpioDriver {
  switch (name) {
    case 'simulated':
      return new SimulatedGpio({ clock, stateDirectory });
    case 'chardev':
      return new ChardevGpio(linuxKernel(clock), clock);
    case 'sysfs':
      return new SysfsGpio({ clock, Gpio: loadOptional<{ Gpio: OnoffConstructor }>('onoff').Gpio });
  }
}
