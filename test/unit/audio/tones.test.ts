import { describe, expect, test } from 'vitest';
import { rms } from '../../../firmware/audio/frame.ts';
import { type Country, countries, type Tone, ToneGenerator, toneOf } from '../../../firmware/audio/tones.ts';
import { largestStep, toneLevel } from '../../sim/tone.ts';

const RATE = 16_000;

function play(tone: Tone, country: string, seconds: number): { sound: Int16Array; lastedMs: number } {
  const generator = new ToneGenerator(toneOf(tone, country), RATE);
  const sound = new Int16Array(RATE * seconds);
  let lastedMs = 0;
  for (let at = 0; at < sound.length; at += 160) {
    if (generator.read(sound.subarray(at, at + 160))) lastedMs += 10;
  }
  return { sound, lastedMs };
}

/** When sound begins and ends, in milliseconds. A tone that swells is loud enough within 3 ms of its edge. */
function cadenceOf(sound: Int16Array): number[] {
  const block = RATE / 1000;
  const changes: number[] = [];
  let on = false;
  let quietMs = 0;
  for (let at = 0; at < sound.length; at += block) {
    quietMs = rms(sound, at, block) > 60 ? 0 : quietMs + 1;
    // A modulated tone is faint for some milliseconds at a time.
    const now: boolean = quietMs === 0 || (on && quietMs < 15);
    if (now !== on) changes.push((at * 1000) / RATE - (now ? 0 : quietMs - 1));
    on = now;
  }
  return changes;
}

/** As the administrations print them: `Hz+Hz/ms,0/ms`; `~` is modulated, without a time it goes on. */
const printed: Record<Country, Record<'dial' | 'ringback' | 'busy' | 'congestion' | 'waiting', string>> = {
  eu: row('425', '425/1000,0/4000', '425/500,0/500', '425/250,0/250', '425/200,0/200,425/200,0/9000'),
  at: row('420', '420/1000,0/5000', '420/400,0/400', '420/200,0/200', '420/40,0/1960'),
  au: row(
    '413+438',
    '413+438/400,0/200,413+438/400,0/2000',
    '425/375,0/375',
    '425/375,0/375',
    '425/200,0/200,425/200,0/4400',
  ),
  be: row('425', '425/1000,0/3000', '425/500,0/500', '425/167,0/167', '1400/175,0/175,1400/175,0/3500'),
  br: row('425', '425/1000,0/4000', '425/250,0/250', '425/250,0/250,425/750,0/250', '425/50,0/1000'),
  ca: row('350+440', '440+480/2000,0/4000', '480+620/500,0/500', '480+620/250,0/250', '440/300,0/9700'),
  ch: row('425', '425/1000,0/4000', '425/500,0/500', '425/200,0/200', '425/200,0/200,425/200,0/4000'),
  cn: row('450', '450/1000,0/4000', '450/350,0/350', '450/700,0/700', '450/400,0/4000'),
  cz: row('425/330,0/330,425/660,0/660', '425/1000,0/4000', '425/330,0/330', '425/165,0/165', '425/330,0/9000'),
  de: row('425', '425/1000,0/4000', '425/480,0/480', '425/240,0/240', '425/200,0/200,425/200,0/5000'),
  dk: row('425', '425/1000,0/4000', '425/500,0/500', '425/200,0/200', '425/200,0/600,425/200,0/3000'),
  es: row(
    '425',
    '425/1500,0/3000',
    '425/200,0/200',
    '425/200,0/200,425/200,0/200,425/200,0/600',
    '425/175,0/175,425/175,0/3500',
  ),
  fi: row('425', '425/1000,0/4000', '425/300,0/300', '425/200,0/200', '425/150,0/150,425/150,0/8000'),
  fr: row('440', '440/1500,0/3500', '440/500,0/500', '440/250,0/250', '440/300,0/10000'),
  gb: row(
    '350+440',
    '400+450/400,0/200,400+450/400,0/2000',
    '400/375,0/375',
    '400/400,0/350,400/225,0/525',
    '400/100,0/3000',
  ),
  in: row('~400', '~400/400,0/200,~400/400,0/2000', '400/750,0/750', '400/250,0/250', '400/200,0/100,400/200,0/7500'),
  it: row(
    '425/200,0/200,425/600,0/1000',
    '425/1000,0/4000',
    '425/500,0/500',
    '425/200,0/200',
    '425/400,0/100,425/250,0/100,425/150,0/14000',
  ),
  jp: row('400', '~400/1000,0/2000', '400/500,0/500', '400/500,0/500', '~400/500,0/8000'),
  nl: row('425', '425/1000,0/4000', '425/500,0/500', '425/250,0/250', '425/500,0/9500'),
  no: row('425', '425/1000,0/4000', '425/500,0/500', '425/200,0/200', '425/200,0/600,425/200,0/10000'),
  nz: row('400', '400+450/400,0/200,400+450/400,0/2000', '400/500,0/500', '400/250,0/250', '400/200,0/3000'),
  pl: row('425', '425/1000,0/4000', '425/500,0/500', '425/500,0/500', '425/150,0/150,425/150,0/4000'),
  se: row('425', '425/1000,0/5000', '425/250,0/250', '425/250,0/750', '425/200,0/500,425/200,0/9100'),
  uk: row(
    '350+440',
    '400+450/400,0/200,400+450/400,0/2000',
    '400/375,0/375',
    '400/400,0/350,400/225,0/525',
    '400/100,0/3000',
  ),
  us: row('350+440', '440+480/2000,0/4000', '480+620/500,0/500', '480+620/250,0/250', '440/300,0/9700'),
};

