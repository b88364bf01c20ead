/** The control thread's end of the media thread: starts it, speaks with it, and starts it again if it dies. */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Media, MediaCommand, MediaEvent, MediaSettings, StreamId } from './protocol.ts';

/** Between the death of the thread and its next start: doubled each time, from the first to the last. */
const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 10_000;
/** A thread that has lived so long was well: the next restart is quick again. */
const WELL_AFTER_MS = 60_000;
/** Started as TypeScript from the tree, and as JavaScript beside a bundle. */
const ENTRY = new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
/** A thread that does not stop within this is ended by force. */
const STOP_WITHIN_MS = 3000;

export interface MediaThreadOptions {
  settings: MediaSettings;
  clock: Clock;
  log: Log;
  /** The thread's entry file. */
  entry?: URL;
}

export class MediaThread implements Media {
  onEvent: (event: MediaEvent) => void = () => {};
  readonly #options: MediaThreadOptions;
  #settings: MediaSettings;
  #worker: Worker | undefined;
  #startedAtMs = 0;
  #restartMs = FIRST_RESTART_MS;
  #cancelRestart: (() => void) | undefined;
  /** Streams, files, pages and a recording whose fate somebody waits for. */
  readonly #streams = new Set<StreamId>();
  readonly #files = new Set<string>();
  /** Zones that are paged, or shall be, and since when the page is heard. */
  readonly #zones = new Map<string, number | undefined>();
  #recording: string | undefined;
  #whenStopped: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: MediaThreadOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  start() {
    const worker = new Worker(this.#options.entry ?? ENTRY, {
      workerData: this.#settings,
      name: 'media',
    });
    this.#worker = worker;
    this.#startedAtMs = this.#options.clock.now();
    worker.on('message', (event: MediaEvent) => this.#take(event));
    worker.on('error', error => this.#options.log.error('media thread failed', { error: String(error) }));
    worker.on('exit', code => this.#exited(code));
  }

  /** While the thread is dead, a stream fails at once and everything else is dropped. */
  send(command: MediaCommand) {
    if (command.do === 'set volume') {
      const { loudspeakerDb, microphoneDb } = command;
      this.#settings = { ...this.#settings, loudspeakerDb, microphoneDb };
    }
    if (this.#worker === undefined) return this.#refuse(command);
    if (command.do === 'open') this.#streams.add(command.stream);
    if (command.do === 'play file') this.#files.add(command.id);
    if (command.do === 'page') this.#zones.set(command.zone.name, undefined);
    if (command.do === 'tap') this.#recording = command.file;
    this.#worker.postMessage(command);
  }

  #refuse(command: MediaCommand) {
    const why = 'the media thread is down';
    // Later, as the thread would: nobody expects an answer from within the question.
    const answer = (event: MediaEvent) => this.#options.clock.after(0, () => this.onEvent(event), 'media refusal');
    if (command.do === 'open') answer({ is: 'failed', stream: command.stream, doing: 'open', why });
    if (command.do === 'play file') answer({ is: 'played', id: command.id, why });
    if (command.do === 'page')
      answer({ is: 'paged', zone: command.zone.name, state: 'ended', packets: 0, forMs: 0, why });
    if (command.do === 'tap') answer({ is: 'recorded', file: command.file, why });
  }

  #take(event: MediaEvent) {
    if (event.is === 'closed' || (event.is === 'failed' && event.doing === 'open')) this.#streams.delete(event.stream);
    if (event.is === 'played') this.#files.delete(event.id);
    if (event.is === 'paged') this.#paged(event);
    if (event.is === 'recorded' && event.file === this.#recording) this.#recording = undefined;
    this.onEvent(event);
  }

  #paged({ zone, state }: Extract<MediaEvent, { is: 'paged' }>) {
    if (state === 'ended') this.#zones.delete(zone);
    else this.#zones.set(zone, this.#options.clock.now());
  }

  #exited(code: number) {
    this.#worker = undefined;
    const why = 'the media thread has ended';
    for (const id of this.#files) this.onEvent({ is: 'played', id, why });
    for (const stream of this.#streams) this.onEvent({ is: 'failed', stream, doing: 'start', why });
    const nowMs = this.#options.clock.now();
    for (const [zone, sinceMs = nowMs] of this.#zones)
      this.onEvent({ is: 'paged', zone, state: 'ended', packets: 0, forMs: nowMs - sinceMs, why });
    if (this.#recording !== undefined) this.onEvent({ is: 'recorded', file: this.#recording, why });
    this.#files.clear();
    this.#streams.clear();
    this.#zones.clear();
    this.#recording = undefined;
    if (this.#whenStopped) return this.#whenStopped();
    const { clock, log } = this.#options;
    this.onEvent({ is: 'audio', status: { is: 'down', why, code: 'io' } });
    if (clock.now() - this.#startedAtMs > WELL_AFTER_MS) this.#restartMs = FIRST_RESTART_MS;
    log.error('media thread ended, starting it again', { code, inMs: this.#restartMs });
    this.#cancelRestart = clock.after(this.#restartMs, () => this.start(), 'media thread restart');
    this.#restartMs = Math.min(LAST_RESTART_MS, this.#restartMs * 2);
  }

  stop(): Promise<void> {
    this.#cancelRestart?.();
    this.#stopped ??= this.#stop(this.#worker);
    return this.#stopped;
  }

  #stop(worker: Worker | undefined): Promise<void> {
    if (worker === undefined) return Promise.resolve();
    return new Promise(resolve => {
      const { clock, log } = this.#options;
      const cancel = clock.after(
        STOP_WITHIN_MS,
        () => {
          log.warn('media thread does not stop, ending it by force', { afterMs: STOP_WITHIN_MS });
          void worker.terminate();
        },
        'media thread stop',
      );
      this.#whenStopped = () => {
        cancel();
        resolve();
      };
      worker.postMessage({ do: 'stop' } satisfies MediaCommand);
    });
  }
}
