/** The whole device with real edges, a real relay line and a real sound card's driver, and a telephone beside it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { wavHeader } from '../../../hal/audio/wav.ts';
import { type Baresip, startBaresip } from '../../peers/support/baresip.ts';
import { Bench } from '../../peers/support/bench.ts';
import { HOST, type RunningDevice, startDevice } from '../../peers/support/device.ts';
import { type Hearing, hears, writeTone } from '../../peers/support/hearing.ts';
import { sendPage } from '../../peers/support/page.ts';
import { RATE } from '../../peers/support/sound-card.ts';
import { passes, until } from '../../peers/support/until.ts';
import { sine } from '../../sim/tone.ts';
import { LoopbackCard } from './loopback-card.ts';
import { LINE, PiHeader } from './pi-header.ts';

const VISITOR_HZ = 1100;
const DESK_HZ = 700;
const PAGE_HZ = 1000;
/** How long both sides speak. Seconds. */
const TALK_S = 3;
const SPOKEN_DB = -12;
const SPOKEN = 32_768 * 10 ** (SPOKEN_DB / 20);

const card = new LoopbackCard();
let bench: Bench;
let header: PiHeader;
let desk: Baresip;

beforeEach(async () => {
  bench = new Bench();
  header = new PiHeader();
  await card.start();
  const voice = join(bench.folder, 'desk.wav');
  writeTone(voice, { hz: DESK_HZ, levelDb: SPOKEN_DB, rate: 48_000, seconds: 30 });
  desk = await startBaresip(bench, 'desk', { codecs: ['PCMA/8000/1'], voice });
});
afterEach(async () => {
  await bench.stop();
  header.discard();
});

const device = (config: Record<string, unknown> = {}) =>
  startDevice(bench, {
    config: {
      board: { name: 'raspberry-pi-4' },
      // What keeps callers from hearing themselves takes steady tones for noise and echo; it has tests of its own.
      audio: {
        driver: 'alsa',
        capture: card.capture,
        playback: card.playback,
        echo: 'off',
        noiseSuppression: false,
        automaticGain: false,
      },
      sip: { accounts: { own: { uri: `sip:front@${HOST}`, register: false } } },
      contacts: { desk: { uri: `sip:desk@${HOST}:${desk.port}` } },
      buttons: {
        front: { input: 'button-1', press: 'call desk', led: 'led-1' },
        exit: { input: 'button-2', press: 'open main' },
      },
      media: { codecs: ['PCMA'] },
      ...config,
    },
  });

async function answered(front: RunningDevice) {
  await desk.event('CALL_INCOMING');
  await desk.command('accept');
  await front.event('call', 'answered');
  await desk.event('CALL_ESTABLISHED');
}

/** Both speak; answers what the visitor's ear heard. */
async function talk(): Promise<string> {
  card.speak(sine(VISITOR_HZ, SPOKEN, RATE, TALK_S + 2), RATE);
  return heardByVisitor(TALK_S);
}

async function heardByVisitor(seconds: number): Promise<string> {
  const samples = await card.listen(seconds, RATE);
  const file = join(bench.folder, 'visitor-heard.wav');
  writeFileSync(file, Buffer.concat([wavHeader(RATE, samples.byteLength), Buffer.from(samples.buffer)]));
  return file;
}

function expectTone({ seconds, levelDb, purityDb }: Hearing, leastSeconds: number) {
  expect(seconds).toBeGreaterThan(leastSeconds);
  expect(Math.abs(levelDb - SPOKEN_DB)).toBeLessThan(3);
  expect(purityDb).toBeGreaterThan(25);
}

test('a press calls, each hears the other, keys open the door, the relay line moves and rests, the desk hangs up', async () => {
  const front = await device();
  await header.press(LINE.button1);
  await front.event('button', 'pressed', { button: 'front' });
  expect(header.active(LINE.led1)).toBe(true);
  await answered(front);
  const heard = await talk();
  for (const key of '55#') await desk.command('sndcode', key);
  await front.event('door', 'unlocked', { door: 'main' });
  expect(header.active(LINE.relay1)).toBe(true);
  await front.event('door', 'locked', { door: 'main' });
  expect(header.active(LINE.relay1)).toBe(false);
  await desk.command('hangup');
  await front.event('call', 'ended', { by: 'them' });
  expectTone(hears(heard, DESK_HZ), 0.8 * TALK_S);
  expectTone(hears(desk.recording(), VISITOR_HZ), 0.6 * TALK_S);
  await front.stop();
  // Asked for at its safe level, moved once, back, let go at its safe level: nothing else, ever.
  expect(header.history(LINE.relay1).filter((level, i, all) => level !== all[i - 1])).toEqual([false, true, false]);
});

