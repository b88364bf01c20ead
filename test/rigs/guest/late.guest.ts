/** Chips that come late, under another number, or with a line that somebody else has. */
import { afterEach, expect, test } from 'vitest';
import { Bench } from '../../peers/support/bench.ts';
import { knowing, startDesk } from '../../peers/support/desk.ts';
import { startDevice } from '../../peers/support/device.ts';
import { SimChip } from './gpio-sim.ts';
import { LINE, PiHeader } from './pi-header.ts';

const bench = new Bench();
const discards: (() => void)[] = [];
afterEach(async () => {
  await bench.stop();
  for (const discard of discards.splice(0).reverse()) discard();
});

async function device() {
  const desk = await startDesk(bench);
  return startDevice(bench, {
    config: {
      board: { name: 'raspberry-pi-4' },
      buttons: { front: { input: 'button-1', press: 'call desk', led: 'led-1' } },
      ...knowing(desk),
    },
  });
}

test('a chip that comes after the firmware, behind another, has its lines taken: relay at rest, button alive', async () => {
  const header = new PiHeader({}, { plugged: false });
  discards.push(() => header.discard());
  const front = await device();
  expect(Object.keys((await front.status()).faults)).toContain('relay-1');
  await expect(front.do('open main')).rejects.toThrow('pinctrl-bcm2711');

  const other = new SimChip({ label: 'an expander', lines: 8 });
  discards.push(() => other.discard());
  other.plug();
  header.plug();
  expect(header.chip.name).not.toBe('gpiochip0');
  await front.event('device', 'line mended', { line: 'button-1' });
  const { faults, doors } = await front.status();
  expect([faults, doors.main?.relay]).toEqual([{}, 'at rest']);
  expect(new Set(header.history(LINE.relay1))).toEqual(new Set([false]));
  await front.do('open main');
  expect(header.active(LINE.relay1)).toBe(true);
  await header.press(LINE.button1);
  await front.event('call', 'answered');
});

test('a line that somebody else has is told with his name, and the others work', async () => {
  const header = new PiHeader({ hogs: { [LINE.relay1]: 'w1' } });
  discards.push(() => header.discard());
  const front = await device();
  expect((await front.status()).faults).toEqual({ 'relay-1': expect.stringContaining('in use by w1') });
  await expect(front.do('open main')).rejects.toThrow('w1');
  await header.press(LINE.button1);
  await front.event('call', 'answered');
});
