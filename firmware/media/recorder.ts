/** A tap on the whole device: what its microphone hears, or that and all that its loudspeaker plays, into a WAV. */
import { FRAME_MS, saturate } from '../audio/frame.ts';
import { WavWriter } from '../audio/wav-writer.ts';
import type { Files } from './files.ts';
import type { MediaEvent, Tapped } from './protocol.ts';

interface Running {
  what: Tapped;
  file: string;
  writer: WavWriter;
  limitFrames: number;
  frames: number;
}

export class Recorder {
  readonly #rate: number;
  readonly #files: Files;
  readonly #emit: (event: MediaEvent) => void;
  readonly #frame: Int16Array;
  #running: Running | undefined;
  /** Files still being written. */
  #closing = 0;
  #whenClosed: (() => void) | undefined;

  constructor(rate: number, files: Files, emit: (event: MediaEvent) => void) {
    this.#rate = rate;
    this.#files = files;
    this.#emit = emit;
    this.#frame = new Int16Array((rate * FRAME_MS) / 1000);
  }

  /** One that runs ends. */
  begin(what: Tapped, file: string, limitMs: number) {
    this.end('another began');
    const writer = new WavWriter(this.#files.create(file), this.#rate);
    this.#running = { what, file, writer, limitFrames: limitMs / FRAME_MS, frames: 0 };
  }

  /** The microphone as callers get it, and what is played in the same frame. */
  tap(microphone: Int16Array, played: Int16Array, call: 'none' | 'on hold' | 'heard') {
    const running = this.#running;
    if (running === undefined) return;
    if (running.what === 'call' && call === 'none') return this.end();
    if (running.writer.failed !== undefined) return this.end();
    const frame = this.#frame;
    if (running.what === 'microphone') frame.set(microphone);
    // Whoever holds wants to be unheard, in the recording of the call too.
    else if (call === 'on hold') frame.fill(0);
    else for (let at = 0; at < frame.length; at++) frame[at] = saturate(microphone[at]! + played[at]!);
    running.writer.append(frame);
    if (++running.frames >= running.limitFrames)
      this.end('it has the length that is allowed (audio.recording.longest)');
  }

  /** `recorded` follows once it is on disk. */
  end(why?: string) {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    this.#closing++;
    const { writer, file, frames } = running;
    writer.close(failed => {
      const leftOutMs = Math.round((writer.droppedSamples * 1000) / this.#rate);
      const gaps = leftOutMs > 0 ? `${leftOutMs} ms are missing: the disk was too slow` : undefined;
      const said = failed ?? gaps ?? why;
      this.#emit({ is: 'recorded', file, forMs: frames * FRAME_MS - leftOutMs, ...(said && { why: said }) });
      this.#closing--;
      if (this.#closing === 0) this.#whenClosed?.();
    });
  }

  /** `closed`, once everything is on disk. */
  close(closed: () => void) {
    this.end();
    if (this.#closing === 0) return closed();
    this.#whenClosed = closed;
  }
}
