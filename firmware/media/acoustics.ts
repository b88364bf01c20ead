/** Between the sound card and the streams: echo, noise and loudness of the microphone; loudness of the loudspeaker. */
import { AutomaticGain } from '../audio/agc.ts';
import { Ambient } from '../audio/ambient.ts';
import { DelayLine } from '../audio/delay-line.ts';
import type { AcousticEngines } from '../audio/echo/choose.ts';
import { frameSamples } from '../audio/frame.ts';
import { Gain } from '../audio/gain.ts';
import type { Chain, Node } from '../audio/graph.ts';
import { Limiter } from '../audio/limiter.ts';
import { CardLoudness } from './card-loudness.ts';
import { LineOut } from './line-out.ts';
import type { AcousticsReport, MediaSettings } from './protocol.ts';

/** No engine: a simulation, or a test of something else. */
const NONE: AcousticEngines = { canceller: undefined, denoiser: undefined, faults: [] };

export class Acoustics {
  readonly #rate: number;
  readonly #engines: AcousticEngines;
  readonly #playbackDelayMs: () => number;
  readonly #played: DelayLine;
  /** What the loudspeaker played while the microphone heard this frame. */
  readonly #reference: Int16Array;
  readonly #ambient: Ambient;
  readonly #automatic: AutomaticGain | undefined;
  readonly #microphoneGain: Gain;
  readonly #microphoneLimiter: Limiter;
  readonly #loudspeakerGain: Gain;
  readonly #loudspeakerLimiter: Limiter;
  /** What the pages add to the loudspeaker. */
  readonly #pages: Int32Array;
  readonly #lineOut: LineOut | undefined;
  readonly #card: CardLoudness;
  #microphoneDb: number;
  #loudspeakerDb: number;
  #loudspeakerNowDb: number;

  constructor(
    rate: number,
    settings: Pick<MediaSettings, 'loudspeakerDb' | 'microphoneDb' | 'acoustics' | 'lineOut'>,
    engines: AcousticEngines = NONE,
    playbackDelayMs: () => number = () => 0,
    card: CardLoudness = new CardLoudness({}),
  ) {
    const { loudspeakerDb, microphoneDb, acoustics, lineOut } = settings;
    this.#rate = rate;
    this.#engines = engines;
    this.#playbackDelayMs = playbackDelayMs;
    this.#played = new DelayLine(rate);
    this.#reference = new Int16Array(frameSamples(rate));
    this.#ambient = new Ambient(acoustics?.volumeFollowsNoise ?? { upToDb: 0, quietDb: 0 });
    this.#automatic = acoustics?.automaticGain ? new AutomaticGain() : undefined;
    this.#microphoneGain = new Gain(rate, microphoneDb);
    this.#microphoneLimiter = new Limiter(rate);
    this.#loudspeakerGain = new Gain(rate, loudspeakerDb);
    this.#loudspeakerLimiter = new Limiter(rate);
    this.#pages = new Int32Array(frameSamples(rate));
    this.#lineOut = lineOut && new LineOut(rate, lineOut);
    this.#card = card;
    this.#microphoneDb = microphoneDb;
    this.#loudspeakerDb = this.#loudspeakerNowDb = loudspeakerDb;
  }

  get loudspeakerDb() {
    return this.#loudspeakerDb;
  }

  setVolume(loudspeakerDb: number, microphoneDb: number) {
    this.#loudspeakerDb = loudspeakerDb;
    this.#microphoneDb = microphoneDb;
    this.applyCard();
  }

  /** The card's mixer does what it can; the rest is done here. */
  applyCard() {
    this.#card.apply(this.#loudspeakerDb, this.#microphoneDb);
    this.#microphoneGain.set(this.#microphoneDb - this.#card.microphoneDb);
  }

  /** From the card's frame to what the streams send. */
  hear(captured: Int16Array, microphone: Int16Array) {
    const { canceller, denoiser } = this.#engines;
    microphone.set(captured);
    this.#played.read(this.#reference, this.#playbackDelayMs());
    this.#ambient.hear(captured, this.#reference);
    canceller?.process(microphone, this.#reference);
    denoiser?.process(microphone);
    this.#microphoneGain.apply(microphone, microphone);
    if (this.#automatic !== undefined) {
      const noiseDb = (this.#ambient.noiseDb ?? Number.NEGATIVE_INFINITY) + this.#microphoneGain.db;
      this.#automatic.process(microphone, noiseDb, this.#ambient.isPlaying);
    }
    this.#microphoneLimiter.apply(microphone, microphone);
  }

  /** From the sum of all that shall be heard to the card's frames. Changes `sum`. Pages have a gain of their own. */
  play(sum: Int32Array, toPlay: Int16Array, pages?: { addTo(sum: Int32Array): void }, lineOut?: Int16Array) {
    this.#follow();
    this.#loudspeakerGain.scale(sum);
    if (pages !== undefined) {
      this.#pages.fill(0);
      pages.addTo(this.#pages);
      for (let index = 0; index < sum.length; index++) sum[index]! += this.#pages[index]!;
    }
    if (lineOut !== undefined) this.#lineOut?.play(sum, this.#pages, lineOut);
    this.#loudspeakerLimiter.apply(sum, toPlay);
    this.#played.write(toPlay);
  }

  /** The volume that was set, raised for a noisy place and lowered for a visitor who has the word. */
  #follow() {
    const factor = this.#engines.canceller?.loudspeakerFactor ?? 1;
    const raisedDb = Math.round(this.#ambient.raisedDb * 2) / 2;
    const db = this.#loudspeakerDb - this.#card.loudspeakerDb + raisedDb + (factor === 1 ? 0 : 20 * Math.log10(factor));
    if (db === this.#loudspeakerNowDb) return;
    this.#loudspeakerNowDb = db;
    this.#loudspeakerGain.set(db);
  }

  report(): AcousticsReport {
    const { canceller, faults } = this.#engines;
    const { noiseDb } = this.#ambient;
    return {
      echo: canceller?.name ?? 'off',
      faults: [...faults, ...this.#card.faults],
      card: this.#card.report,
      delayMs: Math.round(this.#played.delayMs),
      raisedDb: Math.round(this.#ambient.raisedDb),
      ...(noiseDb !== undefined && { noiseDb: Math.round(noiseDb) }),
    };
  }

  microphoneChain(): Chain {
    const { canceller, denoiser } = this.#engines;
    const automatic = this.#automatic;
    const nodes: (Node | undefined)[] = [
      { name: 'capture', detail: () => `${this.#rate / 1000} kHz` },
      canceller && { name: 'echo', detail: () => `${canceller.name}, delay ${Math.round(this.#played.delayMs)} ms` },
      denoiser && { name: 'noise suppression' },
      { name: 'gain', detail: () => `${this.#microphoneGain.db} dB` },
      automatic && { name: 'automatic gain', detail: () => `${automatic.db.toFixed(1)} dB` },
      { name: 'microphone' },
    ];
    return nodes.filter(node => node !== undefined);
  }

  loudspeakerChains(): Chain[] {
    const lineOut = this.#lineOut;
    const gain: Node = { name: 'gain', detail: () => `${this.#loudspeakerNowDb} dB` };
    const chains: Chain[] = [[{ name: 'mixer' }, gain, { name: 'playback' }]];
    if (lineOut) chains.push([{ name: 'playback' }, { name: 'line out', detail: () => lineOut.describe() }]);
    return chains;
  }

  close() {
    this.#engines.canceller?.close();
    this.#engines.denoiser?.close();
  }
}
