/** Streams whose ports are taken before anybody calls, so that a call is answered without asking the media thread first. */
import type { Media, MediaEvent, StreamId } from './protocol.ts';

/** One for the call that comes, one for the call after it. */
const AHEAD_LIMIT = 2;

export interface Ports {
  rtpPort: number;
  rtcpPort: number;
}

export class StreamsAhead {
  readonly #media: Media;
  /** Asked for; undefined until the media thread has opened them. */
  readonly #ahead = new Map<StreamId, Ports | undefined>();
  #count = 0;

  constructor(media: Media) {
    this.#media = media;
  }

  /** A stream for a call, with its ports where they are taken already; without, it is still to be opened. */
  take(): { stream: StreamId; ports: Ports | undefined } {
    for (const [stream, ports] of this.#ahead) {
      if (ports === undefined) continue;
      this.#ahead.delete(stream);
      return { stream, ports };
    }
    return { stream: this.#next(), ports: undefined };
  }

  /** Asks for as many as there should be. `bind`: the address of ours; `maxCalls`: the port range has room for twice that. */
  fill(bind: string, maxCalls: number) {
    while (this.#ahead.size < Math.min(AHEAD_LIMIT, maxCalls)) {
      const stream = this.#next();
      this.#ahead.set(stream, undefined);
      this.#media.send({ do: 'open', stream, host: bind });
    }
  }

  /** True where the event is about a stream that no call has yet. One that fails is not asked for again before the next call. */
  onMediaEvent(event: MediaEvent): boolean {
    if (!('stream' in event) || !this.#ahead.has(event.stream)) return false;
    if (event.is === 'opened') this.#ahead.set(event.stream, { rtpPort: event.rtpPort, rtcpPort: event.rtcpPort });
    if (event.is === 'failed' || event.is === 'closed') this.#ahead.delete(event.stream);
    return true;
  }

  #next(): StreamId {
    return `call-${++this.#count}`;
  }
}
