/** The SIP side of one call: its session, the offers and answers in it, and all that the far end says. */
import type { Body, CallEnd, CallHandler, Call as SipCall } from '../sip/contracts.ts';
import { type CallPlan, type DeviceCallParts, modeOf } from './call-plan.ts';
import { CallRepair } from './call-repair.ts';
import type { Event, State } from './call-states.ts';
import { Conversation } from './conversation.ts';

/** The call that it is the line of. */
export interface CallOfLine {
  readonly state: State;
  handle(event: Event): void;
  /** `why`: what is told of it as the reason. */
  hangUp(why: string): void;
}

export class CallLine implements CallHandler {
  readonly talk: Conversation;
  readonly repair: CallRepair;
  /** Absent before the INVITE. */
  session: SipCall | undefined;
  /** The last word of SIP about it. */
  end: CallEnd | undefined;
  /** The far end is heard before its answer. */
  hasEarlySound = false;
  readonly #parts: DeviceCallParts;
  readonly #plan: CallPlan;
  readonly #call: CallOfLine;
  #toldFinal = false;
  /** The session that ends just now is followed by another in its place. */
  #callsAnew = false;
  /** Who wanted the offer that is open. */
  #offerFor: 'hold' | 'repair' | undefined;

  constructor(parts: DeviceCallParts, plan: CallPlan, call: CallOfLine) {
    this.#parts = parts;
    this.#plan = plan;
    this.#call = call;
    if (plan.direction === 'incoming') this.session = plan.session;
    const { clock, events, media, sound, changed } = parts;
    const remote = plan.remote.uri;
    this.talk = new Conversation({
      clock,
      events,
      media,
      sound,
      remote,
      mode: modeOf(plan),
      session: () => this.session,
      offer: () => this.#offer('hold'),
      changed,
    });
    this.repair = new CallRepair({
      clock,
      hostNow: parts.hostNow,
      hostTold: () => sound.host,
      offer: host => {
        // It counts for whatever description comes next, if not for this one.
        sound.moveTo(host);
        this.#offer('repair');
      },
      callAnew: host => this.#callAnew(host),
      onRepaired: host => events.tell('call', 'repaired', { remote, host }),
      onFailed: why => events.tell('call', 'not repaired', { remote, why }),
    });
  }

  /** The first word to the far end. */
  invite() {
    if (this.#plan.direction === 'outgoing') this.session = this.#plan.invite(this.onRefresh(), this);
  }

  /** From another address of ours: no answer could reach us where the first call came from. */
  #callAnew(host: string) {
    const { sound, events } = this.#parts;
    if (this.#plan.direction !== 'outgoing') return;
    events.tell('call', 'calling anew', { remote: this.#plan.remote.uri, host });
    this.#callsAnew = true;
    this.session?.hangUp();
    this.#callsAnew = false;
    this.hasEarlySound = false;
    sound.moveTo(host);
    this.invite();
  }

  /** Told to whoever asked for this call; a final one ends the telling. */
  tellStatus(status: number) {
    if (this.#plan.direction !== 'outgoing' || this.#toldFinal) return;
    this.#toldFinal = status >= 200;
    this.#plan.onStatus?.(status);
  }

  // ---- what the far end says ----------------------------------------------------------------------------------

  onProgress(status: number, _reason: string, body: Body | undefined) {
    this.tellStatus(status);
    if (body !== undefined && this.#parts.sound.acceptAnswer(body) === undefined) {
      this.hasEarlySound = true;
      this.#parts.sound.start();
      this.#parts.tones.silence(this.#parts.sound.stream);
    }
    this.#call.handle('progress');
  }

  onAnswered(body: Body | undefined) {
    if (this.#plan.direction === 'incoming') {
      // The answer to our own offer comes in the ACK (RFC 3261 §13.2.1).
      if (body !== undefined) this.#useAnswer(body);
      return;
    }
    if (body !== undefined || !this.hasEarlySound) {
      if (!this.#useAnswer(body)) return;
    }
    this.#call.handle('answered');
    this.tellStatus(200);
  }

  onOffer(body: Body | undefined, answer: { accept(body: Body): void; refuse(status: number, reason?: string): void }) {
    if (body === undefined) {
      answer.accept(this.onRefresh());
      return;
    }
    const ours = this.#parts.sound.answer(body, this.talk.direction);
    if ('status' in ours) {
      answer.refuse(ours.status);
      return;
    }
    answer.accept(ours);
    if (this.#call.state === 'talking') this.talk.start('them');
    else if (this.hasEarlySound) this.#parts.sound.start();
    this.#parts.changed();
  }

  /** The answer to an offer of ours inside the call: one that the peer had asked for (RFC 3261 §14.2). */
  onReoffered(result: { body: Body } | { status: number; reason: string }) {
    if ('body' in result && this.#useAnswer(result.body)) this.#parts.changed();
    const by = this.#offerFor;
    this.#offerFor = undefined;
    this.#offerEnded(by, 'status' in result ? result : undefined);
  }

  onTransferred(status: number) {
    this.talk.transferred(status);
  }

  onTransfer(...asked: Parameters<NonNullable<CallHandler['onTransfer']>>) {
    this.#parts.onTransfer(...asked);
  }

  onTalk(...told: Parameters<NonNullable<CallHandler['onTalk']>>) {
    this.#parts.onTalk(...told);
  }

  onHold(...told: Parameters<NonNullable<CallHandler['onHold']>>) {
    this.#parts.onHold(...told);
  }

  onKey(key: string, lastedMs: number) {
    this.#parts.onKey(key, lastedMs);
  }

  onEnded(end: CallEnd) {
    if (this.#callsAnew) return;
    this.end = end;
    this.tellStatus(end.by === 'refusal' ? end.status : end.by === 'failure' ? 408 : 487);
    this.#call.handle('ended');
  }

  // ---- descriptions -------------------------------------------------------------------------------------------

  /** What we want of the sound now, as a description. */
  onRefresh() {
    return this.#parts.sound.offer(this.talk.direction);
  }

  /**
   * An offer of ours, one at a time; but a repair gives way to the next one, whose answer can reach us. How it ends is
   * told to who wanted it, perhaps at once.
   */
  #offer(wantedBy: 'hold' | 'repair') {
    const isNextRepair = this.#offerFor === 'repair' && wantedBy === 'repair';
    if (this.#offerFor !== undefined && !isNextRepair)
      return this.#offerEnded(wantedBy, { status: 491, reason: 'another offer is open' });
    this.#offerFor = wantedBy;
    this.session?.reoffer(this.onRefresh(), wantedBy === 'repair');
  }

  #offerEnded(wantedBy: 'hold' | 'repair' | undefined, refusal: { status: number; reason: string } | undefined) {
    if (wantedBy === 'hold') this.talk.offered(refusal?.status);
    if (wantedBy === 'repair') this.repair.answered(refusal);
  }

  /** True where the answer can be used; ends the call where it cannot. */
  #useAnswer(body: Body | undefined): boolean {
    const why = body === undefined ? 'the answer has no session description' : this.#parts.sound.acceptAnswer(body);
    if (why === undefined) {
      if (this.#call.state === 'talking') this.talk.start('us');
      return true;
    }
    this.#call.hangUp(why);
    return false;
  }
}
