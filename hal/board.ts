/** Opens a board from its definition: every line that can be had, and a stand-in that says why for each that cannot. */
import type {
  Board,
  BoardDefinition,
  BoardFault,
  Clock,
  DigitalInput,
  DigitalOutput,
  GpioDriver,
  Watchdog,
} from './contracts.ts';
import { HalError } from './contracts.ts';
import { openGpio } from './gpio/open.ts';
import { SimulatedGpio } from './gpio/simulated.ts';
import { linuxKernel } from './kernel.ts';
import { LinuxWatchdog } from './watchdog/linux.ts';
import { SimulatedWatchdog } from './watchdog/simulated.ts';

export interface BoardOptions {
  clock: Clock;
  /** Simulated lines: where outputs keep their physical level when the process is killed. */
  stateDirectory?: string | undefined;
  /** Instead of the driver that the definition names. */
  gpio?: GpioDriver | undefined;
}

/**
 * Outputs are opened first, each at its safe level. A line that fails, or a whole driver, is reported in `faults` and
 * does not stop the device: an intercom with a broken tamper switch still calls. Never throws.
 */
export function openBoard(definition: BoardDefinition, options: BoardOptions): Board {
  const faults: BoardFault[] = [];
  const driver = options.gpio ?? findDriver(definition, options);
  const open = <T>(line: string, request: (driver: GpioDriver) => T, standIn: (error: HalError) => T): T => {
    try {
      if (driver instanceof HalError) throw driver;
      return request(driver);
    } catch (error) {
      const fault = error instanceof HalError ? error : new HalError('io', `${line}: ${error}`, { cause: error });
      faults.push({ line, error: fault });
      return standIn(fault);
    }
  };

  const outputs = new Map<string, DigitalOutput>();
  for (const [name, spec] of Object.entries(definition.outputs)) {
    outputs.set(
      name,
      open(
        name,
        gpio => gpio.openOutput(name, spec),
        error => missingOutput(name, spec.safe ?? false, error),
      ),
    );
  }
  const inputs = new Map<string, DigitalInput>();
  for (const [name, spec] of Object.entries(definition.inputs)) {
    inputs.set(
      name,
      open(
        name,
        gpio => gpio.openInput(name, spec),
        error => missingInput(name, error),
      ),
    );
  }

  const board: Board = {
    definition,
    faults,
    watchdog: findWatchdog(definition, options.clock),
    input: name => find(inputs, name, 'input', definition),
    output: name => find(outputs, name, 'output', definition),
    close() {
      for (const output of outputs.values()) output.close();
      for (const input of inputs.values()) input.close();
    },
  };
  return driver instanceof SimulatedGpio ? { ...board, hand: driver } : board;
}

function findDriver(definition: BoardDefinition, options: BoardOptions): GpioDriver | HalError {
  try {
    return openGpio(definition.gpio, options);
  } catch (error) {
    return error instanceof HalError ? error : new HalError('io', `${definition.gpio}: ${error}`, { cause: error });
  }
}

function findWatchdog({ watchdog }: BoardDefinition, clock: Clock): Watchdog | undefined {
  if (watchdog === undefined) return undefined;
  return watchdog === 'simulated'
    ? new SimulatedWatchdog(clock)
    : new LinuxWatchdog(() => linuxKernel(clock), watchdog);
}

function find<T>(lines: Map<string, T>, name: string, kind: string, { name: board }: BoardDefinition): T {
  const line = lines.get(name);
  if (line !== undefined) return line;
  throw new HalError(
    'missing',
    `board ${board} has no ${kind} ${name}; it has ${[...lines.keys()].join(', ') || 'none'}`,
  );
}

function missingInput(name: string, error: HalError): DigitalInput {
  return {
    name,
    read() {
      throw error;
    },
    watch: () => () => {},
    close() {},
  };
}

function missingOutput(name: string, safe: boolean, error: HalError): DigitalOutput {
  const refuse = () => {
    throw error;
  };
  return { name, safe, write: refuse, read: refuse, close() {} };
}
