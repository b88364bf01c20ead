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

/** A line that could not be had is tried again so often: its chip may come late, who has it may let it go. Milliseconds. */
const AGAIN_MS = 5_000;

interface Wanted {
  line: string;
  take(driver: GpioDriver): void;
  standIn(error: HalError): void;
}

/**
 * Outputs are opened first, each at its safe level. A line that fails, or a whole driver, is reported in `faults` and
 * does not stop the device: an intercom with a broken tamper switch still calls. It is tried again until it comes. Never
 * throws.
 */
export function openBoard(definition: BoardDefinition, options: BoardOptions): Board {
  const driver = options.gpio ?? findDriver(definition, options);
  const outputs = new Map<string, DigitalOutput>();
  const inputs = new Map<string, DigitalInput>();
  const wanted: Wanted[] = [
    ...Object.entries(definition.outputs).map(([line, spec]) => ({
      line,
      take: (gpio: GpioDriver) => void outputs.set(line, gpio.openOutput(line, spec)),
      standIn: (error: HalError) => void outputs.set(line, missingOutput(line, spec.safe ?? false, error)),
    })),
    ...Object.entries(definition.inputs).map(([line, spec]) => ({
      line,
      take: (gpio: GpioDriver) => void inputs.set(line, gpio.openInput(line, spec)),
      standIn: (error: HalError) => void inputs.set(line, missingInput(line, error)),
    })),
  ];
  const faults: BoardFault[] = [];
  for (const { line, take, standIn } of wanted) {
    const error = whyNot(line, driver, take);
    if (error === undefined) continue;
    faults.push({ line, error });
    standIn(error);
  }

  let cancel = () => {};
  function mend() {
    for (const fault of [...faults]) {
      const { line, take } = wanted.find(other => other.line === fault.line)!;
      if (whyNot(line, driver, take) !== undefined) continue;
      faults.splice(faults.indexOf(fault), 1);
      board.onMended(line);
    }
    mendLater();
  }
  function mendLater() {
    // What the driver cannot do, it will not learn.
    const mayCome = faults.some(({ error }) => error.code !== 'unsupported');
    if (mayCome && !(driver instanceof HalError)) cancel = options.clock.after(AGAIN_MS, mend, 'missing lines');
  }

  const board: Board = {
    definition,
    faults,
    onMended: () => {},
    watchdog: findWatchdog(definition, options.clock),
    input: name => find(inputs, name, 'input', definition),
    output: name => find(outputs, name, 'output', definition),
    close() {
      cancel();
      for (const output of outputs.values()) output.close();
      for (const input of inputs.values()) input.close();
    },
  };
  mendLater();
  return driver instanceof SimulatedGpio ? Object.assign(board, { hand: driver }) : board;
}

/** Takes the line. Answers why it could not. */
function whyNot(line: string, driver: GpioDriver | HalError, take: Wanted['take']): HalError | undefined {
  try {
    if (driver instanceof HalError) return driver;
    take(driver);
    return undefined;
  } catch (error) {
    return error instanceof HalError ? error : new HalError('io', `${line}: ${error}`, { cause: error });
  }
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
