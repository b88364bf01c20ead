/**
 * ALSA by the packages `alsa-capture` and `speaker`, in a child process (packages-child.ts) that is watched and restarted.
 * For boards without libasound's own path; half a second of delay lies in `speaker`, so the driver `alsa` is better.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type {
  AudioCounters,
  AudioDevice,
  AudioFormat,
  AudioProcess,
  AudioSpec,
  AudioStatus,
  CardGain,
  Clock,
  HalErrorCode,
} from '../contracts.ts';
import { audioFormat, noCounts } from './format.ts';
import { FRAME_MS, Pacer } from './pace.ts';
import type { ChildEvent, ChildSettings } from './packages-child.ts';

/** A child that has sent nothing for so long is killed. */
const NO_DATA_MS = 1000;
/** The first frame may take longer: the child has to start Node and open the card. */
const START_MS = 5000;
/** A second's sound in less than half a second is the endless loop of a lost card. */
const MAX_SPEED = 2;
/** `speaker` leaks with each write; at this size the child is replaced. An empty one has about 70 MB. */
const MAX_CHILD_BYTES = 256 * 2 ** 20;
const WATCH_MS = 250;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 2000;
/** With 10 ms `alsa-capture` loses samples several times a second, with 20 seldom. */
const SHORTEST_PERIOD_MS = 20;
/** What waits in the pipe to the child; more is dropped. Milliseconds. */
const MAX_UNSENT_MS = 200;
const MAX_EVENT_LINE_BYTES = 4096;
/** `speaker` asks ALSA for half a second of buffer and offers no choice. Milliseconds. */
const SPEAKER_BUFFER_MS = 500;

