/**
 * One call of the device: joins a line of SIP (`call-line`) and a stream of sound, and moves through the table of
 * `call-states`. It decides nothing about who may call: that is for `incoming-calls`.
 */
import type { StreamStatistics } from '../media/protocol.ts';
import type { Body, CallHandler, HeaderFields } from '../sip/contracts.ts';
import { CallLine, type CallOfLine } from './call-line.ts';
import { type CallPlan, type DeviceCallParts, modeOf } from './call-plan.ts';
import { type Effect, type Event, incoming, outgoing, type State } from './call-states.ts';

/** A key that we send, and the pause after it. Milliseconds. */
const TONE_MS = 100;
const GAP_MS = 60;

/** Busy Here, Busy Everywhere, Decline. */
const BUSY = [486, 600, 603];

export class DeviceCall implements CallOfLine {
  readonly stream: string;
  readonly plan: CallPlan;
  readonly #parts: DeviceCallParts;
  readonly #timers = new Set<() => void>();
  readonly #startedMs: number;
  readonly #line: CallLine;
  #state: State = 'opening';
  #answer: Body | undefined;
  #answeredMs: number | undefined;
  #why: string | undefined;
  #announced = false;
  statistics: StreamStatistics | undefined;

  constructor(parts: DeviceCallParts, plan: CallPlan) {
    this.#parts = parts;
    this.plan = plan;
    this.stream = parts.sound.stream;
    this.#startedMs = parts.clock.now();
    this.#line = new CallLine(parts, plan, this);
  }

  start() {
    if (this.#parts.sound.isOpen) this.handle('sound opened');
    else this.#parts.sound.open();
  }

  get state() {
    return this.#state;
  }

  get codec() {
    return this.#parts.sound.negotiated?.codec.name;
  }

  get mode() {
    return modeOf(this.plan);
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
    this.#line.repair.networkChanged(isCalling ? 'calling' : this.#state === 'talking' ? 'talking' : 'other');
  }

  /** Hears of it from SIP. */
  get handler(): CallHandler {
    return this.#line;
  }

  /** With whom it talks: on hold, joined, passed on. */
  get talk() {
    return this.#line.talk;
  }

  /** What names it to SIP; absent before the INVITE. */
  get session() {
    return this.#line.session;
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

  hangUp(why: string | undefined) {
    this.#why = why;
    this.handle('hang up');
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

  /** Keys for the far end: as RTP events where it takes them (RFC 4733), else by INFO. */
  dial(keys: string) {
    const { media, sound } = this.#parts;
    if (sound.negotiated?.telephoneEvent !== undefined)
      media.send({ do: 'send dtmf', stream: this.stream, keys, toneMs: TONE_MS, gapMs: GAP_MS });
    else for (const key of keys) this.session?.sendKey(key, TONE_MS);
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
          this.#line.invite();
        }
        break;
      case 'play ringback':
        events.tell('call', 'ringback', { remote: plan.remote.uri });
        if (!this.#line.hasEarlySound) tones.play('ringback', this.stream);
        break;
      case 'ring':
        if (plan.direction === 'incoming' && plan.refuse) {
          this.#why = 'calls.incoming is "refuse"';
          this.handle('ring limit');
        } else if (plan.direction === 'incoming') this.#ring(plan.offer, plan.answerAfterMs);
        break;
      case 'accept':
        this.session?.accept(this.#answer ?? sound.offer(this.talk.direction), this.#answeredHow);
        this.#announce();
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
        this.#line.repair.look();
        break;
      case 'end session':
        this.session?.hangUp();
        break;
      case 'refuse: no sound':
        this.session?.refuse(503, undefined, [['Warning', `399 porter "${this.#why ?? 'no sound'}"`]]);
        break;
      case 'refuse: nobody answers':
        this.#why ??= 'nobody answered';
        this.session?.refuse(480);
        break;
      case 'fall silent':
        tones.silence(this.stream);
        break;
      case 'say why':
        tones.explain(this.#isBusy ? 'busy' : 'congestion', this.stream);
        break;
      case 'say it is over':
        tones.explain('hangup', this.stream);
        break;
      case 'finish':
        this.#finish();
    }
  }

  get #isBusy() {
    const { end } = this.#line;
    return end?.by === 'refusal' && BUSY.includes(end.status);
  }

  #ring(offer: Body | undefined, answerAfterMs: number | undefined) {
    const { sound, limits } = this.#parts;
    if (offer !== undefined) {
      const answer = sound.answer(offer, this.talk.direction);
      if ('status' in answer) {
        this.#why = answer.why;
        this.session?.refuse(answer.status, undefined, [
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
    this.#announce();
    this.#ringAloud();
    if (answerAfterMs === undefined) this.#after(limits.ringForMs, 'ring limit');
    else this.#after(answerAfterMs, 'answer');
  }

  #announce() {
    if (this.#announced || this.plan.direction !== 'incoming') return;
    this.#announced = true;
    this.plan.onTold?.();
  }

  #finish() {
    this.#announce();
    // Where there was no INVITE at all.
    this.#line.tellStatus(503);
    const { events, sound, finished } = this.#parts;
    this.#cancelTimers();
    this.#line.repair.stop();
    this.talk.stop();
    sound.close();
    events.tell('call', 'ended', { remote: this.plan.remote.uri, direction: this.plan.direction, ...this.#outcome() });
    finished();
  }

  /** Who ended it, why, and how long it was talked for. */
  #outcome() {
    const { end } = this.#line;
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

  #after(delayMs: number, event: Event) {
    this.#timers.add(this.#parts.clock.after(delayMs, () => this.handle(event), `call ${event}`));
  }

  #cancelTimers() {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
