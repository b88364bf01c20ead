/** Buttons of a panel whose chip goes. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../../firmware/config/parse.ts';
import { EventLog } from '../../../firmware/controller/event-log.ts';
import { FrontPanel } from '../../../firmware/controller/front-panel.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { openBoard } from '../../../hal/board.ts';
import { simulated } from '../../../hal/boards/simulated.ts';
import { SimulatedGpio } from '../../../hal/gpio/simulated.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

test('a button whose line goes while it is held is let go, and can be pressed from afar', () => {
  const clock = new VirtualClock();
  const gpio = new SimulatedGpio({ clock });
  const board = openBoard(simulated, { clock, gpio });
  const parsed = parseConfig({
    buttons: { front: { input: 'button-1', press: 'page hall', release: 'hang up hall' } },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { config } = parsed;
  const pressed: string[] = [];
  const panel = new FrontPanel({
    clock,
    board,
    events: new EventLog('session', () => 0, silentLog),
    settings: () => config.buttons,
    onPress: (_button, how) => pressed.push(how),
    changed: () => {},
  });
  panel.start();
  gpio.set('button-1', true);
  clock.advance(1_000);
  gpio.unplug();
  clock.advance(1_000);
  expect(pressed).toEqual(['short', 'release']);
  expect(panel.status().front).toMatchObject({ pressed: false, fault: expect.stringContaining('has gone') });
  panel.press('front');
  clock.advance(1_000);
  expect(pressed).toEqual(['short', 'release', 'short', 'release']);
  panel.stop();
  expect(clock.armed).toEqual([]);
});
