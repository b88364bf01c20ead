/**
 * One call of the device: joins a SIP dialog and a stream of sound, and moves through the table of `call-states`.
 * It decides nothing about who may call: that is the call controller's.
 */
import type { Clock } from '../lib/clock.ts';
import type { CallSound } from '../media/call-sound.ts';
import type { Media, StreamStatistics } from '../media/protocol.ts';
import type { Body, CallEnd, CallHandler, HeaderFields, Party, Call as SipCall } from '../sip/contracts.ts';
import type { AnswerMode } from './answer-rules.ts';
import { CallRepair } from './call-repair.ts';
import { type Effect, type Event, incoming, outgoing, type State } from './call-states.ts';
import { Conversation } from './conversation.ts';
import type { EventLog } from './event-log.ts';
import type { LocalTones } from './local-tones.ts';

export interface DeviceCallParts {
  clock: Clock;
  events: EventLog;
  media: Media;
  sound: CallSound;
  tones: LocalTones;
  /** The address of ours that the other side can send sound to now; undefined while there is none. */
  hostNow(): string | undefined;
  limits: { ringForMs: number; talkForMs: number };
  /** Something in the call's status changed. */
  changed(): void;
  /** A key, told by INFO. */
  onKey(key: string, lastedMs: number): void;
  /** The other side wants us to talk to somebody else. */
  onTransfer: NonNullable<CallHandler['onTransfer']>;
  /** The other side wants the call answered, taken off hold, or held (NOTIFY `talk`, `hold`). */
  onTalk: NonNullable<CallHandler['onTalk']>;
  onHold: NonNullable<CallHandler['onHold']>;
  /** Somebody else talks already. */
  othersTalk(): boolean;
  /** It is answered and takes the device's ear. */
  onTalking(): void;
  /** The call is over and has let go of everything. */
  finished(): void;
}

export type DeviceCallPlan =
  | {
      direction: 'outgoing';
      remote: Party;
      account: string | undefined;
      headers: HeaderFields;
      /** A WAV to play when answered; the call ends with it. */
      file: string | undefined;
      page: boolean;
      /** Sends the INVITE. Throws where the target cannot be called. */
      invite(body: Body, handler: CallHandler): SipCall;
      /** It comes of a transfer of that call, which is not held for it. */
      besides?: DeviceCall;
      /** Each status that the INVITE meets, for who asked for this call. The last is 200 or higher. */
      onStatus?(status: number): void;
    }
  | {
      direction: 'incoming';
      remote: Party;
      account: string | undefined;
      session: SipCall;
      offer: Body | undefined;
      /** Answers by itself after this long. */
      answerAfterMs: number | undefined;
      /** Callers that are not answered by themselves are not let ring either. */
      refuse: boolean;
      mode: AnswerMode;
      /** A gong says that it was answered by itself. */
      gong: boolean;
      /** The 200 says whether it was answered by itself (RFC 5373 §4). */
      tellsMode: boolean;
      /** It has been answered: what it takes the place of may go. */
      onAccepted?(): void;
    };

/** A key that we send, and the pause after it. Milliseconds. */
const TONE_MS = 100;
const GAP_MS = 60;

/** Busy Here, Busy Everywhere, Decline. */
const BUSY = [486, 600, 603];

export class DeviceCall implements CallHandler {
  readonly stream: string;
  readonly plan: DeviceCallPlan;
  readonly #parts: DeviceCallParts;
  readonly #timers = new Set<() => void>();
  readonly #startedMs: number;
  readonly #repair: CallRepair;
  #state: State = 'opening';
  #session: SipCall | undefined;
  #answer: Body | undefined;
  #early = false;
  #answeredMs: number | undefined;
  #why: string | undefined;
  #end: CallEnd | undefined;
  #toldFinal = false;
  /** The session that ends just now is followed by another in its place. */
  #callsAnew = false;
  readonly talk: Conversation;
  /** Who wanted the offer that is open. */
  #offerFor: 'hold' | 'repair' | undefined;
  statistics: StreamStatistics | undefined;

