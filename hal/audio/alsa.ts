/**
 * ALSA cards on the event loop of the media thread: short timers look what the microphone has, nothing ever blocks.
 * (snd_pcm_wait in libuv's pool was measured too: a sound server's plug-in wakes it thousands of times a second, for
 * three times the CPU; and a card that hangs would keep a pool thread.)
 *
 *   closed ── open ──▶ opened ── first data ──▶ up
 *     ▲                  │                      │
 *     └── 0.2 s, then 0.3 s ◀── error, or no data for 1 s
 *
 * A side that cannot be opened is stood in for, and looked for every 0.3 s: a loudspeaker needs no microphone.
 * In all states frames go on at their pace: of silence from the clock whenever the card gives none.
 */
import type {
  AudioCounters,
  AudioDevice,
  AudioFormat,
  AudioProcess,
  AudioSpec,
  AudioStatus,
  CardGain,
  Clock,
} from '../contracts.ts';
import { HalError } from '../contracts.ts';
import type { OpenPcm } from './alsa-library.ts';
import { loadAlsa } from './alsa-library.ts';
import { setCardGain } from './card-gain.ts';
import { Duplex } from './duplex.ts';
import { audioFormat, noCounts } from './format.ts';
import { loadMixer, type OpenMixer } from './mixer-library.ts';
import { FRAME_MS, Pacer } from './pace.ts';
import { openSides, type Sides } from './sides.ts';

/** A card that has given nothing for so long is taken for dead and opened again. */
const NO_DATA_MS = 1000;
/** After so long without data, frames of silence stand in. Longer than any healthy card's hesitation. */
const STALL_MS = 60;
const FIRST_RETRY_MS = 200;
/** A card that comes back is heard at both ends within half a second, whatever the network and the far end add. */
const LAST_RETRY_MS = 300;
/** A card that worked so long is opened again at once when it fails. */
const WELL_AFTER_MS = 1000;
/** A card reports its position in steps; asking again sooner than this would only burn power. */
const SHORTEST_WAIT_MS = 2;

export interface AlsaAudioOptions {
  spec: AudioSpec;
  clock: Clock;
  /** Finds the library; called until it is found. */
  load?: () => OpenPcm;
  mixer?: () => OpenMixer;
}

export class AlsaAudio implements AudioDevice {
  readonly driver = 'alsa';
  readonly format: AudioFormat;
  readonly counters: AudioCounters = noCounts();
  readonly #spec: AudioSpec;
  readonly #clock: Clock;
  readonly #load: () => OpenPcm;
  readonly #openMixer: OpenMixer;
  readonly #silentPace: Pacer;
  readonly #nothingHeard: Int16Array;
  readonly #nobodyHears: Int16Array;
  readonly #nobodysLine: Int16Array;
  readonly #countedProcess: AudioProcess;
  #process: AudioProcess = () => {};
  #onStatus: (status: AudioStatus) => void = () => {};
  #openPcm: OpenPcm | undefined;
  #duplex: Duplex | undefined;
  #up = false;
  #everUp = false;
  #said = '';
  #retryMs = FIRST_RETRY_MS;
  #openedMs = 0;
  #lastDataMs = 0;
  /** The instant up to which frames have been given. */
  #pacedMs = 0;
  /** Frames of silence were given since the last data. */
  #standingIn = false;
  #cancel: () => void = () => {};
  #cancelSeek: () => void = () => {};
  #missing: Sides['missing'];

