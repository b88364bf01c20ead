/** Two loudspeakers, each a process of its own, hear one page over real multicast: at the same moment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { g711Encoder } from '../../firmware/audio/codecs/g711.ts';
import { systemClock } from '../../firmware/lib/clock.ts';
import { writeRtp } from '../../firmware/rtp/packet.ts';
import { freePort } from '../demo/free-port.ts';
import { Bench } from './support/bench.ts';
import { HOST } from './support/device.ts';
import { until } from './support/until.ts';

const SPEAKER = join(import.meta.dirname, 'support/page-speaker.ts');
const GROUP = '239.255.42.43';
const SECONDS = 10;
/** Two sounds closer than this are heard as one. Milliseconds. */
const TOGETHER_MS = 5;
const SAMPLES = 160;
/** From one click to the next, in samples: 505 ms. */
const CLICK_EVERY = 4_040;
const CLICK = 20_000;

const bench = new Bench();
afterAll(() => bench.stop());

class Speaker {
  #said = '';
  readonly #process: ChildProcess;

  constructor(port: number, cardMs: number, rate: number) {
    const words = [SPEAKER, GROUP, String(port), String(cardMs), String(rate)];
    this.#process = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    bench.onStop(() => this.#process.kill());
    this.#process.stdout!.on('data', bytes => {
      this.#said += bytes;
    });
  }

  says(line: string) {
    return until(line, () => this.#said.includes(`${line}\n`), { withinMs: 30_000, detail: () => this.#said });
  }

  /** By the clock that both share, milliseconds. */
  get clicks(): number[] {
    return [...this.#said.matchAll(/^click (.*)$/gm)].map(([, ms]) => Number(ms));
  }
}

/** A page of clicks in packets of 20 ms, PCMA. */
async function page(port: number) {
  const socket = createSocket('udp4');
  socket.bind(0, HOST);
  await once(socket, 'listening');
  socket.setMulticastInterface(HOST);
  const encoder = g711Encoder('PCMA');
  const sound = new Int16Array(SAMPLES);
  const payload = new Uint8Array(SAMPLES);
  const bytes = new Uint8Array(12 + SAMPLES);
  const startMs = systemClock.now();
  for (let index = 0; index < SECONDS * 50; index++) {
    for (let at = 0; at < SAMPLES; at++) sound[at] = (index * SAMPLES + at) % CLICK_EVERY === 2_000 ? CLICK : 0;
    encoder.encode(sound, payload);
    const header = { payloadType: 8, marker: index === 0, sequence: index, timestamp: index * SAMPLES, ssrc: 7 };
    writeRtp(bytes, header, payload);
    socket.send(Uint8Array.from(bytes), port, GROUP);
    const dueMs = startMs + (index + 1) * 20;
    await new Promise<void>(next => void systemClock.after(Math.max(0, dueMs - systemClock.now()), next));
  }
  socket.close();
}

// A machine that stops for longer than a page waits plays another part of it than one that did not: then once more.
test('two processes play a page at the same moment, though their sound cards keep it for different times', {
  retry: 2,
  timeout: 60_000,
}, async () => {
  const port = await freePort('udp');
  const speakers = [new Speaker(port, 30, 16_000), new Speaker(port, 130, 48_000)] as const;
  for (const speaker of speakers) await speaker.says('joined');
  await page(port);
  for (const speaker of speakers) await speaker.says('page ended');
  const [near, far] = speakers.map(({ clicks }) => clicks) as [number[], number[]];
  const apart = near.map(ms => Math.min(...far.map(other => Math.abs(other - ms))));
  expect(apart.length).toBeGreaterThan(SECONDS);
  expect(
    apart
      .toSorted((a, b) => a - b)
      .slice(0, -2)
      .at(-1),
  ).toBeLessThan(TOGETHER_MS);
});
