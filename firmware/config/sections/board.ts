/** Settings: the board and its lines. */
import { z } from 'zod';
import { field, kind, section } from '../field.ts';
import { duration, line, name, named, oneOf, path, yesOrNo } from '../types.ts';

const needs = 'restart lines';

const lineOffset = () => {
  const wrong = 'is neither the number nor the name of a line';
  return kind(z.union([z.int().min(0).max(1023), z.string().min(1).max(63)]), { kind: 'number or name', wrong });
};

const address = {
  chip: field(line(63).optional(), { help: 'Label or name of the GPIO chip, such as `pinctrl-rp1`.', needs }),
  line: field(lineOffset().optional(), { help: 'Offset or name of the line on its chip.', needs }),
  activeLow: field(yesOrNo().optional(), { help: 'Whether the low level means active.', needs }),
};

const input = section({
  ...address,
  bias: field(oneOf(['pull-up', 'pull-down', 'disabled']).optional(), {
    help: 'Internal resistor of the line.',
    needs,
  }),
  debounce: field(duration(0, 1000).optional(), { help: 'Debounce in the kernel, where the driver has it.', needs }),
});

const output = section({
  ...address,
  drive: field(oneOf(['push-pull', 'open-drain', 'open-source']).optional(), {
    help: 'How the line is driven.',
    needs,
  }),
  safe: field(yesOrNo().optional(), {
    help: 'The level that harms nobody: taken at start, at stop and after a crash.',
    needs,
  }),
});

export const board = section({
  name: field(name().prefault('simulated'), { help: 'Which board definition is used.', needs: 'restart process' }),
  gpio: field(oneOf(['chardev', 'sysfs', 'simulated']).optional(), {
    help: 'GPIO driver, where it is not the one of the board definition.',
    needs,
  }),
  inputs: field(named(input).prefault({}), {
    help: 'Input lines that differ from the board definition, or are added.',
    needs,
  }),
  outputs: field(named(output).prefault({}), {
    help: 'Output lines that differ from the board definition, or are added.',
    needs,
  }),
  watchdog: field(yesOrNo().prefault(false), {
    help: 'Whether the hardware watchdog resets the board when the firmware hangs.',
    needs: 'restart process',
  }),
  stateDirectory: field(path().optional(), {
    help: 'Simulated board: where its lines are files.',
    needs,
  }),
});
