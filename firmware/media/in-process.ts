/** The media engine on the caller's own thread and clock: for simulations, where a whole call runs in one step of time. */
import type { AudioDevice } from '../../hal/contracts.ts';
import { Engine, type EngineOptions } from './engine.ts';
import type { Media, MediaCommand, MediaEvent } from './protocol.ts';

export type InProcessOptions = Omit<
  EngineOptions,
  'emit' | 'rate' | 'audioCounters' | 'playbackDelayMs' | 'heardInMs' | 'setCardGain'
> & {
  audio: AudioDevice;
};

/** Commands and events go through the clock, so that, as between threads, neither side is ever called back at once. */
export class InProcessMedia implements Media {
  onEvent: (event: MediaEvent) => void = () => {};
  /** For what the protocol does not tell: the graph. */
  readonly engine: Engine;
  readonly #options: InProcessOptions;
  #running = false;
  #whenStopped: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: InProcessOptions) {
    this.#options = options;
    const { audio } = options;
    this.engine = new Engine({
      ...options,
      rate: audio.format.rate,
      audioCounters: () => audio.counters,
      playbackDelayMs: () => audio.playbackDelayMs(),
      heardInMs: () => audio.heardInMs?.() ?? audio.playbackDelayMs(),
      setCardGain: (loudspeakerDb, microphoneDb) => audio.setGain(loudspeakerDb, microphoneDb),
      emit: event => this.#emit(event),
    });
  }

  send(command: MediaCommand) {
    this.#options.clock.after(0, () => this.#running && this.engine.handle(command), 'media command');
  }

  #emit(event: MediaEvent) {
    this.#options.clock.after(0, () => this.#deliver(event), 'media event');
  }

  #deliver(event: MediaEvent) {
    this.onEvent(event);
    if (event.is !== 'stopped') return;
    this.#running = false;
    void this.#options.audio.stop().then(this.#whenStopped);
  }

  start() {
    this.#running = true;
    this.engine.start();
    this.#options.audio.start(
      (captured, toPlay, lineOut) => this.engine.process(captured, toPlay, lineOut),
      status => this.engine.audioStatus(status),
    );
  }

  stop(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    this.#stopped ??= new Promise(resolve => {
      this.#whenStopped = resolve;
      this.send({ do: 'stop' });
    });
    return this.#stopped;
  }
}
