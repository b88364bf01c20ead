/** With whom one answered call talks: on hold here or there, joined with others, or cut off for a transfer. */
import type { Clock } from '../lib/clock.ts';
import type { CallSound } from '../media/call-sound.ts';
import type { Company, Direction, Media } from '../media/protocol.ts';
import type { Call as SipCall } from '../sip/contracts.ts';
import type { AnswerMode } from './answer-rules.ts';
import type { EventLog } from './event-log.ts';
import { Hold } from './hold.ts';

export interface ConversationParts {
  clock: Clock;
  events: EventLog;
  media: Media;
  sound: CallSound;
  remote: string;
  mode: AnswerMode;
  /** Absent before there is a dialog. */
  session: () => SipCall | undefined;
  /** Offers `direction` to the peer; how that ends is told to `offered`, perhaps at once. */
  offer(): void;
  changed(): void;
}

export class Conversation {
  readonly #parts: ConversationParts;
  readonly #hold: Hold;
  #begun = false;
  #joined = false;
  #silenced = false;
  #company: Company = 'device';
  /** Both have spoken: a peer that takes its ear away holds the call. One that never listens is an announcement. */
  #twoWay = false;
  #heldThere = false;
  /** Hears the last word on our own transfer. */
  #onTransferred: ((status: number) => void) | undefined;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    const { clock, events, remote } = parts;
    this.#hold = new Hold({
      clock,
      offer: parts.offer,
      onRefused: (held, status) => events.tell('call', held ? 'hold refused' : 'resume refused', { remote, status }),
    });
  }

  /** What we want at most in an offer or answer (RFC 3264 §8.4). */
  get direction(): Direction {
    if (this.isHeld) return this.#parts.mode === 'talk' ? 'sendonly' : 'inactive';
    return this.#parts.mode === 'talk' ? 'sendrecv' : 'recvonly';
  }

  /** By us. */
  get isHeld() {
    return this.#hold.wanted;
  }

  /** By the peer: it has taken its ear away, in any of the forms of RFC 3264 §8.4. */
  get isHeldThere() {
    return this.#heldThere;
  }

  get isJoined() {
    return this.#joined;
  }

  /** The sound as agreed; tells where the peer has begun or ceased to hold. */
  start(offeredBy: 'us' | 'them') {
    this.#begun = true;
    const { sound, events, remote } = this.#parts;
    const direction = sound.negotiated?.direction;
    if (direction === 'sendrecv') this.#twoWay = true;
    const before = this.#heldThere;
    if (!this.isHeld) this.#heldThere = this.#twoWay && (direction === 'recvonly' || direction === 'inactive');
    // The answer to our own hold says nothing of theirs: RFC 3264 §6.1 lets it be `inactive` or `recvonly`.
    else if (offeredBy === 'them') this.#heldThere = this.#twoWay && direction === 'inactive';
    sound.start(this.#heldThere);
    if (this.#heldThere !== before) events.tell('call', before ? 'resumed' : 'held', { remote, by: 'them' });
  }

  /** How an offer of ours ended: taken, or refused with this status. */
  offered(refusedWith?: number) {
    this.#hold.ended(refusedWith);
  }

  hold(held: boolean) {
    if (!this.#begun || held === this.isHeld) return;
    const { events, remote, changed } = this.#parts;
    events.tell('call', held ? 'held' : 'resumed', { remote, by: 'us' });
    this.#hold.want(held);
    // At once, whatever the peer says to it: whoever holds wants to be unheard.
    this.#connect();
    changed();
  }

  join(joined: boolean) {
    this.#joined = joined;
    this.#connect();
    this.#parts.changed();
  }

  /** The far end has been asked to call somebody else in our place. */
  get isPassedOn() {
    return this.#onTransferred !== undefined;
  }

  /** Neither heard nor hearing, without a word to the peer: for the time of a transfer. */
  silence(silenced: boolean) {
    this.#silenced = silenced;
    this.#connect();
  }

  /** Has the peer call somebody else; `done` is told the final status. False: one is under way, or there is no dialog. */
  transfer(target: string, replacing: SipCall | undefined, done: (status: number) => void): boolean {
    const session = this.#parts.session();
    if (this.#onTransferred !== undefined || session === undefined) return false;
    this.#onTransferred = done;
    this.silence(true);
    session.transfer(target, replacing);
    return true;
  }

  transferred(status: number) {
    if (status < 200) return;
    const done = this.#onTransferred;
    this.#onTransferred = undefined;
    if (status >= 300) this.silence(false);
    done?.(status);
  }

  stop() {
    this.#begun = false;
    this.#hold.stop();
  }

  #connect() {
    const company = this.#silenced || this.isHeld ? 'nobody' : this.#joined ? 'all' : 'device';
    if (company === this.#company || !this.#begun) return;
    this.#company = company;
    this.#parts.media.send({ do: 'connect', stream: this.#parts.sound.stream, with: company });
  }
}
