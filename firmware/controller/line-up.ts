/**
 * The calls that are up, and which of them has the device's ear: one answered call does, or all that are joined. Whoever
 * else is answered is on hold, and comes back when the call that it gave way to has ended.
 */
import type { DeviceCall } from './device-call.ts';

export class LineUp {
  /** Stream → call, in the order of their beginning. */
  readonly #calls = new Map<string, DeviceCall>();
  /** Held call → the call that it gave way to. Held by a person: not in here. */
  readonly #gaveWay = new Map<DeviceCall, DeviceCall>();

  get size() {
    return this.#calls.size;
  }

  /** An announcement takes no line: it must not keep anybody from calling for help. */
  get taken() {
    return this.all.filter(({ isAnnouncement }) => !isAnnouncement).length;
  }

  get all(): DeviceCall[] {
    return [...this.#calls.values()];
  }

  get(stream: string) {
    return this.#calls.get(stream);
  }

  get answered(): DeviceCall[] {
    return this.all.filter(({ state }) => state === 'talking');
  }

  /** Answered and not held by us. */
  get heard(): DeviceCall[] {
    return this.answered.filter(({ talk }) => !talk.isHeld);
  }

  /** The call that a press, a key or a person means: the one that is talked in, else the one that has lasted longest. */
  get front(): DeviceCall | undefined {
    return this.heard.find(({ isAnnouncement }) => !isAnnouncement) ?? this.heard[0] ?? this.all[0];
  }

  /** The call of whoever stands at the device: an announcement is none of his. */
  get own(): DeviceCall | undefined {
    return this.front?.isAnnouncement ? this.all.find(({ isAnnouncement }) => !isAnnouncement) : this.front;
  }

  get ringing() {
    return this.all.find(({ state, isAnnouncement }) => state === 'ringing' && !isAnnouncement);
  }

  add(call: DeviceCall) {
    this.#calls.set(call.stream, call);
  }

  /** It is over: who had given way to it comes back, unless somebody else is heard by now. */
  remove(call: DeviceCall) {
    this.#calls.delete(call.stream);
    this.#gaveWay.delete(call);
    if (this.answered.filter(({ talk }) => talk.isJoined).length === 1) this.#part();
    const heir = this.heard.find(other => !other.isAnnouncement);
    for (const [held, taker] of [...this.#gaveWay]) {
      if (taker !== call) continue;
      // It is about to leave; where that fails, who passed it on brings it back.
      if (held.talk.isPassedOn) this.#gaveWay.delete(held);
      else if (heir !== undefined && !(heir.talk.isJoined && held.talk.isJoined)) this.#gaveWay.set(held, heir);
      else this.#return(held);
    }
    for (const other of this.all) other.othersChanged();
  }

  /**
   * `call` is to be heard alone: the others are held, but an announcement, which nobody can hold, and the call that it is
   * a transfer of, which is silent already and about to end.
   */
  makeWay(call: DeviceCall) {
    const besides = call.plan.direction === 'outgoing' ? call.plan.besides : undefined;
    for (const other of this.heard) if (other !== call && other !== besides) this.#giveWay(other, call);
    for (const other of this.all) other.othersChanged();
  }

  /** Asked for by a person, and kept until a person says otherwise. */
  hold(call: DeviceCall) {
    this.#gaveWay.delete(call);
    call.talk.hold(true);
  }

  /** Back to the device's ear; who has it now gives way, unless they are joined. */
  resume(call: DeviceCall) {
    for (const other of this.heard) if (!(call.talk.isJoined && other.talk.isJoined)) this.#giveWay(other, call);
    this.#return(call);
  }

  /** All answered calls hear each other and us. */
  join() {
    for (const call of this.answered) {
      if (call.isAnnouncement) continue;
      call.talk.join(true);
      this.#return(call);
    }
  }

  #giveWay(other: DeviceCall, call: DeviceCall) {
    if (other.isAnnouncement) return;
    this.#gaveWay.set(other, call);
    other.talk.hold(true);
  }

  #return(call: DeviceCall) {
    this.#gaveWay.delete(call);
    call.talk.hold(false);
  }

  /** One alone is no conference. */
  #part() {
    for (const call of this.all) call.talk.join(false);
  }
}
