import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wavHeader } from '../../../firmware/audio/wav.ts';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import type { MediaEvent, MediaSettings } from '../../../firmware/media/protocol.ts';
import { MediaThread } from '../../../firmware/media/thread.ts';
import { decibels, sine, toneLevel } from '../../sim/tone.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porter-media-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const path = (name: string) => join(directory, name);

function writeTone(name: string, hz: number) {
  const tone = sine(hz, 8000, 16_000, 1);
  writeFileSync(path(name), Buffer.concat([wavHeader(16_000, tone.byteLength), Buffer.from(tone.buffer)]));
}

/** A thread, and promises for what it says. */
class Thread {
  readonly media: MediaThread;
  readonly events: MediaEvent[] = [];
  #watching: (() => void)[] = [];

  constructor(name: string, change: Partial<MediaSettings> = {}, entry?: URL) {
    const settings: MediaSettings = {
      audio: {
        driver: 'simulated',
        capture: '',
        playback: '',
        rate: 16_000,
        periodMs: 10,
        bufferMs: 40,
        captureFile: path(`${name}-hears.wav`),
        playbackFile: path(`${name}-plays.wav`),
      },
      rtpPorts: { from: 31_000, to: 31_999 },
      jitter: { minMs: 20, maxMs: 400 },
      silentAfterMs: 0,
      country: 'eu',
      opus: { bitrate: 24_000, complexity: 5, expectedLoss: 10 },
      loudspeakerDb: 0,
      microphoneDb: 0,
      cname: name,
      ...change,
    };
    this.media = new MediaThread({ settings, clock: systemClock, log: silentLog, ...(entry && { entry }) });
    this.media.onEvent = event => {
      this.events.push(event);
      for (const look of [...this.#watching]) look();
    };
  }

  /** The first event of the kind that has come or comes. */
  told<Is extends MediaEvent['is']>(is: Is): Promise<Extract<MediaEvent, { is: Is }>> {
    return this.toldWhere(event => event.is === is) as Promise<Extract<MediaEvent, { is: Is }>>;
  }

  toldWhere(test: (event: MediaEvent) => boolean): Promise<MediaEvent> {
    return new Promise(resolve => {
      const look = () => {
        const event = this.events.find(test);
        if (event === undefined) return;
        this.#watching = this.#watching.filter(other => other !== look);
        resolve(event);
      };
      this.#watching.push(look);
      look();
    });
  }
}

test('two threads talk over real UDP, and stop with everything freed', async () => {
  writeTone('a-hears.wav', 440);
  writeTone('b-hears.wav', 1000);
  const a = new Thread('a');
  const b = new Thread('b');
  for (const { media } of [a, b]) {
    media.start();
    media.send({ do: 'open', stream: 's', host: '127.0.0.1' });
  }
  const ports = [await a.told('opened'), await b.told('opened')];
  for (const [index, { media }] of [a, b].entries()) {
    const { rtpPort, rtcpPort } = ports[1 - index]!;
    media.send({
      do: 'start',
      stream: 's',
      settings: {
        direction: 'sendrecv',
        remote: { host: '127.0.0.1', rtpPort, rtcpPort },
        codec: { name: 'opus', payloadType: 96, ptimeMs: 20 },
      },
    });
  }
  a.media.send({ do: 'record', stream: 's', what: 'received', file: path('heard.wav') });
  await Promise.all([a.told('heard'), b.told('heard')]);
  // Real sound takes real time: a file of one second played to its end is the measure of it.
  b.media.send({ do: 'play file', file: path('b-hears.wav'), at: { stream: 's' }, id: 'f' });
  expect((await b.told('played')).why).toBeUndefined();
  a.media.send({ do: 'close', stream: 's' });
  expect((await a.told('closed')).statistics).toMatchObject({ codec: 'opus', malformedPackets: 0 });
  await Promise.all([a.media.stop(), b.media.stop()]);
  expect(a.events.at(-1)).toEqual({ is: 'stopped' });

  const recording = readFileSync(path('heard.wav'));
  const heard = new Int16Array(recording.buffer, recording.byteOffset + 44, (recording.length - 44) >> 1);
  expect(heard.length).toBeGreaterThan(14_000);
  expect(Math.abs(decibels(toneLevel(heard.slice(4000, 12_000), 1000, 16_000) / 8000))).toBeLessThan(2);
});

test('a thread that dies takes its streams with it, is started again and works', async () => {
  writeTone('a-hears.wav', 440);
  const thread = new Thread('a', {}, new URL('./dying-worker.ts', import.meta.url));
  thread.media.start();
  thread.media.send({ do: 'open', stream: 'first', host: '127.0.0.1' });
  await thread.told('opened');
  thread.media.send({ do: 'play file', file: 'die', at: 'here', id: 'f' });
  expect(await thread.told('failed')).toMatchObject({ stream: 'first', why: 'the media thread has ended' });
  expect(await thread.told('played')).toMatchObject({ id: 'f', why: 'the media thread has ended' });
  thread.media.send({ do: 'open', stream: 'second', host: '127.0.0.1' });
  expect(await thread.toldWhere(event => 'stream' in event && event.stream === 'second')).toMatchObject({
    is: 'failed',
    doing: 'open',
  });
  await thread.toldWhere(event => event.is === 'ready' && event !== thread.events[0]);
  thread.media.send({ do: 'open', stream: 'third', host: '127.0.0.1' });
  expect(await thread.toldWhere(event => 'stream' in event && event.stream === 'third')).toMatchObject({
    is: 'opened',
  });
  await thread.media.stop();
});