/** Started as TypeScript from the tree, and as JavaScript beside a bundle. */
const CHILD = fileURLToPath(
  new URL(`./packages-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

export interface PackagesAudioOptions {
  spec: AudioSpec;
  clock: Clock;
  /** What is run with the settings as its one argument. */
  child?: string;
}

export class PackagesAudio implements AudioDevice {
  readonly driver = 'packages';
  readonly format: AudioFormat;
  readonly counters: AudioCounters = noCounts();
  readonly #spec: AudioSpec;
  readonly #clock: Clock;
  readonly #childFile: string;
  readonly #silentPace: Pacer;
  readonly #captured: Int16Array;
  readonly #capturedBytes: Buffer;
  readonly #toPlay: Int16Array;
  /** The package plays mono: nobody hears it. */
  readonly #lineOut: Int16Array;
  #process: AudioProcess = () => {};
  #onStatus: (status: AudioStatus) => void = () => {};
  #child: ChildProcess | undefined;
  /** Killed, and not yet gone. */
  readonly #ending = new Set<ChildProcess>();
  #filled = 0;
  #up = false;
  #everUp = false;
  #said = '';
  #retryMs = FIRST_RETRY_MS;
  #startedMs = 0;
  #lastDataMs = 0;
  /** Frames in the second that began at `windowMs`. */
  #windowFrames = 0;
  #windowMs = 0;
  #cancel: () => void = () => {};

  /** Throws HalError `unsupported` for a rate that no card has. */
  constructor({ spec, clock, child = CHILD }: PackagesAudioOptions) {
    this.#spec = spec;
    this.#clock = clock;
    this.#childFile = child;
    this.format = audioFormat(spec.rate);
    this.#captured = new Int16Array(this.format.frameSamples);
    this.#capturedBytes = Buffer.from(this.#captured.buffer);
    this.#toPlay = new Int16Array(this.format.frameSamples);
    this.#lineOut = new Int16Array(this.format.frameSamples);
    this.#silentPace = new Pacer(clock, () => {
      this.counters.silentFrames++;
      this.#captured.fill(0);
      this.#frame();
    });
  }

  start(process: AudioProcess, onStatus: (status: AudioStatus) => void) {
    this.#process = process;
    this.#onStatus = onStatus;
    this.#silentPace.start();
    this.#spawn();
  }

  async stop() {
    this.#cancel();
    this.#cancel = () => {};
    this.#silentPace.stop();
    this.#process = () => {};
    this.#onStatus = () => {};
    this.#kill();
    await Promise.all([...this.#ending].map(child => once(child, 'close')));
  }

  setGain(): CardGain {
    return { faults: [] };
  }

  playbackDelayMs() {
    return SPEAKER_BUFFER_MS + FRAME_MS;
  }

  /** The child's process id, or undefined while there is none. */
  get childPid() {
    return this.#child?.pid;
  }

  #spawn() {
    const { capture, playback, rate } = this.#spec;
    const settings: ChildSettings = { capture, playback, rate, periodFrames: (rate * this.#periodMs()) / 1000 };
    const child = spawn(process.execPath, [this.#childFile, JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#filled = 0;
    this.#startedMs = this.#clock.now();
    this.#lastDataMs = this.#startedMs;
    this.#windowMs = this.#startedMs;
    this.#windowFrames = 0;
    const mine = (task: () => void) => () => this.#child === child && task();
    child.once('error', error => mine(() => this.#fail(`the sound process does not start: ${error.message}`))());
    child.once('exit', (code, signal) =>
      mine(() => this.#fail(`the sound process ended by ${signal ?? `exit code ${code}`}`))(),
    );
    child.stdin?.on('error', () => {});
    child.stdout?.on('data', (chunk: Buffer) => mine(() => this.#heard(chunk))());
    this.#readEvents(child);
    this.#cancel = this.#clock.after(WATCH_MS, () => this.#watch(), 'sound process');
  }

  #periodMs() {
    return Math.max(SHORTEST_PERIOD_MS, this.#spec.periodMs);
  }

  #readEvents(child: ChildProcess) {
    let text = '';
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      const lines = (text + chunk).split('\n');
      text = (lines.pop() ?? '').slice(0, MAX_EVENT_LINE_BYTES);
      for (const line of lines) if (this.#child === child) this.#hasEvent(line);
    });
    child.stdio[3]?.on('error', () => {});
  }

  #hasEvent(line: string) {
    const event = parseEvent(line);
    if (event.event === 'failed') return this.#fail(event.why, event.code);
    this.counters.xruns++;
    this.#onStatus({ is: 'xrun', side: event.side });
  }

  #watch() {
    this.#cancel = this.#clock.after(WATCH_MS, () => this.#watch(), 'sound process');
    const nowMs = this.#clock.now();
    const patienceMs = this.#up ? NO_DATA_MS : START_MS;
    if (nowMs - this.#lastDataMs > patienceMs)
      return this.#fail(`capture ${this.#spec.capture}: no data for ${patienceMs / 1000} s`);
    if (this.#childBytes() > MAX_CHILD_BYTES)
      this.#fail(`the sound process has grown over ${MAX_CHILD_BYTES / 2 ** 20} MB`);
  }

  /** Resident memory as the kernel counts it; 0 when the child has just ended. */
  #childBytes() {
    try {
      const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }

  #heard(chunk: Buffer) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(this.#capturedBytes, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled < this.#capturedBytes.length) return;
      this.#filled = 0;
      if (!this.#heardFrame()) return;
    }
  }

  /** False when the child is gone, or has to go. */
  #heardFrame(): boolean {
    const nowMs = this.#clock.now();
    this.#lastDataMs = nowMs;
    if (nowMs - this.#windowMs > 1000) {
      this.#windowMs = nowMs;
      this.#windowFrames = 0;
    }
    if (++this.#windowFrames > (MAX_SPEED * 1000) / FRAME_MS) {
      this.#fail(`capture ${this.#spec.capture}: sound faster than time`);
      return false;
    }
    this.#hasData();
    this.#frame();
    const child = this.#child;
    if (child?.stdin == null) return false;
    const unsent = (this.format.rate * 2 * MAX_UNSENT_MS) / 1000;
    if (child.stdin.writableLength <= unsent) child.stdin.write(Buffer.from(this.#toPlay.slice().buffer));
    else this.counters.driftSamples += this.format.frameSamples;
    return true;
  }

  #hasData() {
    if (this.#up) return;
    this.#up = true;
    this.#said = '';
    this.#silentPace.stop();
    if (this.#everUp) this.counters.reopened++;
    this.#everUp = true;
    const { capture, playback } = this.#spec;
    const periodMs = this.#periodMs();
    this.#onStatus({ is: 'up', capture, playback, format: this.format, periodMs, bufferMs: SPEAKER_BUFFER_MS });
  }

  #fail(why: string, code: HalErrorCode = 'io') {
    // A child that has lived a while earns a quick restart; one that dies at once waits longer each time.
    if (this.#clock.now() - this.#startedMs > LAST_RETRY_MS * 2) this.#retryMs = FIRST_RETRY_MS;
    this.#cancel();
    this.#up = false;
    this.#kill();
    this.#silentPace.start();
    this.#cancel = this.#clock.after(this.#retryMs, () => this.#spawn(), 'start sound process');
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    if (why === this.#said) return;
    this.#said = why;
    this.#onStatus({ is: 'down', why, code });
  }

  #kill() {
    const child = this.#child;
    this.#child = undefined;
    // One that could not be started has no id, and no end to wait for.
    if (child?.pid === undefined) return;
    this.#ending.add(child);
    child.once('close', () => this.#ending.delete(child));
    child.kill('SIGKILL');
  }

  #frame() {
    this.counters.frames++;
    this.#toPlay.fill(0);
    this.#lineOut.fill(0);
    this.#process(this.#captured, this.#toPlay, this.#lineOut);
  }
}

/** A native library that writes where it should not is one more fault of the child. */
function parseEvent(line: string): ChildEvent {
  try {
    return JSON.parse(line) as ChildEvent;
  } catch {
    return { event: 'failed', code: 'io', why: 'the sound process speaks nonsense' };
  }
}