test('a page over multicast comes out of the loudspeaker', async () => {
  const group = { address: '239.255.42.42', port: 5_004 };
  const front = await device({ paging: { groups: { all: group } } });
  const [heard] = await Promise.all([heardByVisitor(TALK_S), sendPage({ ...group, hz: PAGE_HZ, seconds: TALK_S })]);
  await front.event('paging', 'page started', { group: 'all' });
  await front.event('paging', 'page ended', { group: 'all' });
  const { seconds, purityDb } = hears(heard, PAGE_HZ);
  expect(seconds).toBeGreaterThan(0.7 * TALK_S);
  expect(purityDb).toBeGreaterThan(25);
});

describe('buttons', () => {
  test('two at once do what each is for', async () => {
    const front = await device();
    header.hold(LINE.button1);
    header.hold(LINE.button2);
    await front.event('button', 'pressed', { button: 'front' });
    await front.event('button', 'pressed', { button: 'exit' });
    await front.event('door', 'unlocked', { door: 'main' });
    await desk.event('CALL_INCOMING');
    header.letGo(LINE.button1);
    header.letGo(LINE.button2);
    await front.event('door', 'locked', { door: 'main' });
    expect(pressesOf(front)).toBe(2);
  });

  test('one that bounces is pressed once', async () => {
    const front = await device();
    // With its interrupts the kernel's simulator cannot bounce faster than its tick.
    for (let times = 0; times < 8; times++) {
      header.hold(LINE.button1);
      await passes(12);
      header.letGo(LINE.button1);
      await passes(12);
    }
    expect(pressesOf(front)).toBe(0);
    header.hold(LINE.button1);
    await front.event('button', 'pressed', { button: 'front' });
    await desk.event('CALL_INCOMING');
    header.letGo(LINE.button1);
    await front.event('button', 'released', { button: 'front' });
    expect(pressesOf(front)).toBe(1);
  });

  test('one that is down when the device starts calls nobody, is told as stuck, and works once it is let go', async () => {
    header.hold(LINE.button1);
    const buttons = { front: { input: 'button-1', press: 'call desk', stuckAfter: '5 s' } };
    // In the simulator a resistor of the chip's is stronger than the finger that was there before.
    const board = { name: 'raspberry-pi-4', inputs: { 'button-1': { bias: 'disabled' } } };
    const front = await device({ board, buttons });
    await front.event('button', 'stuck', { button: 'front' });
    expect((await front.status()).call.state).toBe('idle');
    header.letGo(LINE.button1);
    await front.event('button', 'freed', { button: 'front' });
    await header.press(LINE.button1);
    await answered(front);
  });

  test('one that sticks in a call does not keep the other from working', async () => {
    const front = await device({
      buttons: {
        front: { input: 'button-1', press: 'call desk', stuckAfter: '5 s' },
        exit: { input: 'button-2', press: 'open main' },
      },
    });
    header.hold(LINE.button1);
    await answered(front);
    await front.event('button', 'stuck', { button: 'front' });
    await header.press(LINE.button2);
    await front.event('door', 'unlocked', { door: 'main' });
    expect((await front.status()).call.state).toBe('talking');
  });
});

const pressesOf = (front: RunningDevice) =>
  front.events.filter(({ source, type }) => source === 'button' && type === 'pressed').length;

test('a sound card that is pulled out in a call and put back is heard again, and the call goes on', async () => {
  const front = await device();
  await header.press(LINE.button1);
  await answered(front);
  await card.pull();
  await until('the sound is down', async () => (await front.status()).audio.state === 'down');
  await passes(2_000);
  expect((await front.status()).call.state).toBe('talking');
  await card.start();
  await until('the sound is up', async () => (await front.status()).audio.state === 'up');
  const heard = await talk();
  await desk.command('hangup');
  await front.event('call', 'ended', { by: 'them' });
  expectTone(hears(heard, DESK_HZ), 0.8 * TALK_S);
  expectTone(hears(desk.recording(), VISITOR_HZ), 0.6 * TALK_S);
});
