/**
 * The main job in a simulated building: press, talk, open, hang up. Whatever the network does to the packets, every call
 * ends, the relay is at rest, and nothing outlives its owner.
 */
import { describe, expect, test } from 'vitest';
import { type Preset, presets } from './lossy-network.ts';
import { decibels, toneLevel } from './tone.ts';
import { building, tone, World } from './world.ts';

const RATE = 8_000;
const RELAY_LONGEST_MS = 3_000;

async function story(seed: number, preset: Preset) {
  const world = new World({ seed, impairment: presets[preset] });
  const chance = world.random;
  const desk = world.desk({
    speaks: tone(1_000),
    onCall: call => {
      call.ring();
      world.clock.after(1_000 + 2_000 * chance.next(), () => call.answer(), 'a hand at the desk');
    },
  });
  const device = world.device(building, tone(600));
  let longestMs = 0;
  let closedSinceMs: number | undefined;
  const watch = () => {
    const closed = device.output('relay-1');
    if (closed) closedSinceMs ??= world.clock.now();
    else closedSinceMs = undefined;
    longestMs = Math.max(longestMs, closedSinceMs === undefined ? 0 : world.clock.now() - closedSinceMs);
  };
  const until = async (condition: () => boolean, limitMs: number) =>
    world.until(() => {
      watch();
      return condition();
    }, limitMs);

  const registered = () => device.intercom.status().accounts.pbx!.state === 'registered';
  const inTime = await until(registered, 120_000);
  device.hold('button-1', true);
  await world.run(150);
  device.hold('button-1', false);
  const talking = await until(() => desk.desk.calls.some(call => call.state === 'talking'), 25_000);
  let heardAtDesk = Number.NEGATIVE_INFINITY;
  let heardAtDevice = Number.NEGATIVE_INFINITY;
  if (talking) {
    await until(() => false, 3_000);
    heardAtDesk = decibels(toneLevel(desk.ears.heard(1_000), 600, RATE) / 8_000);
    heardAtDevice = decibels(toneLevel(device.ears.heard(1_000), 1_000, RATE) / 8_000);
    desk.desk.calls[0]?.sendKeys('55#');
    await until(() => device.events.some(({ type }) => type === 'locked'), 6_000);
    if (chance.next() < 0.5) desk.desk.calls[0]?.hangUp();
    else device.intercom.perform({ do: 'hang up' }, 'cli');
  }
  const ended = await until(
    () => device.intercom.status().call.state === 'idle' && desk.desk.calls.length === 0,
    150_000,
  );
  const opened = device.events.some(({ type }) => type === 'unlocked');
  const farewell = Promise.all([device.intercom.stop(), desk.desk.stop()]);
  await world.finish(farewell);
  await world.run(64_000);
  return { world, device, desk, inTime, talking, ended, opened, heardAtDesk, heardAtDevice, longestMs };
}

test('on a good network the visitor and the desk hear each other, and the door opens', async () => {
  const { talking, ended, opened, heardAtDesk, heardAtDevice, world } = await story(1, 'perfect');
  expect({ talking, ended, opened }).toEqual({ talking: true, ended: true, opened: true });
  expect(heardAtDesk).toBeGreaterThan(-1.5);
  expect(heardAtDevice).toBeGreaterThan(-1.5);
  expect(world.clock.armed).toEqual([]);
});

describe('two hundred seeds over four kinds of network', () => {
  const seeds: Record<Preset, number> = { perfect: 10, office: 50, wan: 60, badWifi: 80 };
  for (const [preset, count] of Object.entries(seeds) as [Preset, number][]) {
    test(`${count} times ${preset}: every call ends, the relay rests, nothing stays armed`, async () => {
      let talked = 0;
      for (let seed = 1; seed <= count; seed++) {
        const result = await story(seed, preset);
        const trace = () => `seed ${seed}\n${result.world.trace.slice(-60).join('\n')}`;
        expect(result.inTime, `registered: ${trace()}`).toBe(true);
        expect(result.ended, `ended: ${trace()}`).toBe(true);
        const ends = result.device.events.filter(({ source, type }) => source === 'call' && type === 'ended');
        const begun = result.device.events.filter(({ source, type }) => source === 'call' && type === 'calling');
        expect(ends.length, trace()).toBe(begun.length);
        expect(result.longestMs, trace()).toBeLessThanOrEqual(RELAY_LONGEST_MS + 20);
        expect(result.world.clock.armed, trace()).toEqual([]);
        expect(result.world.sound.openPorts, trace()).toBe(0);
        if (result.talking) talked++;
      }
      expect(talked).toBeGreaterThan(count * (preset === 'badWifi' ? 0.8 : 0.95));
    });
  }
});

test('the same seed gives the same trace, another seed another', async () => {
  const trace = async (seed: number) => (await story(seed, 'badWifi')).world.trace.join('\n');
  expect(await trace(7)).toBe(await trace(7));
  expect(await trace(7)).not.toBe(await trace(8));
});