  constructor(parts: DeviceCallParts, plan: DeviceCallPlan) {
    this.#parts = parts;
    this.plan = plan;
    this.stream = parts.sound.stream;
    this.#startedMs = parts.clock.now();
    if (plan.direction === 'incoming') this.#session = plan.session;
    const { clock, events, media, sound, changed } = parts;
    const remote = plan.remote.uri;
    this.talk = new Conversation({
      clock,
      events,
      media,
      sound,
      remote,
      mode: this.mode,
      session: () => this.#session,
      offer: () => this.#offer('hold'),
      changed,
    });
    this.#repair = new CallRepair({
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

  start() {
    if (this.#parts.sound.isOpen) this.handle('sound opened');
    else this.#parts.sound.open();
  }

  get state() {
    return this.#state;
  }

  isOf(session: SipCall) {
    return this.#session === session;
  }

  get codec() {
    return this.#parts.sound.negotiated?.codec.name;
  }

  get mode() {
    return this.plan.direction === 'incoming' ? this.plan.mode : 'talk';
  }

  get sinceMs() {
    return this.#parts.clock.now() - this.#startedMs;
  }

  get answeredForMs() {
    return this.#answeredMs === undefined ? undefined : this.#parts.clock.now() - this.#answeredMs;
  }

  /** Addresses of ours have come or gone. */
  networkChanged() {
    const isCalling = this.#state === 'calling' || this.#state === 'ringback';
    this.#repair.networkChanged(isCalling ? 'calling' : this.#state === 'talking' ? 'talking' : 'other');
  }

  /** What names it to SIP; absent before the INVITE. */
  get session() {
    return this.#session;
  }

  /** An announcement to us: nobody answers it, and nobody holds it. */
  get isAnnouncement() {
    return this.plan.direction === 'incoming' && this.plan.mode === 'page';
  }

  /** Another call has begun or ended to talk: this one, ringing, rings aloud or knocks. */
  othersChanged() {
    if (this.#state === 'ringing') this.#ringAloud();
  }

  #ringAloud() {
    this.#parts.tones.play(this.#parts.othersTalk() ? 'waiting' : 'ring', this.stream);
  }

  // ---- what the media thread says -----------------------------------------------------------------------------

  soundOpened(rtpPort: number, rtcpPort: number) {
    this.#parts.sound.opened(rtpPort, rtcpPort);
    this.handle('sound opened');
  }

  soundFailed(why: string) {
    this.#why = why;
    this.handle(this.#state === 'opening' ? 'sound failed' : 'hang up');
  }

  peerSilent(forMs: number) {
    this.#why = `nothing was heard of the other side for ${Math.round(forMs / 1000)} s`;
    this.handle('peer silent');
  }

  /** The announcement that this call was for has ended, or could not be played. */
  filePlayed(why: string | undefined) {
    this.#why = why;
    this.handle('hang up');
  }

  /** Keys for the far end: as RTP events where it takes them (RFC 4733), else by INFO. */
  dial(keys: string) {
    const { media, sound } = this.#parts;
    if (sound.negotiated?.telephoneEvent !== undefined)
      media.send({ do: 'send dtmf', stream: this.stream, keys, toneMs: TONE_MS, gapMs: GAP_MS });
    else for (const key of keys) this.#session?.sendKey(key, TONE_MS);
  }

  // ---- what SIP says ------------------------------------------------------------------------------------------

  onProgress(status: number, _reason: string, body: Body | undefined) {
    this.#tellStatus(status);
    if (body !== undefined && this.#parts.sound.acceptAnswer(body) === undefined) {
      this.#early = true;
      this.#parts.sound.start();
      this.#parts.tones.silence(this.stream);
    }
    this.handle('progress');
  }

  onAnswered(body: Body | undefined) {
    if (this.plan.direction === 'incoming') {
      // The answer to our own offer comes in the ACK (RFC 3261 §13.2.1).
      if (body !== undefined) this.#useAnswer(body);
      return;
    }
    if (body !== undefined || !this.#early) {
      if (!this.#useAnswer(body)) return;
    }
    this.handle('answered');
    this.#tellStatus(200);
  }

  onOffer(body: Body | undefined, answer: { accept(body: Body): void; refuse(status: number, reason?: string): void }) {
    if (body === undefined) {
      answer.accept(this.#parts.sound.offer(this.talk.direction));
      return;
    }
    const ours = this.#parts.sound.answer(body, this.talk.direction);
    if ('status' in ours) {
      answer.refuse(ours.status);
      return;
    }
    answer.accept(ours);
    if (this.#state === 'talking') this.talk.start('them');
    else if (this.#early) this.#parts.sound.start();
    this.#parts.changed();
  }

  /** The answer to an offer of ours inside the call: one that the peer had asked for (RFC 3261 §14.2). */
  onReoffered(result: { body: Body } | { status: number; reason: string }) {
    if ('body' in result && this.#useAnswer(result.body)) this.#parts.changed();
    const by = this.#offerFor;
    this.#offerFor = undefined;
    this.#offerEnded(by, 'status' in result ? result : undefined);
  }

  /** An offer of ours, one at a time. How it ends is told to who wanted it, perhaps at once. */
  #offer(wantedBy: 'hold' | 'repair') {
    if (this.#offerFor !== undefined)
      return this.#offerEnded(wantedBy, { status: 491, reason: 'another offer is open' });
    this.#offerFor = wantedBy;
    this.#session?.reoffer(this.#parts.sound.offer(this.talk.direction), wantedBy === 'repair');
  }

  #callAnew(host: string) {
    const { sound, events } = this.#parts;
    if (this.plan.direction !== 'outgoing') return;
    events.tell('call', 'calling anew', { remote: this.plan.remote.uri, host });
    this.#callsAnew = true;
    this.#session?.hangUp();
    this.#callsAnew = false;
    this.#early = false;
    sound.moveTo(host);
    this.#session = this.plan.invite(sound.offer(this.talk.direction), this);
  }

  #offerEnded(wantedBy: 'hold' | 'repair' | undefined, refusal: { status: number; reason: string } | undefined) {
    if (wantedBy === 'hold') this.talk.offered(refusal?.status);
    if (wantedBy === 'repair') this.#repair.answered(refusal);
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

  onRefresh() {
    return this.#parts.sound.offer(this.talk.direction);
  }

  onKey(key: string, lastedMs: number) {
    this.#parts.onKey(key, lastedMs);
  }

  onEnded(end: CallEnd) {
    if (this.#callsAnew) return;
    this.#end = end;
    this.#tellStatus(end.by === 'refusal' ? end.status : end.by === 'failure' ? 408 : 487);
    this.handle('ended');
  }

  #tellStatus(status: number) {
    if (this.plan.direction !== 'outgoing' || this.#toldFinal) return;
    this.#toldFinal = status >= 200;
    this.plan.onStatus?.(status);
  }

  // ---- the table ----------------------------------------------------------------------------------------------

  handle(event: Event) {
    const table = this.plan.direction === 'outgoing' ? outgoing : incoming;
    const cell = table[this.#state][event];
    if (cell === undefined) return;
    const [next, ...effects] = cell;
    this.#state = next;
    for (const effect of effects) this.#perform(effect);
    this.#parts.changed();
  }

  #perform(effect: Effect) {
    const { clock, events, media, sound, tones, limits } = this.#parts;
    const plan = this.plan;
    switch (effect) {
      case 'invite':
        if (plan.direction === 'outgoing') {
          events.tell('call', 'calling', { remote: plan.remote.uri, page: plan.page });
          this.#session = plan.invite(sound.offer(this.talk.direction), this);
        }
        break;
      case 'play ringback':
        events.tell('call', 'ringback', { remote: plan.remote.uri });
        if (!this.#early) tones.play('ringback', this.stream);
        break;
      case 'ring':
        if (plan.direction === 'incoming' && plan.refuse) {
          this.#why = 'calls.incoming is "refuse"';
          this.handle('ring limit');
        } else if (plan.direction === 'incoming') this.#ring(plan.offer, plan.answerAfterMs);
        break;
      case 'accept':
        this.#session?.accept(this.#answer ?? sound.offer(this.talk.direction), this.#answeredHow);
        if (plan.direction === 'incoming') plan.onAccepted?.();
        break;
      case 'start talking':
        this.#cancelTimers();
        this.#answeredMs = clock.now();
        this.talk.start(plan.direction === 'outgoing' ? 'us' : 'them');
        this.#parts.onTalking();
        if (limits.talkForMs > 0) this.#after(limits.talkForMs, 'talk limit');
        events.tell('call', 'answered', {
          remote: plan.remote.uri,
          direction: plan.direction,
          codec: this.codec,
          mode: this.mode,
        });
        if (plan.direction === 'outgoing' && plan.file !== undefined)
          media.send({ do: 'play file', file: plan.file, at: { stream: this.stream }, id: this.stream });
        else if (plan.direction === 'incoming' && plan.gong) tones.explain('page', this.stream);
        this.#repair.look();
        break;
      case 'end session':
        this.#session?.hangUp();
        break;
      case 'refuse: no sound':
        this.#session?.refuse(503, undefined, [['Warning', `399 porter "${this.#why ?? 'no sound'}"`]]);
        break;
      case 'refuse: nobody answers':
        this.#why ??= 'nobody answered';
        this.#session?.refuse(480);
        break;
      case 'fall silent':
        tones.silence(this.stream);
        break;
      case 'say why':
        tones.explain(
          this.#end?.by === 'refusal' && BUSY.includes(this.#end.status) ? 'busy' : 'congestion',
          this.stream,
        );
        break;
      case 'say it is over':
        tones.explain('hangup', this.stream);
        break;
      case 'finish':
        this.#finish();
    }
  }

  #ring(offer: Body | undefined, answerAfterMs: number | undefined) {
    const { sound, limits } = this.#parts;
    if (offer !== undefined) {
      const answer = sound.answer(offer, this.talk.direction);
      if ('status' in answer) {
        this.#why = answer.why;
        this.#session?.refuse(answer.status, undefined, [
          ['Warning', `399 porter "${answer.why.replaceAll('"', "'")}"`],
        ]);
        return;
      }
      this.#answer = answer;
    }
    if (answerAfterMs === 0) {
      this.handle('answer');
      return;
    }
    this.#session?.ring();
    this.#ringAloud();
    if (answerAfterMs === undefined) this.#after(limits.ringForMs, 'ring limit');
    else this.#after(answerAfterMs, 'answer');
  }

  #finish() {
    // Where there was no INVITE at all.
    this.#tellStatus(503);
    const { events, sound, finished } = this.#parts;
    this.#cancelTimers();
    this.#repair.stop();
    this.talk.stop();
    sound.close();
    events.tell('call', 'ended', { remote: this.plan.remote.uri, direction: this.plan.direction, ...this.#outcome() });
    finished();
  }

  /** Who ended it, why, and how long it was talked for. */
  #outcome() {
    const end = this.#end;
    const answeredFor = this.answeredForMs;
    const talkedForSeconds = answeredFor === undefined ? 0 : Math.round(answeredFor / 1000);
    if (end === undefined) return { by: 'us', why: this.#why, talkedForSeconds };
    if (end.by === 'refusal') return { by: end.by, status: end.status, why: end.reason, talkedForSeconds };
    if (end.by === 'failure') return { by: end.by, why: end.why, talkedForSeconds };
    return { by: end.by, why: this.#why ?? (end.by === 'them' ? end.reason : undefined), talkedForSeconds };
  }

  get #answeredHow(): HeaderFields {
    if (this.plan.direction === 'outgoing' || !this.plan.tellsMode) return [];
    return [['Answer-Mode', this.plan.answerAfterMs === undefined ? 'Manual' : 'Auto']];
  }

  /** True where the answer can be used; ends the call where it cannot. */
  #useAnswer(body: Body | undefined): boolean {
    const why = body === undefined ? 'the answer has no session description' : this.#parts.sound.acceptAnswer(body);
    if (why === undefined) {
      if (this.#state === 'talking') this.talk.start('us');
      return true;
    }
    this.#why = why;
    this.handle('hang up');
    return false;
  }

  #after(delayMs: number, event: Event) {
    this.#timers.add(this.#parts.clock.after(delayMs, () => this.handle(event), `call ${event}`));
  }

  #cancelTimers() {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
