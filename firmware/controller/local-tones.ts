/** Tones at the loudspeaker: one at a time, and none that goes on for ever because somebody forgot it. */
import type { Clock } from '../lib/clock.ts';
import type { Media, ToneName } from '../media/protocol.ts';

/** How long a tone that explains something is heard. Milliseconds. */
const EXPLAIN_MS = 3_000;

export class LocalTones {
  readonly #clock: Clock;
  readonly #media: Media;
  /** Call → the tone that it wants heard until it says otherwise; the newest is heard. */
  readonly #wanted = new Map<string, ToneName>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, media: Media) {
    this.#clock = clock;
    this.#media = media;
  }

  /** Until the same call is silent: ringing, ringback. */
  play(tone: ToneName, call: string) {
    this.#wanted.delete(call);
    this.#wanted.set(call, tone);
    this.#sound(tone);
  }

  /** For a moment, as the call's last: busy, hung up. */
  explain(tone: ToneName, call: string) {
    this.#wanted.delete(call);
    this.#sound(tone);
    this.#cancel = this.#clock.after(EXPLAIN_MS, () => this.#resume(), 'explaining tone');
  }

  silence(call: string) {
    this.#wanted.delete(call);
    this.#resume();
  }

  /** What another call still wants heard, or nothing. */
  #resume() {
    const tone = [...this.#wanted.values()].at(-1);
    if (tone !== undefined) return this.#sound(tone);
    this.#disarm();
    this.#media.send({ do: 'stop playing', at: 'here' });
  }

  #sound(tone: ToneName) {
    this.#disarm();
    this.#media.send({ do: 'play tone', tone, at: 'here' });
  }

  /** Nothing stays armed. */
  stop() {
    this.#disarm();
    this.#wanted.clear();
  }

  #disarm() {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
