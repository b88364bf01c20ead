/** Recordings that somebody asks for: where they go, how long they may be, what is told of them. */
import type { Config } from '../config/schema.ts';
import type { WallClock } from '../lib/clock.ts';
import { type RecordingFolder, recordingName } from '../lib/recording-folder.ts';
import type { Media, MediaEvent, Tapped } from '../media/protocol.ts';
import { done, notNow } from './action-results.ts';
import type { ActionResult } from './contracts.ts';
import type { EventLog } from './event-log.ts';

const BYTES_PER_SAMPLE = 2;
const MEGABYTE = 1e6;

export interface RecorderParts {
  wallClock: WallClock;
  events: EventLog;
  media: () => Media;
  folder: RecordingFolder;
  settings: () => Config['audio']['recording'];
  /** Samples per second of the card. */
  rate: number;
  callIsUp: () => boolean;
  changed: () => void;
}

export class Recorder {
  readonly #parts: RecorderParts;
  /** What runs, and into which file. */
  #running: { what: Tapped; file: string } | undefined;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  record(what: Tapped, forMs?: number): ActionResult {
    const { events, media, folder: files, settings, callIsUp, rate, wallClock, changed } = this.#parts;
    const { folder, longest, limit } = settings();
    if (folder === undefined)
      return { done: false, code: 'not allowed', why: 'nothing is recorded here (audio.recording.folder)' };
    if (what === 'call' && !callIsUp()) return notNow('there is no call to record');
    const limitMs = Math.min(longest, forMs ?? longest);
    const bytes = (limitMs / 1000) * rate * BYTES_PER_SAMPLE;
    const file = files.next(folder, recordingName(wallClock(), what), bytes, limit * MEGABYTE);
    if (typeof file !== 'string') return notNow(`nothing can be recorded: ${file.why}`);
    this.#running = { what, file };
    media().send({ do: 'tap', what, file, limitMs });
    events.tell('recording', 'started', { what, file });
    changed();
    return done;
  }

  stop(): ActionResult {
    if (this.#running === undefined) return notNow('nothing is being recorded');
    this.#parts.media().send({ do: 'stop tap' });
    return done;
  }

  onMediaEvent(event: MediaEvent) {
    if (event.is !== 'recorded') return;
    const { is: _is, ...facts } = event;
    const { file } = facts;
    if (this.#running?.file === file) this.#running = undefined;
    this.#parts.events.tell('recording', 'ended', facts);
    this.#parts.changed();
  }

  status() {
    return this.#running;
  }
}
