/** What can be seen wrong in a board definition before any current flows. */
import type { BoardDefinition, InputSpec, LineAddress, OutputSpec } from '../contracts.ts';

export interface BoardRemark {
  severity: 'error' | 'warning';
  line: string;
  sentence: string;
}

/** Chips whose offsets are the BCM numbers of a Raspberry Pi header. */
const RASPBERRY_CHIPS = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'];
/** BCM2711 ARM Peripherals §5.2: GPIO 0 to 8 are pulled up from power-up on, 9 to 27 down. The RP1 does the same. */
const LAST_PULLED_UP = 8;
const LAST_HEADER_LINE = 27;
const UART_TX = 14;

const USED_OTHERWISE: Record<number, string> = {
  0: 'the bus that identifies a HAT',
  1: 'the bus that identifies a HAT',
  2: 'I2C, with 1.8 kΩ to 3.3 V on the board',
  3: 'I2C, with 1.8 kΩ to 3.3 V on the board; low wakes a halted board',
  14: 'the serial console',
  15: 'the serial console',
  18: 'the I2S clock of a sound card on the header',
  19: 'the I2S frame of a sound card on the header',
  20: 'the I2S microphone of a sound card on the header',
  21: 'the I2S loudspeaker of a sound card on the header',
};

/**
 * An `error` is a relay that moves while the board starts, or a line used twice; a `warning` is a line that something
 * else usually has, or a lamp that flickers. LEDs are the outputs whose name begins with `led`.
 */
export function checkBoard({ inputs, outputs }: BoardDefinition): BoardRemark[] {
  const lines: [string, InputSpec | OutputSpec][] = [...Object.entries(inputs), ...Object.entries(outputs)];
  return [
    ...lines.flatMap(([name, spec], i) => usedTwice(name, spec, lines.slice(0, i))),
    ...lines.flatMap(([name, spec]) => usedOtherwise(name, spec)),
    ...Object.entries(outputs).flatMap(([name, spec]) => movesAtPowerUp(name, spec)),
  ];
}

function usedTwice(line: string, { chip, line: offset }: LineAddress, before: [string, LineAddress][]): BoardRemark[] {
  const other = before.find(([, address]) => address.chip === chip && address.line === offset);
  return other === undefined
    ? []
    : [{ severity: 'error', line, sentence: `line ${offset} of ${chip} is also ${other[0]}` }];
}

function usedOtherwise(line: string, address: LineAddress): BoardRemark[] {
  const gpio = headerLine(address);
  const user = gpio === undefined ? undefined : USED_OTHERWISE[gpio];
  return user === undefined ? [] : [{ severity: 'warning', line, sentence: `GPIO ${gpio} is ${user}` }];
}

function movesAtPowerUp(line: string, spec: OutputSpec): BoardRemark[] {
  const gpio = headerLine(spec);
  if (gpio === undefined) return [];
  const severity = line.startsWith('led') ? 'warning' : 'error';
  const remark = (sentence: string): BoardRemark[] => [{ severity, line, sentence }];
  if (gpio === UART_TX) return remark('GPIO 14 is the serial transmitter, which talks while the board starts');
  const safeLevel = (spec.safe ?? false) !== (spec.activeLow === true);
  const powerUpLevel = gpio <= LAST_PULLED_UP;
  if (safeLevel === powerUpLevel) return [];
  const pulled = powerUpLevel ? 'up' : 'down';
  return remark(`GPIO ${gpio} is pulled ${pulled} from power-up until the firmware runs, which is not its safe level`);
}

/** The BCM number, given as an offset or as the kernel's line name (`GPIO17`). */
function headerLine({ chip, line }: LineAddress): number | undefined {
  if (!RASPBERRY_CHIPS.includes(chip)) return undefined;
  const gpio = typeof line === 'number' ? line : Number(/^GPIO(\d+)$/.exec(line)?.[1]);
  return gpio >= 0 && gpio <= LAST_HEADER_LINE ? gpio : undefined;
}
