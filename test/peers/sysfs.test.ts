/** The package onoff itself on a tree like sysfs, in a mount namespace of its own: what it writes, and in which order. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

beforeAll(() => {
  execFileSync(join(root, 'scripts/native'));
});

/** Lines 571 to 624 of a Pi 5, of which 593 (GPIO 22) was left exported by a process that is gone. */
const makeTree = `
  set -e
  mount --make-rprivate /sys 2>/dev/null || mount --make-rprivate /
  mount -t tmpfs sysfs-like /sys/class 2>/dev/null
  mkdir -p /sys/class/gpio/gpiochip571 /sys/class/gpio/gpio593
  cd /sys/class/gpio
  echo pinctrl-rp1 >gpiochip571/label
  echo 571 >gpiochip571/base
  echo 54 >gpiochip571/ngpio
  touch export unexport
  echo in >gpio593/direction
  echo 0 >gpio593/active_low
  echo 0 >gpio593/value
  echo none >gpio593/edge
  exec "$0" --input-type=module-typescript -e "$1"`;

const program = (body: string) => `
  import { readFileSync } from 'node:fs';
  import { openGpio } from '${root}/hal/gpio/open.ts';
  const clock = { now: () => 0, after: () => () => {} };
  const driver = openGpio('sysfs', { clock });
  const file = name => readFileSync('/sys/class/gpio/' + name, 'utf8').trim();
  const say = what => console.log(JSON.stringify(what));
  ${body}
  process.exit(0);`;

/** Root needs no user namespace, which a chroot would refuse it, nor has a chroot a root whose mounts could be made private. */
const unshare = process.getuid?.() === 0 ? ['--mount', '--propagation', 'unchanged'] : ['--map-root-user', '--mount'];

const inNamespace = (body: string) =>
  execFileSync('unshare', [...unshare, 'sh', '-c', makeTree, process.execPath, program(body)], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown);

test('an active-low relay is driven to its physical safe level by the direction itself', () => {
  const said = inNamespace(`
    const relay = driver.openOutput('relay', { chip: 'pinctrl-rp1', line: 22, activeLow: true, safe: false });
    say([file('gpio593/direction'), file('gpio593/active_low'), file('gpio593/value')]);
    relay.write(true);
    say(file('gpio593/value'));
    relay.close();
    say([file('gpio593/value'), file('unexport')]);`);
  expect(said).toEqual([['high', '1', '0'], '1', ['0', '593']]);
});

test('an input asks for both edges and reads its value', () => {
  const said = inNamespace(`
    const button = driver.openInput('button', { chip: 'pinctrl-rp1', line: 22 });
    say([file('gpio593/direction'), file('gpio593/edge'), button.read()]);`);
  expect(said).toEqual([['in', 'both', false]]);
});

test('a chip that is not there is named, with those that are', () => {
  const said = inNamespace(`
    try { driver.openInput('button', { chip: 'pinctrl-bcm2711', line: 22 }); }
    catch (error) { say([error.code, error.message]); }`);
  expect(said).toEqual([['missing', expect.stringContaining('pinctrl-rp1')]]);
});
