/** What a device says of the pages that it hears, and what its relays do, whatever becomes of the media thread. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../../firmware/config/parse.ts';
import type { DeviceEvent } from '../../../firmware/controller/contracts.ts';
import { EventLog } from '../../../firmware/controller/event-log.ts';
import { Paging } from '../../../firmware/controller/paging.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { openBoard } from '../../../hal/board.ts';
import { simulated } from '../../../hal/boards/simulated.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

test('a page whose media thread died is told as ended, and its relay rests', () => {
  const clock = new VirtualClock();
  const board = openBoard(simulated, { clock });
  const parsed = parseConfig({
    paging: {
      groups: { all: { address: '239.1.1.1', port: 5_000 } },
      levels: { normal: { relay: 'relay-1' } },
    },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const events = new EventLog('session', () => 0, silentLog);
  const told: DeviceEvent[] = [];
  events.listen(event => told.push(event));
  const paging = new Paging({ clock, board, events, settings: () => parsed.config.paging, changed: () => {} });
  paging.start();
  const source = '192.0.2.7';
  paging.onMediaEvent({ is: 'page', state: 'started', group: 'all', level: 'normal', source, forMs: 0 });
  expect(board.output('relay-1').read()).toBe(true);
  paging.onMediaEvent({ is: 'ready', opus: 'none' });
  expect(board.output('relay-1').read()).toBe(false);
  expect(told.map(({ type, group, from, why }) => ({ type, group, from, why }))).toEqual([
    { type: 'page started', group: 'all', from: source, why: undefined },
    { type: 'page ended', group: 'all', from: source, why: 'the media thread has ended' },
  ]);
  paging.stop();
  expect(clock.armed).toEqual([]);
});
