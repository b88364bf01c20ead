/** What all that is fuzzed of sound has in common: a device without a card, and targets that keep state. */
import { chooseOpus } from '../../../firmware/audio/codecs/opus.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import { makeCodecs } from '../../../firmware/media/codecs.ts';
import type { MediaSettings } from '../../../firmware/media/protocol.ts';
import { spoil } from '../../sim/spoil.ts';
import { below, mutate } from './mutate.ts';
import type { Target } from './targets.ts';

export const RATE = 16_000;
export const settings: MediaSettings = {
  audio: { driver: 'simulated', capture: '', playback: '', rate: RATE, periodMs: 10, bufferMs: 40 },
  rtpPorts: { from: 20_000, to: 20_100 },
  dscp: 0,
  keysInSound: 'auto',
  jitter: { minMs: 20, maxMs: 400 },
  silentAfterMs: 30_000,
  country: 'eu',
  opus: { bitrate: 24_000, complexity: 5, expectedLoss: 15 },
  loudspeakerDb: 0,
  microphoneDb: 0,
  cname: 'fuzzed',
};
/** Undefined where this machine has none. */
export const opus = await chooseOpus(RATE);
export const codecs = makeCodecs(opus, settings.opus);

/** Somebody who hears a good peer and a bad one. */
export interface Listener {
  /** The next that a good peer sends. */
  input(random: Random): Buffer;
  /** As that of a `Target`. */
  feed(bytes: Buffer, random: Random): string;
  /** A good peer is heard again, whatever came before; and nothing is left. Throws otherwise. */
  finish(): void;
}

/** A listener lives for so many inputs: then another comes, and who watches memory sees what is left of the first. */
const inputsPerListener = 5_000;

export function listening(name: string, share: number, make: () => Listener): Target {
  let listener: Listener | undefined;
  let inputs = 0;
  const finish = () => {
    listener?.finish();
    listener = undefined;
  };
  const present = () => {
    listener ??= make();
    return listener;
  };
  return {
    name,
    share,
    repeatable: false,
    input: random => spoiled(present().input(random), random),
    feed(bytes, random) {
      const end = present().feed(bytes, random);
      if (++inputs % inputsPerListener === 0) finish();
      return end;
    },
    finish,
  };
}

/** Two of five stay as they are. */
export function spoiled(good: Buffer, random: Random): Buffer {
  const fate = below(random, 5);
  if (fate < 2) return good;
  return fate < 4 ? Buffer.from(spoil(good, random)) : mutate(random, good, [good]);
}

/** Bytes of a sound in which something happens: noise in every byte would take longer to make than to hear. */
export function someSound(random: Random, bytes: number): Uint8Array<ArrayBuffer> {
  const sound = new Uint8Array(bytes);
  for (let at = random.uint32() & 7; at < bytes; at += 8) sound[at] = random.uint32() & 0xff;
  return sound;
}
