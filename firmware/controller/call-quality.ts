/** Tells how good a call was heard, when the media thread has counted it: a moment after the call has ended. */
import type { MediaEvent, StreamId } from '../media/protocol.ts';
import type { EventLog } from './event-log.ts';

export class CallQuality {
  readonly #events: EventLog;
  /** Calls that have ended, and are not counted yet: stream → whom they were with. */
  readonly #ended = new Map<StreamId, string>();

  constructor(events: EventLog) {
    this.#events = events;
  }

  callEnded(stream: StreamId, remote: string) {
    this.#ended.set(stream, remote);
  }

  onMediaEvent(event: MediaEvent) {
    // A media thread that begins anew counts no call of the one before it.
    if (event.is === 'ready') this.#ended.clear();
    if (event.is !== 'closed') return;
    const remote = this.#ended.get(event.stream);
    this.#ended.delete(event.stream);
    const { mos, remoteMos, receivedPackets, lostPackets, latePackets, jitterMs, roundTripMs } = event.statistics;
    // Nothing was heard: there is nothing to judge.
    if (remote === undefined || mos === undefined) return;
    const times = { jitterMs: Math.round(jitterMs), roundTripMs: roundTripMs && Math.round(roundTripMs) };
    this.#events.tell('call', 'quality', {
      remote,
      mos,
      remoteMos,
      receivedPackets,
      lostPackets,
      latePackets,
      ...times,
    });
  }
}
