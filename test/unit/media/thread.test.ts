import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wavHeader } from '../../../firmware/audio/wav.ts';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { type Fields, type Log, silentLog } from '../../../firmware/lib/log.ts';
import type { MediaEvent, MediaSettings } from '../../../firmware/media/protocol.ts';
import { MediaThread } from '../../../firmware/media/thread.ts';
import type { PageZone } from '../../../firmware/paging/zones.ts';
import { ordinarySound, simulatedCard } from '../../sim/media-settings.ts';
import { decibels, longestGapMs, sine, toneLevel } from '../../sim/tone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

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

const settingsOf = (name: string): MediaSettings => ({
  ...ordinarySound(16_000, name),
  audio: {
    ...simulatedCard(16_000),
    captureFile: path(`${name}-hears.wav`),
    playbackFile: path(`${name}-plays.wav`),
  },
  rtpPorts: { from: 31_000, to: 31_999 },
  silentAfterMs: 0,
});

/** A thread, and promises for what it says. */
class Thread {
  readonly media: MediaThread;
  readonly events: MediaEvent[] = [];
  #watching: (() => void)[] = [];

  constructor(name: string, change: Partial<MediaSettings> = {}, entry?: URL) {
    const settings = { ...settingsOf(name), ...change };
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

/** Two threads with a call between them over real UDP; each hears its own tone in a loop. */
async function call(): Promise<[Thread, Thread]> {
  writeTone('a-hears.wav', 440);
  writeTone('b-hears.wav', 1000);
  const threads: [Thread, Thread] = [new Thread('a'), new Thread('b')];
  for (const { media } of threads) {
    media.start();
    media.send({ do: 'open', stream: 's', host: '127.0.0.1' });
  }
  const ports = [await threads[0].told('opened'), await threads[1].told('opened')];
  for (const [index, { media }] of threads.entries()) {
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
  await Promise.all(threads.map(thread => thread.told('heard')));
  return threads;
}

function recorded(name: string): Int16Array {
  const bytes = readFileSync(path(name));
  return new Int16Array(bytes.buffer, bytes.byteOffset + 44, (bytes.length - 44) >> 1);
}

test('two threads talk over real UDP, and stop with everything freed', async () => {
  const [a, b] = await call();
  a.media.send({ do: 'record', stream: 's', what: 'received', file: path('heard.wav') });
  // Real sound takes real time: a file of one second played to its end is the measure of it.
  b.media.send({ do: 'play file', file: path('b-hears.wav'), at: { stream: 's' }, id: 'f' });
  expect((await b.told('played')).why).toBeUndefined();
  a.media.send({ do: 'close', stream: 's' });
  expect((await a.told('closed')).statistics).toMatchObject({ codec: 'opus', malformedPackets: 0 });
  await Promise.all([a.media.stop(), a.media.stop(), b.media.stop()]);
  expect(a.events.at(-1)).toEqual({ is: 'stopped' });

  const heard = recorded('heard.wav');
  expect(heard.length).toBeGreaterThan(14_000);
  expect(Math.abs(decibels(toneLevel(heard.slice(4000, 12_000), 1000, 16_000) / 8000))).toBeLessThan(2);
});

test('a control thread that stands still is not heard', async () => {
  const [a, b] = await call();
  a.media.send({ do: 'record', stream: 's', what: 'received', file: path('heard.wav') });
  b.media.send({ do: 'play file', file: path('b-hears.wav'), at: 'here', id: 'f' });
  await b.told('played');
  const stallMs = 1500;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
  await Promise.all([a.media.stop(), b.media.stop()]);
  const heard = recorded('heard.wav');
  expect(heard.length / 16).toBeGreaterThan(stallMs);
  // Far below the stall; what the machine's other work costs this test's two sound cards is not the point.
  expect(longestGapMs(heard.subarray(3200), 16_000, 200)).toBeLessThan(stallMs / 3);
});

describe('on a clock moved by hand', () => {
  /** A thread with this entry, and the errors that are logged of it. */
  function withEntry(entry: string) {
    const clock = new VirtualClock();
    const logged: { event: string; fields: Fields | undefined }[] = [];
    let look = () => {};
    const log: Log = {
      ...silentLog,
      error(event, fields) {
        logged.push({ event, fields });
        look();
      },
    };
    const media = new MediaThread({ settings: settingsOf('a'), clock, log, entry: new URL(entry, import.meta.url) });
    /** Resolves once the thread has ended so many times. */
    const ended = (times: number) =>
      new Promise<void>(resolve => {
        look = () => logged.filter(({ event }) => event.includes('ended')).length >= times && resolve();
        look();
      });
    return { clock, logged, media, ended };
  }

  test('a thread that dies at once is started after 0.2, 0.4, 0.8 s …, and no more after stop', async () => {
    const { clock, logged, media, ended } = withEntry('./crashing-worker.ts');
    media.start();
    const waits: unknown[] = [];
    for (let times = 1; times <= 4; times++) {
      await ended(times);
      const { inMs } = logged.findLast(({ event }) => event.includes('ended'))!.fields!;
      waits.push(inMs);
      expect(clock.armed).toEqual(['media thread restart']);
      clock.advance(times === 4 ? 0 : Number(inMs));
    }
    expect(waits).toEqual([200, 400, 800, 1600]);
    await media.stop();
    expect(clock.armed).toEqual([]);
  });

  test('a thread that does not stop is ended by force after three seconds', async () => {
    const { clock, media } = withEntry('./deaf-worker.ts');
    media.start();
    const stopped = media.stop();
    clock.advance(3000);
    await stopped;
    expect(clock.armed).toEqual([]);
  });
});

const hall: PageZone = {
  name: 'hall',
  host: '127.0.0.1',
  // Nobody listens to it, wherever this runs.
  port: 9,
  format: 'rtp',
  soundPort: 34_567,
  codec: { name: 'PCMU', payloadType: 0, ptimeMs: 20 },
  ttl: 0,
  dscp: 0,
  gong: false,
  longestMs: 60_000,
  reports: false,
};

test('a thread that dies takes its streams, pages and recording with it, is started again and works', async () => {
  writeTone('a-hears.wav', 440);
  const thread = new Thread('a', {}, new URL('./dying-worker.ts', import.meta.url));
  thread.media.start();
  thread.media.send({ do: 'open', stream: 'first', host: '127.0.0.1' });
  await thread.told('opened');
  thread.media.send({ do: 'page', zone: hall, from: 'microphone', caller: 'a' });
  thread.media.send({ do: 'tap', what: 'microphone', file: path('tap.wav'), limitMs: 60_000 });
  expect(await thread.told('paged')).toMatchObject({ zone: 'hall', state: 'started' });
  thread.media.send({ do: 'play file', file: 'die', at: 'here', id: 'f' });
  expect(await thread.told('failed')).toMatchObject({ stream: 'first', why: 'the media thread has ended' });
  expect(await thread.told('played')).toMatchObject({ id: 'f', why: 'the media thread has ended' });
  const ended = await thread.toldWhere(event => event.is === 'paged' && event.state === 'ended');
  expect(ended).toMatchObject({ zone: 'hall', forMs: expect.any(Number), why: 'the media thread has ended' });
  expect(await thread.told('recorded')).toMatchObject({ file: path('tap.wav'), why: 'the media thread has ended' });
  thread.media.send({ do: 'open', stream: 'second', host: '127.0.0.1' });
  thread.media.send({ do: 'page', zone: { ...hall, name: 'yard' }, from: 'microphone', caller: 'a' });
  expect(await thread.toldWhere(event => event.is === 'paged' && event.zone === 'yard')).toMatchObject({
    state: 'ended',
    why: 'the media thread is down',
  });
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
