/** Xiph's own opusenc and opusdec: what they write is played as they play it, and what is written here they play. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadLibopus } from '../../firmware/audio/codecs/libopus.ts';
import { loadOpusWasm } from '../../firmware/audio/codecs/opus-wasm.ts';
import { parseSound } from '../../firmware/audio/ogg-opus.ts';
import { isBadWav } from '../../firmware/audio/wav.ts';
import { parseWav, wavHeader } from '../../hal/audio/wav.ts';
import { oggOpusFile } from '../sim/ogg-opus-file.ts';
import { speechOf } from '../sim/room.ts';

const RATE = 16_000;
/** The one rate at which nothing is converted on either side. */
const DECODED_RATE = 48_000;
/** Samples decoded for one spoken. */
const TIMES = DECODED_RATE / RATE;
const folder = mkdtempSync(join(tmpdir(), 'porter-opus-'));
afterAll(() => rmSync(folder, { recursive: true }));

const speech = speechOf('visitor').subarray(0, 4 * RATE);
const wav = join(folder, 'speech.wav');
writeFileSync(
  wav,
  Buffer.concat([wavHeader(RATE, speech.byteLength), Buffer.from(new Uint8Array(speech.slice().buffer))]),
);

const run = (tool: 'opusenc' | 'opusdec', ...options: string[]) =>
  execFileSync(tool, ['--quiet', ...options], { stdio: ['ignore', 'ignore', 'pipe'] });

function theirsOf(file: string): Int16Array {
  const decoded = `${file}.wav`;
  run('opusdec', '--rate', String(DECODED_RATE), '--no-dither', file, decoded);
  return parseWav(readFileSync(decoded), decoded).samples;
}

async function oursOf(file: string, library: 'libopus' | 'wasm'): Promise<Int16Array> {
  const opus = library === 'libopus' ? loadLibopus(DECODED_RATE) : await loadOpusWasm(DECODED_RATE);
  const sound = parseSound(readFileSync(file), opus);
  if (isBadWav(sound)) throw new Error(sound.malformed);
  const samples = new Int16Array(sound.length);
  for (let at = 0; at < samples.length; at += 160)
    sound.read(at, Math.min(160, samples.length - at), samples.subarray(at));
  sound.close?.();
  return samples;
}

/** One against the other, decibels; opusdec turns floats into integers, so a bit of each sample differs. */
function likeness(a: Int16Array, b: Int16Array): number {
  let [signal, error] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    signal += a[at]! ** 2;
    error += (a[at]! - b[at]!) ** 2;
  }
  return 10 * Math.log10(signal / Math.max(1, error));
}

const LEAST_LIKENESS_DB = 40;

describe.each(['libopus', 'wasm'] as const)('what opusenc writes is played as opusdec plays it, by %s', library => {
  test.each([
    ['as it comes', []],
    ['packets of 2.5 ms', ['--framesize', '2.5']],
    ['packets of 10 ms', ['--framesize', '10']],
    ['packets of 60 ms', ['--framesize', '60']],
    ['6 kbit/s', ['--bitrate', '6']],
    ['128 kbit/s, always as many', ['--bitrate', '128', '--hard-cbr']],
    ['with comments and a picture’s worth of padding', ['--comment', 'TITLE=Gong', '--padding', '70000']],
    ['pages of one packet', ['--max-delay', '0']],
  ])('%s', async (_, options) => {
    const file = join(folder, `theirs-${library}.opus`);
    run('opusenc', ...options, wav, file);
    const [ours, theirs] = [await oursOf(file, library), theirsOf(file)];
    expect(Math.abs(ours.length - TIMES * speech.length)).toBeLessThanOrEqual(TIMES);
    expect(theirs.length).toBe(ours.length);
    expect(likeness(theirs, ours)).toBeGreaterThan(LEAST_LIKENESS_DB);
  });
});

test.each([10, 20, 60])('what is written here in packets of %s ms, opusdec plays', packetMs => {
  const file = join(folder, `ours-${packetMs}.opus`);
  writeFileSync(file, oggOpusFile(loadLibopus(RATE)!, speech, packetMs));
  const theirs = theirsOf(file);
  expect(theirs.length).toBe(TIMES * speech.length);
  let energy = 0;
  for (const sample of theirs) energy += sample ** 2;
  const whole = speech.reduce((sum, sample) => sum + sample ** 2, 0);
  expect(Math.abs(10 * Math.log10(energy / whole / TIMES))).toBeLessThan(1);
});
