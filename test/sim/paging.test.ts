/** Pages by multicast to a whole device: what is heard, told, shown, and which relay moves. */
import { describe, expect, test } from 'vitest';
import { presets } from './lossy-network.ts';
import { Pager } from './pager.ts';
import { decibels, toneLevel } from './tone.ts';
import { building, DEVICE, tone, World } from './world.ts';

const ALL = { host: '239.1.1.1', port: 5_000 };
const ALARM = { host: '239.1.1.2', port: 5_002 };

const paging = {
  groups: {
    all: { address: ALL.host, port: ALL.port },
    alarm: { address: ALARM.host, port: ALARM.port, level: 'emergency' },
  },
  levels: { emergency: { relay: 'led-2' } },
};

async function speaker() {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const desk = world.desk({ speaks: tone(1_500) });
  const device = world.device({ ...building, paging }, tone(600));
  await world.until(() => device.intercom.status().accounts.pbx?.state === 'registered', 5_000);
  const pager = (to: { host: string; port: number }, hz = 1_000) =>
    new Pager({ clock: world.clock, network: world.sound }, { hz, to });
  const level = (hz: number) => decibels(Math.max(1e-3, toneLevel(device.ears.heard(300), hz, 8_000)) / 8_000);
  const told = () =>
    device.events.filter(({ source }) => source === 'paging').map(({ type, group }) => `${String(group)}: ${type}`);
  return { world, desk, device, pager, level, told };
}

describe('a page', () => {
  test('is heard, told, and shown', async () => {
    const { world, device, pager, level, told } = await speaker();
    const talker = pager(ALL);
    talker.talk();
    await world.run(1_000);
    expect(level(1_000)).toBeGreaterThan(-1);
    expect(device.intercom.status().paging.pages).toEqual([{ group: 'all', level: 'normal', from: '192.0.2.77' }]);
    talker.stop();
    await world.run(2_000);
    expect(told()).toEqual(['all: page started', 'all: page ended']);
    expect(device.events.at(-1)).toMatchObject({ group: 'all', level: 'normal', from: '192.0.2.77', seconds: 2 });
    let packets: number | undefined;
    device.intercom.freshStatus(status => {
      packets = status.paging.groups.all!.packets;
    });
    await world.run(10);
    expect(packets).toBe(51);
  });

  test('of a level with a relay holds it for as long as it lasts', async () => {
    const { world, device, pager } = await speaker();
    const talker = pager(ALARM);
    expect(device.output('led-2')).toBe(false);
    talker.talk();
    for (let minute = 0; minute < 3; minute++) {
      await world.run(60_000);
      expect(device.output('led-2')).toBe(true);
    }
    talker.stop();
    await world.run(1_500);
    expect(device.output('led-2')).toBe(false);
  });

  test('leaves a call alone, but an emergency takes its place, and gives it back', async () => {
    const { world, desk, device, pager, level, told } = await speaker();
    desk.desk.call(`sip:front@${DEVICE.host}:${DEVICE.port}`);
    await world.run(300);
    device.intercom.perform({ do: 'answer' }, 'cli');
    await world.run(1_000);
    pager(ALL).talk();
    await world.run(1_000);
    expect([level(1_500) > -3, level(1_000) > -3]).toEqual([true, false]);
    const alarm = pager(ALARM, 2_000);
    alarm.talk();
    await world.run(1_000);
    expect([level(1_500) > -40, level(2_000) > -1]).toEqual([false, true]);
    alarm.stop();
    await world.run(2_000);
    expect(level(1_500)).toBeGreaterThan(-3);
    expect(told()).toEqual(['all: page ignored', 'alarm: page started', 'alarm: page ended']);
    expect(device.intercom.status().call.state).toBe('talking');
  });
});