function row(dial: string, ringback: string, busy: string, congestion: string, waiting: string) {
  return { dial, ringback, busy, congestion, waiting };
}

/** Frequencies, and the changes of the first two rounds in milliseconds. */
function read(text: string): { hz: number[]; changes: number[] } {
  const parts = text.split(',').map(part => part.split('/'));
  const hz = parts[0]![0]!.replace('~', '').split('+').map(Number);
  const changes: number[] = [0];
  for (const [, ms] of [...parts, ...parts]) if (ms !== undefined) changes.push(changes.at(-1)! + Number(ms));
  return { hz, changes: changes.slice(0, -1) };
}

describe.each(countries)('the tones of %s are those of ITU-T E.180 Supplement 2', country => {
  test.each(Object.entries(printed[country]) as [Tone, string][])('%s: %s', (tone, text) => {
    const { hz, changes } = read(text);
    const { sound } = play(tone, country, 31);
    const measured = cadenceOf(sound).slice(0, changes.length || undefined);
    expect(measured).toHaveLength(changes.length || 1);
    // The swell at each edge is quieter than the ear is quick.
    for (const [index, ms] of changes.entries()) expect(Math.abs(measured[index]! - ms)).toBeLessThanOrEqual(3);
    const first = sound.subarray(RATE / 100, (RATE * ((changes[1] ?? 1000) - 10)) / 1000);
    for (const each of hz) expect(toneLevel(first, each, RATE)).toBeGreaterThan(3000);
    // Long enough to tell frequencies apart that are 20 Hz from each other: nothing there.
    if (first.length < RATE / 5 || text.startsWith('~')) return;
    for (const other of [hz[0]! - 20, hz.at(-1)! + 20]) expect(toneLevel(first, other, RATE)).toBeLessThan(400);
  });
});

test('a steady tone goes on from second to second without a click', () => {
  for (const country of countries) {
    const { sound } = play('dial', country, 3);
    if (cadenceOf(sound).length > 1) continue;
    expect(largestStep(sound), country).toBeLessThan(1500);
  }
});

test.each(['ring', 'answered', 'page', 'refused', 'hangup', 'ringback'] as const)('%s has no click', tone => {
  // A step as large as half the loudest sound itself would be one; the steepest slope of these tones is far less.
  const { sound } = play(tone, 'eu', 3);
  expect(largestStep(sound)).toBeLessThan(12_000);
  expect(Math.abs(sound[0]!)).toBeLessThan(300);
});

test.each([
  ['answered', 250],
  ['page', 800],
  ['refused', 770],
  ['hangup', 330],
] as const)('%s ends by itself after %i ms', (tone, ms) => {
  expect(play(tone, 'eu', 3).lastedMs).toBe(ms);
});

test.each(['ring', 'dial', 'ringback', 'busy', 'congestion', 'waiting'] as const)(
  '%s goes on until it is stopped',
  tone => {
    expect(play(tone, 'us', 30).lastedMs).toBe(30_000);
  },
);

test('a country without a table has European tones', () => {
  expect(toneOf('busy', 'atlantis')).toBe(toneOf('busy', 'eu'));
  expect(toneOf('busy', 'constructor')).toBe(toneOf('busy', 'eu'));
});

test('every country has every tone, at 8 to 48 kHz, below full scale', () => {
  const tones: Tone[] = [
    'dial',
    'waiting',
    'ringback',
    'busy',
    'congestion',
    'ring',
    'answered',
    'page',
    'refused',
    'hangup',
  ];
  for (const country of countries) {
    for (const tone of tones) {
      for (const rate of [8000, 48_000]) {
        const frame = new Int16Array(rate / 100);
        expect(new ToneGenerator(toneOf(tone, country), rate).read(frame)).toBe(true);
        expect(rms(frame)).toBeGreaterThan(500);
        expect(Math.max(...frame)).toBeLessThan(20_000);
      }
    }
  }
});