  /** Throws HalError `unsupported` for a rate that no card has. */
  constructor({ spec, clock, load = loadAlsa, mixer = loadMixer }: AlsaAudioOptions) {
    this.#spec = spec;
    this.#clock = clock;
    this.#load = load;
    let loaded: OpenMixer | undefined;
    this.#openMixer = card => {
      loaded ??= mixer();
      return loaded(card);
    };
    this.format = audioFormat(spec.rate);
    this.#nothingHeard = new Int16Array(this.format.frameSamples);
    this.#nobodyHears = new Int16Array(this.format.frameSamples);
    this.#nobodysLine = new Int16Array(this.format.frameSamples);
    this.#silentPace = new Pacer(clock, () => this.#silentFrame());
    this.#countedProcess = (captured, toPlay, lineOut) => {
      this.counters.frames++;
      this.#process(captured, toPlay, lineOut);
    };
  }

  start(process: AudioProcess, onStatus: (status: AudioStatus) => void) {
    this.#process = process;
    this.#onStatus = onStatus;
    this.#open();
  }

  stop() {
    this.#close();
    this.#silentPace.stop();
    this.#onStatus = () => {};
    this.#process = () => {};
    return Promise.resolve();
  }

  playbackDelayMs() {
    return this.#duplex?.playbackDelayMs ?? this.#spec.bufferMs / 2;
  }

  heardInMs() {
    return this.#duplex?.heardInMs() ?? this.playbackDelayMs();
  }

  setGain(loudspeakerDb: number, microphoneDb: number): CardGain {
    if (this.#duplex === undefined || this.#spec.mixer?.off) return { faults: [] };
    return setCardGain(this.#openMixer, this.#spec, this.#duplex.cards, { loudspeakerDb, microphoneDb });
  }

  #open() {
    try {
      this.#openPcm ??= this.#load();
      const sides = openSides(this.#openPcm, this.#spec, this.format, this.#clock);
      this.#missing = sides.missing;
      this.#duplex = new Duplex({
        sides,
        spec: this.#spec,
        format: this.format,
        counters: this.counters,
        onXrun: side => this.#onStatus({ is: 'xrun', side }),
      });
      this.#duplex.begin();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#silentPace.stop();
    this.#standingIn = false;
    this.#openedMs = this.#lastDataMs = this.#pacedMs = this.#clock.now();
    this.#arm(this.#duplex.waitMs);
    if (this.#missing !== undefined) this.#seekLater();
  }

  /** Looks for the side that is away, without a sound from the other. */
  #seekLater() {
    this.#cancelSeek = this.#clock.after(this.#retryMs, () => this.#seek(), 'look for half a sound card');
    this.#retryMs = LAST_RETRY_MS;
  }

  #seek() {
    const side = this.#missing?.side;
    if (side === undefined || this.#openPcm === undefined) return;
    const shape = { rate: this.format.rate, periodFrames: this.format.frameSamples, stereo: false };
    const frames = 4 * this.format.frameSamples;
    try {
      this.#openPcm({ ...shape, name: this.#spec[side], side, bufferFrames: frames, startFrames: frames }).close();
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      return this.#seekLater();
    }
    this.#close();
    this.#open();
  }

  #close() {
    this.#cancel();
    this.#cancelSeek();
    this.#duplex?.close();
    this.#duplex = undefined;
    this.#up = false;
  }

  #arm(waitMs: number) {
    this.#cancel = this.#clock.after(Math.max(SHORTEST_WAIT_MS, waitMs), () => this.#look(), 'sound card');
  }

  #look() {
    const duplex = this.#duplex;
    if (duplex === undefined) return;
    try {
      if (this.#standingIn) duplex.skipStale();
      const frames = duplex.run(this.#countedProcess);
      const nowMs = this.#clock.now();
      if (frames > 0) this.#hasData(duplex, nowMs);
      else if (nowMs - this.#lastDataMs > NO_DATA_MS) {
        throw new HalError('io', `capture ${this.#spec.capture}: no data for ${NO_DATA_MS / 1000} s`);
      }
      while (nowMs - this.#pacedMs > STALL_MS) {
        this.#pacedMs += FRAME_MS;
        this.#standingIn = true;
        this.#silentFrame();
      }
      // Stopped by a frame.
      if (this.#duplex === duplex) this.#arm(duplex.waitMs);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#fail(error);
    }
  }

  #hasData(duplex: Duplex, nowMs: number) {
    this.#lastDataMs = nowMs;
    this.#pacedMs = nowMs;
    this.#standingIn = false;
    if (this.#up) return;
    this.#up = true;
    this.#said = '';
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#everUp) this.counters.reopened++;
    this.#everUp = true;
    const { capture, playback } = this.#spec;
    const { periodMs, bufferMs } = duplex;
    const missing = this.#missing;
    const without = missing && { side: missing.side, why: missing.error.message, code: missing.error.code };
    this.#onStatus({
      is: 'up',
      capture,
      playback,
      format: this.format,
      periodMs,
      bufferMs,
      ...(without && { without }),
    });
  }

  #fail(error: unknown) {
    const { code, message } = error instanceof HalError ? error : new HalError('io', String(error), { cause: error });
    // Half of a card that worked may still be there, and shall hardly be missed.
    const waitMs = this.#up && this.#clock.now() - this.#openedMs > WELL_AFTER_MS ? 0 : this.#retryMs;
    this.#close();
    this.#silentPace.start();
    this.#cancel = this.#clock.after(waitMs, () => this.#open(), 'open sound card');
    if (waitMs > 0) this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    if (message === this.#said) return;
    this.#said = message;
    this.#onStatus({ is: 'down', why: message, code });
  }

  #silentFrame() {
    this.counters.frames++;
    this.counters.silentFrames++;
    this.#nothingHeard.fill(0);
    this.#nobodyHears.fill(0);
    this.#nobodysLine.fill(0);
    this.#process(this.#nothingHeard, this.#nobodyHears, this.#nobodysLine);
  }
}
