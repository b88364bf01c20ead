/** The media thread as the device sees it: its state, its events, its counters. */
import type { AudioCounters, AudioStatus, Clock } from '../../hal/contracts.ts';
import type { AcousticsReport, Media, MediaEvent } from '../media/protocol.ts';
import type { AudioGraph, Status } from './contracts.ts';
import type { EventLog } from './event-log.ts';
import type { WireTap } from './wire-tap.ts';

/** How long the media thread may take to report. Milliseconds. */
const REPORT_MS = 1_000;

export class Sound {
  readonly media: Media;
  readonly #clock: Clock;
  readonly #driver: string;
  readonly #events: EventLog;
  readonly #onEvent: (event: MediaEvent) => void;
  readonly #tap: WireTap;
  readonly #changed: () => void;
  readonly #waiting = new Set<(answered: boolean) => void>();
  #audio: AudioStatus | undefined;
  #opus: string | undefined;
  #counters: AudioCounters | undefined;
  #unmarked: string | undefined;
  #acoustics: AcousticsReport | undefined;
  #graph = '';

  constructor(parts: {
    clock: Clock;
    driver: string;
    events: EventLog;
    media: Media;
    onEvent: (event: MediaEvent) => void;
    tap: WireTap;
    changed: () => void;
  }) {
    this.media = parts.media;
    this.#clock = parts.clock;
    this.#driver = parts.driver;
    this.#events = parts.events;
    this.#onEvent = parts.onEvent;
    this.#tap = parts.tap;
    this.#changed = parts.changed;
  }

  start() {
    this.media.onEvent = event => this.#heard(event);
    this.media.start();
  }

  async stop() {
    await this.media.stop();
    for (const done of [...this.#waiting]) done(false);
  }

  setVolume(loudspeakerDb: number, microphoneDb: number) {
    this.media.send({ do: 'set volume', loudspeakerDb, microphoneDb });
  }

  /** Opus can be had: known from soon after the start. */
  get hasOpus() {
    return this.#opus !== 'none';
  }

  /** Asks for fresh counters; `done` is called once, in time, and told whether the media thread answered. */
  refresh(done: (answered: boolean) => void) {
    const once = (answered: boolean) => {
      cancel();
      if (this.#waiting.delete(once)) done(answered);
    };
    const cancel = this.#clock.after(REPORT_MS, () => once(false), 'media report');
    this.#waiting.add(once);
    this.media.send({ do: 'report' });
  }

  /** As the last report drew it. */
  get graph(): AudioGraph {
    return { ways: this.#graph.split('\n').map(way => way.split(' → ')) };
  }

  status(): Status['audio'] {
    const audio = this.#audio;
    return {
      driver: this.#driver,
      state: audio?.is ?? 'starting',
      why: whyOf(audio),
      counters: this.#counters,
      opus: this.#opus,
      unmarked: this.#unmarked,
      acoustics: this.#acoustics,
    };
  }

  #heard(event: MediaEvent) {
    if (event.is === 'packets') return this.#tap.passed(event.packets, event.missed);
    if (event.is === 'ready') this.#opus = event.opus;
    if (event.is === 'audio') this.#status(event.status);
    if (event.is === 'report') {
      this.#counters = event.audio;
      this.#unmarked = event.unmarked;
      this.#acoustics = event.acoustics;
      this.#graph = event.graph;
    }
    this.#onEvent(event);
    if (event.is === 'report') for (const done of [...this.#waiting]) done(true);
    if (event.is === 'ready' || event.is === 'audio') this.#changed();
  }

  #status(status: AudioStatus) {
    // A healed gap is a count, not a state.
    if (status.is === 'xrun') return;
    if (this.#audio?.is !== status.is || whyOf(this.#audio) !== whyOf(status)) {
      const { is, ...facts } = status;
      this.#events.tell('audio', is, facts);
    }
    this.#audio = status;
  }
}

/** What is away: the card, or one side of it. */
const whyOf = (status: AudioStatus | undefined) =>
  status?.is === 'down' ? status.why : status?.is === 'up' ? status.without?.why : undefined;
