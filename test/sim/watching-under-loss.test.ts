/**
 * One phone watches another over networks that lose, double and overtake packets, while the watched one is called, hung
 * up, and cut off for a while. Whatever the seed: once it is quiet the watcher knows the truth, and nothing is left over.
 */
import { describe, expect, test } from 'vitest';
import {
  type Availability,
  availabilityIn,
  DialogReader,
  dialogTypes,
  presenceTypes,
} from '../../firmware/sip/event/reading.ts';
import { LossyNetwork, type Preset, presets } from './lossy-network.ts';
import { seeded } from './seeded.ts';
import { Phone } from './sip-phone.ts';
import { VirtualClock } from './virtual-clock.ts';

const seedsPerPreset = 20;
/**
 * After the last trouble: a subscription may just have failed for the last time in a row, and is asked for again within
 * 5 min; its answers may be lost a few times more.
 */
const settleMs = 1_200_000;

const front = { host: '192.0.2.20', port: 5060 };
const desk = { host: '192.0.2.10', port: 5060 };

function watchedUnder(preset: Preset, seed: number) {
  const clock = new VirtualClock();
  const chance = seeded(seed);
  const network = new LossyNetwork(clock, seeded(seed * 31 + 7), presets[preset]);
  const watched = new Phone(clock, network, { address: front, seed, trusts: [desk.host] });
  const watcher = new Phone(clock, network, { address: desk, seed: seed + 1_000 });
  const event = chance.next() < 0.5 ? 'dialog' : 'presence';
  const reader = new DialogReader();
  let known: Availability = 'unknown';
  watcher.userAgent.subscribe(
    {
      target: 'sip:user@192.0.2.20',
      event,
      accept: event === 'dialog' ? dialogTypes : presenceTypes,
      expiresMs: 120_000,
    },
    {
      onState: ({ is }) => {
        if (is === 'failed') known = 'unknown';
      },
      onNotify: (body, isFirst) => {
        if (isFirst) reader.reset();
        if (body !== undefined) known = event === 'dialog' ? reader.read(body) : availabilityIn(body);
      },
    },
  );
  for (let calls = 0; calls < 5; calls++) {
    clock.advance(60_000 * chance.next());
    watcher.dial('sip:user@192.0.2.20');
    clock.advance(10_000 * chance.next());
    if (chance.next() < 0.3) {
      network.cut.add(front.host);
      clock.advance(90_000 * chance.next());
      network.cut.delete(front.host);
    }
    watcher.call!.hangUp();
  }
  clock.advance(settleMs);
  return { clock, network, watched, watcher, known: () => known };
}

describe.each(Object.keys(presets) as Preset[])('%s', preset => {
  test(`${seedsPerPreset} watchers know the truth in the end and leave nothing behind`, () => {
    for (let seed = 1; seed <= seedsPerPreset; seed++) {
      const { clock, network, watched, watcher, known } = watchedUnder(preset, seed);
      const tale = () => `${preset}, seed ${seed}\n${network.trace.slice(-60).join('\n')}`;
      expect(known(), tale()).toBe('available');
      expect(watched.userAgent.watchers, tale()).toBe(1);
      let stopped = 0;
      for (const { userAgent } of [watched, watcher]) userAgent.stop(40_000, () => stopped++);
      clock.advance(41_000);
      expect(stopped, tale()).toBe(2);
      expect(clock.armed, tale()).toEqual([]);
    }
  });
});
