/**
 * A media engine whose card runs only while somebody talks. One that runs always wakes everybody a hundred times a second,
 * a quarter of a billion times in a month; that it does so without end is what the other tests here show.
 */
import { systemClock, wallClock } from '../../../firmware/lib/clock.ts';
import { markerOf } from '../../../firmware/lib/dscp.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import { diskFiles } from '../../../firmware/media/disk-files.ts';
import { InProcessMedia } from '../../../firmware/media/in-process.ts';
import type { Media, MediaEvent, MediaSettings, StreamId } from '../../../firmware/media/protocol.ts';
import { UdpNetwork } from '../../../firmware/media/udp.ts';
import { audioFormat } from '../../../hal/audio/format.ts';
import { openAudio } from '../../../hal/audio/open.ts';
import type { AudioDevice, AudioProcess, AudioSpec, AudioStatus, CardGain } from '../../../hal/contracts.ts';

export function sleepingSound(settings: MediaSettings, random: Random): Media {
  const card = new SleepingCard(settings.audio);
  const talking = new Set<StreamId>();
  const engine = new InProcessMedia({
    clock: systemClock,
    wallClock,
    random,
    network: new UdpNetwork(settings.rtpPorts, random, markerOf(settings.dscp)),
    files: diskFiles,
    settings,
    opus: undefined,
    audio: card,
  });
  const media: Media = {
    onEvent: () => {},
    start: () => engine.start(),
    stop: () => engine.stop(),
    send(command) {
      if (command.do === 'start') {
        talking.add(command.stream);
        card.wake();
      }
      engine.send(command);
    },
  };
  engine.onEvent = (event: MediaEvent) => {
    if (event.is === 'closed' && talking.delete(event.stream) && talking.size === 0) card.sleep();
    media.onEvent(event);
  };
  return media;
}

/** Each waking opens the card anew. */
class SleepingCard implements AudioDevice {
  readonly driver: AudioSpec['driver'];
  readonly format: AudioDevice['format'];
  readonly counters = { frames: 0, xruns: 0, reopened: 0, silentFrames: 0, driftSamples: 0, driftPpm: 0 };
  readonly #spec: AudioSpec;
  #process: AudioProcess = () => {};
  #onStatus: (status: AudioStatus) => void = () => {};
  #awake: AudioDevice | undefined;

  constructor(spec: AudioSpec) {
    this.#spec = spec;
    this.driver = spec.driver;
    this.format = audioFormat(spec.rate);
  }

  start(process: AudioProcess, onStatus: (status: AudioStatus) => void) {
    this.#process = process;
    this.#onStatus = onStatus;
    const { capture, playback, periodMs, bufferMs } = this.#spec;
    onStatus({ is: 'up', capture, playback, format: this.format, periodMs, bufferMs });
  }

  wake() {
    if (this.#awake !== undefined) return;
    this.#awake = openAudio(this.#spec, systemClock);
    // That it is up has been said; that it is not would be news.
    this.#awake.start(this.#process, status => status.is === 'up' || this.#onStatus(status));
  }

  sleep() {
    void this.#awake?.stop();
    this.#awake = undefined;
  }

  async stop() {
    this.sleep();
  }

  /** The engine's own numbers do. */
  setGain(): CardGain {
    return { faults: [] };
  }

  playbackDelayMs() {
    return 0;
  }
}
