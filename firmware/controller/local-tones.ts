/** Tones at the loudspeaker: one at a time, and none that goes on for ever because somebody forgot it. */
import type { Clock } from '../lib/clock.ts';
import type { Media, ToneName } from '../media/protocol.ts';

/** How long a tone that explains something is heard. Milliseconds. */
const EXPLAIN_MS = 3_000;

export class LocalTones {
  readonly #clock: Clock;
  readonly #media: Media;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, media: Media) {
    this.#clock = clock;
    this.#media = media;
  }

  /** Until `silence`: ringing, ringback. */
  play(tone: ToneName) {
    this.#disarm();
    this.#media.send({ do: 'play tone', tone, at: 'here' });
  }

  /** For a moment: busy, hung up. */
  explain(tone: ToneName) {
    this.play(tone);
    this.#cancel = this.#clock.after(EXPLAIN_MS, () => this.silence(), 'explaining tone');
  }

  silence() {
    this.#disarm();
    this.#media.send({ do: 'stop playing', at: 'here' });
  }

  /** Nothing stays armed. */
  stop() {
    this.#disarm();
  }

  #disarm() {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
