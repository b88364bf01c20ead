/** A call on the real ALSA driver whose card is pulled out and put back: how long after its return it is heard, both ways. */
import { InProcessMedia } from '../../firmware/media/in-process.ts';
import type { MediaEvent } from '../../firmware/media/protocol.ts';
import { AlsaAudio } from '../../hal/audio/alsa.ts';
import { type FakeCard, fakeCards } from '../unit/hal/fake-alsa.ts';
import { ordinarySound } from './media-settings.ts';
import { MemoryFiles } from './memory-files.ts';
import { EVENTS, PCMA, speaksTone, World } from './phone.ts';
import { seeded } from './seeded.ts';

const RATE = 16_000;
const HZ = 1_000;
const LOUD = 8_000;
/** What stays under this is not heard. */
const HEARD = 1_000;
const DOOR = '192.0.2.1';
const SETTLE_MS = 3_000;
/** Pulled out for at least so long, and up to this longer: every moment between two looks for the card is met. */
const AWAY_MS = 2_000;
const AWAY_SPREAD_MS = 1_000;
/** Nobody waits longer for a card that has returned. */
const MOST_MS = 2_000;

/** `both`: microphone and loudspeaker are one card. */
export type Pulled = 'both' | 'capture' | 'playback';

/** After the card's return, milliseconds; undefined: that side was not away. */
export interface Return {
  /** The far end is heard from the loudspeaker. */
  loudspeakerMs: number | undefined;
  /** The far end hears the microphone. */
  microphoneMs: number | undefined;
}

/** The seed says at which moments the card goes and returns, and how long the network takes. */
export function cardAway(pulled: Pulled, seed: number): Return {
  const random = seeded(seed);
  const world = new World({ delayMs: [1, 5] }, seed);
  const { clock } = world;
  const { card, open } = fakeCards(clock);
  card.hears = n => Math.round(LOUD * Math.sin((2 * Math.PI * HZ * n) / RATE));
  const spec = { driver: 'alsa' as const, capture: 'mic', playback: 'speaker', rate: RATE, periodMs: 10, bufferMs: 40 };
  const events: MediaEvent[] = [];
  const door = new InProcessMedia({
    clock,
    wallClock: () => 1_800_000_000_000 + clock.now(),
    random: seeded(seed + 1),
    network: world.network.host(DOOR),
    files: new MemoryFiles(clock),
    opus: undefined,
    audio: new AlsaAudio({ spec, clock, load: () => open, mixer: () => () => ({ elements: [], close() {} }) }),
    settings: { ...ordinarySound(RATE, 'door'), audio: spec },
  });
  door.onEvent = event => events.push(event);
  door.start();
  const desk = world.phone('192.0.2.2', { rate: RATE, speaks: speaksTone(HZ, LOUD, RATE) });
  door.send({ do: 'open', stream: 'call', host: DOOR });
  world.open(desk);
  const opened = events.find(event => event.is === 'opened')!;
  const remote = { host: DOOR, rtpPort: opened.rtpPort, rtcpPort: opened.rtcpPort };
  const settings = world.settings(desk, PCMA);
  door.send({ do: 'start', stream: 'call', settings });
  desk.send({ do: 'start', stream: 'call', settings: { ...settings, remote, telephoneEvent: EVENTS } });

  world.run(SETTLE_MS + 1000 * random.next());
  if (firstHeard(card.played, card.played.length - RATE / 10) === undefined)
    throw new Error('nothing is heard before the card is pulled out');
  pull(card, pulled, true);
  world.run(AWAY_MS + AWAY_SPREAD_MS * random.next());
  const backMs = clock.now();
  const playedBefore = card.played.length;
  pull(card, pulled, false);
  let loudspeakerMs: number | undefined;
  let microphoneMs: number | undefined;
  const isDone = () =>
    (pulled === 'capture' || loudspeakerMs !== undefined) && (pulled === 'playback' || microphoneMs !== undefined);
  for (let ms = 1; ms <= MOST_MS && !isDone(); ms++) {
    world.run(1);
    // The card tells what it has played when the driver asks; the newest sample is of that moment.
    const first = firstHeard(card.played, playedBefore);
    if (pulled !== 'capture' && first !== undefined)
      loudspeakerMs ??= ms - ((card.played.length - first) * 1000) / RATE;
    // A frame is with the far end once it has ended.
    if (pulled !== 'playback' && firstHeard(desk.heard(backMs)) !== undefined) microphoneMs ??= ms;
  }
  if (!isDone()) throw new Error('it is not heard again');
  return { loudspeakerMs, microphoneMs };
}

function pull(card: FakeCard, pulled: Pulled, isAway: boolean) {
  if (pulled === 'both') card.state = isAway ? 'unplugged' : 'plugged';
  else if (isAway) card.away = pulled;
  else delete card.away;
}

function firstHeard(samples: ArrayLike<number>, from = 0): number | undefined {
  for (let index = from; index < samples.length; index++) if (Math.abs(samples[index]!) >= HEARD) return index;
  return undefined;
}
