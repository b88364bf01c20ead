/** What is sent while nobody speaks: word of how loud the silence is (RFC 3389), now and then, and no sound. */
import { VoiceActivity } from '../audio/voice-activity.ts';

/** So that way and peer stay awake, and after a change that is heard. */
const REPEAT_MS = 1000;
const CHANGED_DB = 3;
const SOONEST_MS = 200;
/** RFC 3389 §3: dB below overload, a square wave at full scale. */
const OVERLOAD_RMS = 32_767;
const QUIETEST = 127;

export type Due = 'sound' | 'noise' | 'nothing';

export class Hush {
  readonly #activity = new VoiceActivity();
  #speech = false;
  #level = QUIETEST;
  #saidMs = Number.NEGATIVE_INFINITY;
  #silent = false;

  /** A frame of the packet that is being made. */
  hear(frame: Int16Array) {
    if (this.#activity.isSpeech(frame)) this.#speech = true;
  }

  /** The packet is whole: what of it is sent. */
  packet(nowMs: number): Due {
    const speech = this.#speech;
    this.#speech = false;
    if (speech) {
      this.#silent = false;
      return 'sound';
    }
    const level = levelOf(this.#activity.rms);
    const sinceMs = nowMs - this.#saidMs;
    const isNews = Math.abs(level - this.#level) >= CHANGED_DB && sinceMs >= SOONEST_MS;
    if (this.#silent && sinceMs < REPEAT_MS && !isNews) return 'nothing';
    this.#silent = true;
    this.#saidMs = nowMs;
    this.#level = level;
    return 'noise';
  }

  /** The payload of `noise`: its level, and no word of its spectrum. Returns its length. */
  write(into: Uint8Array): number {
    into[0] = this.#level;
    return 1;
  }
}

const levelOf = (rms: number) =>
  Math.min(QUIETEST, Math.max(0, Math.round(-20 * Math.log10(Math.max(rms, 1e-3) / OVERLOAD_RMS))));
