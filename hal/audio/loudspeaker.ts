/** The loudspeaker's side of a card, and what hangs on the other half of its stereo pair: filled evenly, underruns healed. */
import type { Side } from './alsa-library.ts';
import { alsaError, EAGAIN, EPIPE, ESTRPIPE } from './alsa-library.ts';
import { LEAVE_OUT, PlaybackFill } from './fill.ts';
import { Interpolator } from './interpolator.ts';
import { MAX_HEALS_PER_RUN, type SideOptions } from './microphone.ts';
import { FRAME_MS } from './pace.ts';

export interface LoudspeakerOptions extends SideOptions {
  /** With so much the card begins; frames of the card. */
  startFrames: number;
}

export class Loudspeaker {
  readonly #options: LoudspeakerOptions;
  readonly #fill = new PlaybackFill();
  readonly #change: Interpolator;
  readonly #lineChange: Interpolator | undefined;
  readonly #mono: Int16Array;
  readonly #line: Int16Array;
  /** As the card takes them: interleaved. */
  readonly #raw: Int16Array;
  readonly #silence: Int16Array;
  readonly #prefillFrames: number;
  #heals = 0;
  #playing = false;
  #delayMs: number;
  /** Not yet counted: less than a sample. */
  #drifted = 0;

  constructor(options: LoudspeakerOptions) {
    const { pcm, format, startFrames, spec } = options;
    this.#options = options;
    const { channels } = pcm;
    const frame = Math.ceil((format.frameSamples * pcm.rate) / format.rate);
    // A frame that is stretched is one sample longer, or two where the rates differ.
    const longest = frame + 2;
    this.#change = new Interpolator(format.rate / pcm.rate, format.frameSamples);
    this.#lineChange =
      spec.lineOutSide && channels > 1 ? new Interpolator(format.rate / pcm.rate, format.frameSamples) : undefined;
    this.#mono = new Int16Array(longest);
    this.#line = new Int16Array(longest);
    this.#raw = new Int16Array(longest * channels);
    this.#prefillFrames = Math.max(0, Math.min(startFrames, pcm.bufferFrames) - frame);
    this.#silence = new Int16Array(this.#prefillFrames * channels);
    this.#delayMs = (this.#prefillFrames * 1000) / pcm.rate;
  }

  get isPlaying() {
    return this.#playing;
  }

  get delayMs() {
    return this.#delayMs + (this.#change.delay * 1000) / this.#options.format.rate;
  }

  /** The same as of now, before the next frame is played. */
  delayNowMs(): number {
    const { pcm, format } = this.#options;
    const delay = this.#playing ? pcm.delay() : -1;
    return delay < 0 ? this.delayMs : (delay * 1000) / pcm.rate + (this.#change.delay * 1000) / format.rate;
  }

  /** Before a run of several frames. */
  beginRun() {
    this.#heals = 0;
  }

  /** Plays a frame, the microphone having `waitingMs` more. Throws HalError. */
  play(toPlay: Int16Array, lineOut: Int16Array, waitingMs: number) {
    const { pcm, format, counters } = this.#options;
    if (!this.#playing) this.#prefill();
    const delay = pcm.delay();
    if (delay === EPIPE || delay === ESTRPIPE) {
      this.#heal(delay);
      // It ran dry while nobody came. What was due then is stale where more waits: it starts again with the newest frame.
      if (waitingMs >= FRAME_MS) counters.driftSamples += format.frameSamples;
      else this.play(toPlay, lineOut, waitingMs);
      return;
    }
    // A sound server does not know its delay at once (EIO): whether the stream lives, the write will say.
    if (delay >= 0) this.#delayMs = (delay * 1000) / pcm.rate;
    const squeeze = delay < 0 ? 0 : this.#fill.squeeze(this.#delayMs + waitingMs);
    if (squeeze === LEAVE_OUT) {
      counters.driftSamples += format.frameSamples;
      return;
    }
    this.#count(Math.abs(squeeze) * format.frameSamples);
    counters.driftPpm = Math.round(this.#fill.driftPpm);
    this.#change.step = (format.rate / pcm.rate) * (1 + squeeze);
    const length = this.#change.process(toPlay, toPlay.length, this.#mono);
    if (this.#lineChange !== undefined) {
      this.#lineChange.step = this.#change.step;
      this.#lineChange.process(lineOut, lineOut.length, this.#line);
    }
    // A full buffer takes less, and the rest is lost: the loudspeaker must not fall behind the microphone.
    const result = pcm.write(this.#interleave(length), length);
    if (result < 0 && result !== EAGAIN) this.#heal(result);
    else this.#count(((length - Math.max(0, result)) * format.rate) / pcm.rate);
  }

  #count(samples: number) {
    this.#drifted += samples;
    const whole = Math.floor(this.#drifted);
    this.#drifted -= whole;
    this.#options.counters.driftSamples += whole;
  }

  /** Loudspeaker and line out each on its half; one without a half of its own on both, or on what the other leaves. */
  #interleave(frames: number): Int16Array {
    const { channels } = this.#options.pcm;
    if (channels === 1) return this.#mono;
    const { loudspeakerSide = 'both', lineOutSide } = this.#options.spec;
    const raw = this.#raw;
    const line = this.#line;
    const mono = this.#mono;
    for (let index = 0, at = 0; index < frames; index++, at += channels) {
      const heard = mono[index]!;
      const left = loudspeakerSide === 'right' ? 0 : heard;
      const right = loudspeakerSide === 'left' ? 0 : heard;
      raw[at] = lineOutSide === 'left' ? line[index]! : left;
      raw[at + 1] = lineOutSide === 'right' ? line[index]! : right;
    }
    return raw;
  }

  /** So much silence that the frame after it reaches the start threshold. */
  #prefill() {
    this.#playing = true;
    this.#fill.reset();
    const result = this.#options.pcm.write(this.#silence, this.#prefillFrames);
    if (result !== EAGAIN) this.#must(result);
  }

  #heal(result: number) {
    const side: Side = 'playback';
    if (result !== EPIPE && result !== ESTRPIPE) this.#must(result);
    if (++this.#heals > MAX_HEALS_PER_RUN) this.#must(result);
    this.#options.counters.xruns++;
    this.#options.onXrun(side);
    this.#must(this.#options.pcm.prepare());
    this.#playing = false;
  }

  #must(result: number) {
    if (result < 0) throw alsaError(`playback ${this.#options.spec.playback}`, result);
  }

  close() {
    this.#options.pcm.close();
  }
}
