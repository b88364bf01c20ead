/** A call's delay follows what its network needs, where nobody hears it: in the pauses of the voice, and before a stall. */
import { expect, test } from 'vitest';
import { g711Encoder } from '../../../firmware/audio/codecs/g711.ts';
import { makeCodecs } from '../../../firmware/media/codecs.ts';
import { Receiving } from '../../../firmware/media/receiving.ts';
import { emptyPacket } from '../../../firmware/rtp/packet.ts';
import { type Path, stalls } from '../../sim/jitter-models.ts';
import { seeded } from '../../sim/seeded.ts';
import { blockSnr } from '../../sim/tone.ts';

const RATE = 8000;
const HZ = 440;
const PACKET_MS = 20;
const FRAME_MS = 10;

interface Hearing {
  seconds: number;
  /** Of what is sent at this moment. */
  loudness(sentMs: number): number;
  path: Path;
}

/** Receives a tone; what was heard, and how it went. */
function hear({ seconds, loudness, path }: Hearing) {
  const receiving = new Receiving({
    choices: [{ name: 'PCMA', payloadType: 8, ptimeMs: PACKET_MS }],
    codecs: makeCodecs(undefined, { bitrate: 24_000, complexity: 5, expectedLoss: 10 }),
    rate: RATE,
    jitter: { minMs: 20, maxMs: 400 },
  });
  const encoder = g711Encoder('PCMA');
  const samples = new Int16Array((RATE * PACKET_MS) / 1000);
  const arrivals: { atMs: number; sentMs: number; payload: Uint8Array }[] = [];
  for (let sentMs = 0; sentMs < seconds * 1000; sentMs += PACKET_MS) {
    for (let at = 0; at < samples.length; at++) {
      samples[at] = loudness(sentMs) * Math.sin((2 * Math.PI * HZ * ((sentMs * RATE) / 1000 + at)) / RATE);
    }
    const payload = new Uint8Array(samples.length);
    encoder.encode(samples, payload);
    arrivals.push({ atMs: sentMs + path(sentMs)!, sentMs, payload });
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);

  const frame = new Int16Array((RATE * FRAME_MS) / 1000);
  const heard = new Int16Array(seconds * RATE);
  const packet = { ...emptyPacket(), payloadType: 8, ssrc: 1 };
  let next = 0;
  for (let nowMs = 5; nowMs + FRAME_MS <= seconds * 1000; nowMs += FRAME_MS) {
    for (; next < arrivals.length && arrivals[next]!.atMs <= nowMs; next++) {
      const { atMs, sentMs, payload } = arrivals[next]!;
      packet.sequence = sentMs / PACKET_MS;
      packet.timestamp = (sentMs * RATE) / 1000;
      packet.payload = payload;
      receiving.push(packet, atMs);
    }
    receiving.read(frame, nowMs);
    heard.set(frame, Math.floor(((nowMs - 5) * RATE) / 1000));
  }
  const { bufferMs, concealedFrames } = receiving;
  receiving.close();
  return { bufferMs, concealedFrames, heard };
}

const quietWire: Path = () => 10;

test('a voice with pauses is heard with the least delay, and no tone in it is cut', () => {
  const words = hear({ seconds: 10, loudness: ms => (ms % 1000 < 700 ? 8000 : 400), path: quietWire });
  expect(words.bufferMs).toBeLessThan(30);
  expect(words.concealedFrames).toBe(0);
  const word = words.heard.subarray(8.1 * RATE, 8.6 * RATE);
  expect(blockSnr(word, HZ, RATE)).toBeGreaterThan(35);
});

test('a steady tone is left as it is: no pause, no cut', () => {
  const tone = hear({ seconds: 10, loudness: () => 8000, path: quietWire });
  expect(tone.bufferMs).toBeGreaterThan(40);
  expect(blockSnr(tone.heard.subarray(RATE), HZ, RATE)).toBeGreaterThan(35);
});

test('on a network that stalls sound is drawn out before there is none, and less is invented', () => {
  const { concealedFrames } = hear({
    seconds: 60,
    loudness: ms => (ms % 1000 < 700 ? 8000 : 400),
    path: stalls(seeded(1), 5, 8, 80, 4_000),
  });
  // 42 if it were not.
  expect(concealedFrames).toBeLessThan(36);
});
