/** Holds an output active until it is killed: `hold-line.ts DRIVER CHIP LINE`. Says `held` when it does. */
import { systemClock } from '../../../firmware/lib/clock.ts';
import { openGpio } from '../../../hal/gpio/open.ts';

const [driver, chip, line] = process.argv.slice(2) as ['chardev' | 'sysfs', string, string];
openGpio(driver, { clock: systemClock })
  .openOutput('relay', { chip, line: Number(line) })
  .write(true);
process.stdout.write('held\n');
setInterval(() => {}, 60_000);
