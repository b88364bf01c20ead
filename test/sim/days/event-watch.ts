/** Looks at a device while its day goes on, and at its end: what it says must be consistent, and what it does have a cause. */
import type { DeviceEvent } from '../../../firmware/controller/contracts.ts';
import type { SimDevice } from '../world.ts';

const RELAY = 'relay-1';
/** `doors.main.openFor` of the building. A new opening begins a new time. */
const OPEN_FOR_MS = 3_000;
const faultLimit = 20;

/** What is looked at: a device, or something that a test has built like one. */
export type WatchedDevice = Pick<SimDevice, 'output' | 'events'> & {
  intercom: Pick<SimDevice['intercom'], 'status' | 'alive'>;
};

export class EventWatch {
  readonly faults: string[] = [];
  /** How often somebody asked for the door, in whatever way. */
  causes = 0;
  #lastSeq = 0;
  #openings = 0;
  #lastOpeningMs = Number.NEGATIVE_INFINITY;
  #isUnlocked = false;
  #nowMs = 0;
  readonly #counters: Record<string, number> = {};

  fault(what: string) {
    if (this.faults.length < faultLimit) this.faults.push(what);
  }

  /** Each event as it is told. */
  heard({ seq, source, type }: DeviceEvent, device: WatchedDevice) {
    if (this.#lastSeq > 0 && seq !== this.#lastSeq + 1) this.fault(`event ${seq} came after ${this.#lastSeq}`);
    this.#lastSeq = seq;
    if (source !== 'door') return;
    if (type === 'opening') {
      this.#lastOpeningMs = this.#nowMs;
      if (++this.#openings > this.causes)
        this.fault(`the door opened ${this.#openings} times and was asked ${this.causes} times`);
    }
    if (type === 'unlocked') {
      this.#isUnlocked = true;
      if (!device.output(RELAY)) this.fault('the door is told open, and its relay is at rest');
    }
    if (type === 'locked') this.#isUnlocked = false;
  }

  /** At any moment. */
  look(device: WatchedDevice, nowMs: number) {
    this.#nowMs = nowMs;
    const status = device.intercom.status();
    JSON.stringify(status);
    const isClosed = device.output(RELAY);
    if (isClosed && !this.#isUnlocked) this.fault(`the relay has moved without a word at ${nowMs} ms`);
    if (isClosed && nowMs - this.#lastOpeningMs > OPEN_FOR_MS + 1_000)
      this.fault(`the relay is still closed at ${nowMs} ms`);
    if (status.doors.main !== undefined && status.doors.main.unlocked !== isClosed)
      this.fault(`the status says unlocked: ${status.doors.main.unlocked}, the relay ${isClosed}`);
    for (const [counter, value] of Object.entries(status.sip)) {
      if (typeof value !== 'number' || Number.isNaN(value) || value < 0) this.fault(`${counter} is ${value}`);
      this.#counters[counter] = Number(value);
    }
  }

  /** When no call can be up any more. */
  atRest({ intercom, events, output }: WatchedDevice, deskCalls: number) {
    const { deviceCalls, calls } = intercom.alive;
    if (deviceCalls + calls > 0)
      this.fault(`${deviceCalls} calls of the device and ${calls} of its user agent are still up`);
    if (deskCalls > 0) this.fault(`${deskCalls} calls of the desk are still up`);
    if (output(RELAY)) this.fault('the relay is closed, long after the last opening');
    const { state } = intercom.status().call;
    if (state !== 'idle') this.fault(`the device is ${state}, without a call`);
    const of = (type: string, direction?: string) =>
      events.filter(
        event => event.source === 'call' && event.type === type && (!direction || event.direction === direction),
      ).length;
    if (of('incoming') !== of('ended', 'incoming'))
      this.fault(`${of('incoming')} calls came, ${of('ended', 'incoming')} ended`);
    // One that is hung up before it has begun ends without having been told.
    if (of('calling') > of('ended', 'outgoing'))
      this.fault(`${of('calling')} calls went out, ${of('ended', 'outgoing')} ended`);
    if (of('answered') > of('ended')) this.fault(`${of('answered')} calls were answered, ${of('ended')} ended`);
  }

  over(device: WatchedDevice, armed: readonly string[]) {
    const { transactions, calls, timers } = device.intercom.alive;
    if (transactions + calls + timers > 0)
      this.fault(`left behind: ${transactions} transactions, ${calls} calls, ${timers} timers`);
    if (armed.length > 0) this.fault(`still armed: ${[...new Set(armed)].join(', ')}`);
  }
}
