/** A network that changes under the device: a new address in mid-call, a cable that is pulled and put back. */
import { describe, expect, test } from 'vitest';
import { recoveryMs } from '../../firmware/sip/registration-pace.ts';
import { lookEveryMs } from '../../firmware/sip/transport/links.ts';
import { type Preset, presets } from './lossy-network.ts';
import { decibels, toneLevel } from './tone.ts';
import { building, DESK, tone, World } from './world.ts';

const RATE = 8_000;
const NEW_HOST = '192.0.2.77';
const anywhere = { ...building, sip: { ...building.sip, listen: { host: '0.0.0.0' } } };
const loud = (samples: Int16Array, hz: number) => decibels(toneLevel(samples, hz, RATE) / 8_000) > -12;

async function talking(seed = 1, preset: Preset = 'perfect') {
  const world = new World({ seed, impairment: presets[preset] });
  const desk = world.desk({ speaks: tone(1_000), onCall: call => call.answer() });
  const device = world.device(anywhere, tone(600));
  const state = () => device.intercom.status().accounts.pbx!.state;
  const contact = () => device.intercom.status().accounts.pbx!.detail ?? '';
  await world.until(() => state() === 'registered', 60_000);
  device.hold('button-1', true);
  await world.run(150);
  device.hold('button-1', false);
  await world.until(() => device.intercom.status().call.state === 'talking', 20_000);
  await world.run(2_000);
  const told = (type: string) => device.events.filter(event => event.type === type);
  const bothHear = () => loud(desk.ears.heard(500), 600) && loud(device.ears.heard(500), 1_000);
  const end = async () => {
    device.intercom.perform({ do: 'hang up' }, 'cli');
    await world.until(() => device.intercom.alive.calls === 0, 120_000);
    await world.finish(Promise.all([device.intercom.stop(), desk.desk.stop()]));
    expect(device.intercom.alive).toMatchObject({ transactions: 0, calls: 0, timers: 0, deviceCalls: 0 });
  };
  return { world, desk, device, state, contact, told, bothHear, end };
}

describe('another address in mid-call', () => {
  test('both hear each other again within three seconds, and the registrar knows the new address alone', async () => {
    const { world, device, desk, contact, told, bothHear, end } = await talking();
    expect(bothHear()).toBe(true);
    device.moveTo(NEW_HOST);
    await world.run(lookEveryMs + 2_000);
    expect(told('repaired')).toMatchObject([{ host: NEW_HOST }]);
    expect(bothHear()).toBe(true);
    expect(contact()).toContain(NEW_HOST);
    expect(desk.desk.registrar.contactsOf('front')).toEqual([expect.stringContaining(NEW_HOST)]);
    await end();
  });

  test('a call made after it is heard both ways', async () => {
    const { world, device, told, bothHear, end } = await talking();
    device.intercom.perform({ do: 'hang up' }, 'cli');
    await world.run(500);
    device.moveTo(NEW_HOST);
    await world.run(3_000);
    device.hold('button-1', true);
    await world.run(150);
    device.hold('button-1', false);
    await world.run(4_000);
    expect(bothHear()).toBe(true);
    expect(told('repaired')).toEqual([]);
    await end();
  });

  test.each(['office', 'badWifi', 'wan'] as const)('is survived on a network like %s, twice in a row', async preset => {
    for (let seed = 1; seed <= 10; seed++) {
      const { world, device, told, end } = await talking(seed, preset);
      if (device.intercom.status().call.state !== 'talking') continue;
      device.moveTo(NEW_HOST);
      await world.run(1_700);
      device.moveTo('192.0.2.78');
      await world.until(() => told('repaired').at(-1)?.host === '192.0.2.78', 60_000);
      expect(told('repaired').at(-1), `seed ${seed}`).toMatchObject({ host: '192.0.2.78' });
      await end();
    }
  });
});

