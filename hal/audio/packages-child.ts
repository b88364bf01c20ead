/**
 * The process that owns `alsa-capture` and `speaker`, which hang, leak, abort and spin: the parent kills it when they do.
 * Standard input is what to play and standard output what was heard, 16-bit mono; file 3 carries a JSON line per event.
 */
import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import type { HalErrorCode } from '../contracts.ts';

export interface ChildSettings {
  capture: string;
  playback: string;
  rate: number;
  periodFrames: number;
}

/** Lines on file 3. */
export type ChildEvent =
  | { event: 'xrun'; side: 'capture' | 'playback' }
  | { event: 'failed'; code: HalErrorCode; why: string };

/** The parts of the packages that are used. */
interface AlsaCapture {
  on(event: 'audio', listener: (samples: Buffer) => void): void;
  on(event: 'overrun', listener: () => void): void;
  on(event: 'readError' | 'error' | 'rateDeviating', listener: (what: unknown) => void): void;
}
type CaptureConstructor = new (options: Record<string, unknown>) => AlsaCapture;
interface Speaker extends NodeJS.WritableStream {
  readonly writableLength: number;
}
type SpeakerConstructor = new (options: Record<string, unknown>) => Speaker;

/** What waits for the loudspeaker beyond `speaker`'s own half second; more is dropped. Milliseconds. */
const MAX_WAITING_MS = 100;
/** One write a frame would leak and cost the most: `speaker` holds half a second anyway. Milliseconds. */
const WRITE_MS = 40;
/** The package reports rounding too: 15,999 Hz is 16 kHz. */
const MAX_RATE_ERROR_HZ = 10;
const BYTES_PER_SAMPLE = 2;

const settings = JSON.parse(process.argv[2] ?? '{}') as ChildSettings;
const events = createWriteStream('', { fd: 3 });
const tell = (event: ChildEvent, done?: () => void) => events.write(`${JSON.stringify(event)}\n`, done);
const bytesOf = (ms: number) => ((settings.rate * ms) / 1000) * BYTES_PER_SAMPLE;

/** A broken card reports overruns as fast as it can: one in so long is told. Milliseconds. */
const XRUN_REST_MS = 100;
let lastXrunMs = 0;

function xrun(side: 'capture' | 'playback') {
  if (performance.now() - lastXrunMs < XRUN_REST_MS) return;
  lastXrunMs = performance.now();
  tell({ event: 'xrun', side });
}

/** `process.exit` hangs while a capture is open. */
function fail(why: string, code: HalErrorCode = 'io') {
  tell({ event: 'failed', code, why }, () => process.kill(process.pid, 'SIGKILL'));
}

function load<T>(name: string): T | undefined {
  try {
    return createRequire(import.meta.url)(name) as T;
  } catch {
    fail(`the package ${name} is not built for this machine: run scripts/native`, 'unsupported');
    return undefined;
  }
}

function hear(Capture: CaptureConstructor) {
  const { capture: device, rate, periodFrames } = settings;
  const capture = new Capture({ channels: 1, device, format: 'S16_LE', periodSize: periodFrames, rate, debug: false });
  capture.on('audio', samples => process.stdout.write(samples));
  capture.on('overrun', () => xrun('capture'));
  // After a read error the package repeats the last buffer for ever, as fast as it can.
  capture.on('readError', what => fail(`capture ${device}: ${what}`));
  capture.on('error', what => fail(`capture ${device}: ${what instanceof Error ? what.message : what}`));
  capture.on('rateDeviating', actual => {
    if (Math.abs(Number(actual) - rate) > MAX_RATE_ERROR_HZ) {
      fail(`capture ${device} has no rate of ${rate} Hz, only ${actual}; name it with plughw:`, 'unsupported');
    }
  });
}

function speak(Speaker: SpeakerConstructor) {
  const { playback: device, rate } = settings;
  const speaker = new Speaker({ channels: 1, bitDepth: 16, sampleRate: rate, signed: true, device });
  speaker.on('error', error => fail(`playback ${device}: ${error.message}`));
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  process.stdin.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes < bytesOf(WRITE_MS)) return;
    if (speaker.writableLength <= bytesOf(MAX_WAITING_MS)) speaker.write(Buffer.concat(waiting));
    else xrun('playback');
    waiting = [];
    waitingBytes = 0;
  });
}

process.stdin.once('end', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.once('error', () => process.kill(process.pid, 'SIGKILL'));
process.stdout.once('error', () => process.kill(process.pid, 'SIGKILL'));

const Capture = load<CaptureConstructor>('alsa-capture');
const Speaker = load<SpeakerConstructor>('speaker');
if (Capture !== undefined && Speaker !== undefined) {
  hear(Capture);
  speak(Speaker);
}