describe('a cable that is pulled', () => {
  test('is told as such, and the device is registered within seconds of its return', async () => {
    const { world, device, state, contact, told, end } = await talking();
    device.intercom.perform({ do: 'hang up' }, 'cli');
    await world.run(500);
    device.link('down');
    await world.run(lookEveryMs + 100);
    expect(state()).toBe('failed');
    expect(contact()).toContain('no network');
    expect(told('network gone')).toHaveLength(1);
    await world.run(10 * 60_000);
    expect(contact()).toContain('no network');
    device.link('up');
    await world.run(lookEveryMs + recoveryMs + 100);
    expect(state()).toBe('registered');
    await end();
  });

  test('for five seconds: the call goes on where it was, without a new offer', async () => {
    const { world, device, told, bothHear, end } = await talking();
    device.link('down');
    await world.run(5_000);
    expect(bothHear()).toBe(false);
    device.link('up');
    await world.run(3_000);
    expect(device.intercom.status().call.state).toBe('talking');
    expect(bothHear()).toBe(true);
    expect(told('repaired')).toEqual([]);
    await end();
  });

  test('and put into another network: the call is repaired from there', async () => {
    const { world, device, told, bothHear, end } = await talking();
    device.link('down');
    await world.run(4_000);
    device.moveTo(NEW_HOST);
    device.link('up');
    await world.run(5_000);
    expect(told('repaired')).toMatchObject([{ host: NEW_HOST }]);
    expect(bothHear()).toBe(true);
    await end();
  });

  test('for good: the call ends with the silence', async () => {
    const { world, device, told, end } = await talking();
    device.link('down');
    await world.run(60_000);
    expect(told('ended').at(-1)).toMatchObject({ talkedForSeconds: expect.any(Number) });
    expect(device.intercom.status().call.state).toBe('idle');
    device.link('up');
    await end();
  });

  test('again and again: no more than one REGISTER in two seconds', async () => {
    const { world, device, end } = await talking();
    const before = world.network.trace.length;
    for (let turn = 0; turn < 30; turn++) {
      device.link(turn % 2 === 0 ? 'down' : 'up');
      await world.run(1_000);
    }
    const lines = world.network.trace.slice(before);
    const sent = lines.filter(line => line.includes(`${DESK.host}:5060 REGISTER`));
    expect(sent.length).toBeLessThanOrEqual(2 * 15);
    await end();
  });
});

test('a call that still rings here when the address changes is heard both ways once it is answered', async () => {
  const world = new World({ seed: 4, impairment: presets.perfect });
  const desk = world.desk({ speaks: tone(1_000) });
  const device = world.device(anywhere, tone(600));
  await world.until(() => device.intercom.status().accounts.pbx!.state === 'registered', 5_000);
  desk.desk.call(desk.desk.registrar.contactFor('front')!);
  await world.until(() => device.intercom.status().call.state === 'ringing', 5_000);
  device.moveTo(NEW_HOST);
  await world.run(3_000);
  device.intercom.perform({ do: 'answer' }, 'cli');
  await world.run(4_000);
  expect(device.intercom.status().call.state).toBe('talking');
  expect(loud(desk.ears.heard(500), 600)).toBe(true);
  expect(loud(device.ears.heard(500), 1_000)).toBe(true);
});

test('a call that rings there when the address changes is made once more, and heard both ways', async () => {
  const world = new World({ seed: 5, impairment: presets.perfect });
  const desk = world.desk({ speaks: tone(1_000), onCall: call => call.ring() });
  const device = world.device(anywhere, tone(600));
  await world.until(() => device.intercom.status().accounts.pbx!.state === 'registered', 5_000);
  device.hold('button-1', true);
  await world.run(150);
  device.hold('button-1', false);
  await world.until(() => device.intercom.status().call.state === 'ringback', 5_000);
  device.moveTo(NEW_HOST);
  await world.run(3_000);
  expect(device.intercom.status().call.state).toBe('ringback');
  expect(desk.desk.calls).toHaveLength(1);
  desk.desk.calls[0]!.answer();
  await world.run(3_000);
  expect(loud(desk.ears.heard(500), 600)).toBe(true);
  expect(loud(device.ears.heard(500), 1_000)).toBe(true);
  device.intercom.perform({ do: 'hang up' }, 'cli');
  await world.until(() => device.intercom.alive.calls === 0, 60_000);
  expect(device.events.filter(({ type }) => type === 'ended')).toHaveLength(1);
});
