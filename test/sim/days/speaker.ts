/** A user agent of a bad day, with a hand at it that answers, refuses or waits as chance has it, and a record of each call. */
import { type Address, printAddress } from '../../../firmware/lib/address.ts';
import type { Random } from '../../../firmware/lib/random.ts';
import type { Call, CallHandler, IncomingInvite, RegistrationState, Resolve } from '../../../firmware/sip/contracts.ts';
import type { Services } from '../../../firmware/sip/locate/services.ts';
import type { RequestHandler } from '../../../firmware/sip/requests.ts';
import type { AccountSettings, UserAgentSettings } from '../../../firmware/sip/settings.ts';
import { UserAgent } from '../../../firmware/sip/user-agent.ts';
import type { LossyNetwork } from '../lossy-network.ts';
import { seeded } from '../seeded.ts';
import { sdp, strictLog } from '../sip-phone.ts';
import type { StreamNetwork } from '../stream-network.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { pick } from './chance.ts';
import { OwnClock } from './own-clock.ts';
import { CallRecord } from './records.ts';

export interface SpeakerParts {
  clock: VirtualClock;
  network: LossyNetwork;
  streams: StreamNetwork;
  wallClock: () => number;
  resolve: Resolve;
  services: Services;
}

export interface SpeakerOptions {
  name: string;
  address: Address;
  seed: number;
  account: Partial<AccountSettings>;
  settings?: Partial<UserAgentSettings>;
  methods?: Readonly<Record<string, RequestHandler>>;
}

/** Longer than a session without a sign of life lasts: RFC 4028 ends it on the side that is left. */
export const SESSION_MS = 120_000;
export const RING_LIMIT_MS = 45_000;
/** Calls of one side at once. */
export const LINES = 3;

export class Speaker {
  readonly name: string;
  readonly address: Address;
  readonly userAgent: UserAgent;
  readonly records: CallRecord[] = [];
  readonly registrations: RegistrationState[] = [];
  readonly #clock: OwnClock;
  readonly #random: Random;
  readonly #wires: ReturnType<StreamNetwork['host']>;
  readonly #unplug: () => void;
  isDead = false;

  constructor(parts: SpeakerParts, options: SpeakerOptions) {
    const { clock, network, streams, wallClock, resolve, services } = parts;
    const { name, address, seed, account, settings, methods = {} } = options;
    this.name = name;
    this.address = address;
    this.#random = seeded(seed);
    this.#clock = new OwnClock(clock);
    this.#wires = streams.host(address, network, seeded(seed + 1), this.#clock);
    const { transport } = this.#wires;
    this.userAgent = new UserAgent(
      {
        clock: this.#clock,
        wallClock,
        random: seeded(seed + 2),
        log: strictLog,
        // Who has lost its power sends nothing more, not even by another's socket at the same address.
        transport: { ...transport, send: (...message) => this.isDead || transport.send(...message) },
        resolve,
        services,
      },
      {
        accounts: [
          {
            id: 'main',
            aor: `sip:${name}@${printAddress(address)}`,
            register: false,
            expiresMs: 60_000,
            ...account,
          },
        ],
        product: 'porter/test',
        maxCalls: LINES,
        ringLimitMs: RING_LIMIT_MS,
        maxRedirects: 3,
        sessionExpiresMs: SESSION_MS,
        ...settings,
      },
      {
        onInvite: invite => this.#invited(invite),
        onRegistration: (_, state) => this.registrations.push(state),
        notices: { trusts: () => true, onCheckSync() {}, onMessage() {} },
      },
    );
    for (const [method, serve] of Object.entries(methods)) this.userAgent.onRequest(method, serve);
    this.#wires.attach(
      (bytes, from) => this.#clock.run(() => this.userAgent.receive(bytes, from)),
      to => this.#clock.run(() => this.userAgent.connectionLost(to)),
    );
    // A datagram to a machine that sleeps is lost; a byte of a connection waits.
    this.#unplug = network.attach(address, (bytes, from) => {
      if (this.#clock.isAwake) this.userAgent.receive(bytes, from);
    });
    this.userAgent.start();
  }

  // ---- what a day does to it ----------------------------------------------------------------------------------

  get isAwake() {
    return this.#clock.isAwake;
  }

  sleep() {
    this.#clock.sleep();
  }

  wake() {
    this.#clock.wake();
  }

  /** No power: not a word to anybody. */
  die() {
    this.isDead = true;
    this.#clock.die();
    this.#unplug();
    this.#wires.stop();
    for (const record of this.records) record.isLost ||= record.ends.length === 0;
  }

  /** The end of the day, as polite as the time allows. */
  stop(limitMs: number, done: () => void) {
    this.userAgent.stop(limitMs, done);
  }

  close() {
    this.#unplug();
    this.#wires.stop();
  }

  // ---- what a hand does ---------------------------------------------------------------------------------------

  get up(): CallRecord[] {
    return this.records.filter(({ isUp, call }) => isUp && call !== undefined);
  }

  dial(target: string, forMs: number) {
    const record = new CallRecord(this.name);
    this.records.push(record);
    const call = this.userAgent.call({ target, body: sdp('offer') }, this.#handlerOf(record));
    record.call = call;
    // Some calls nobody hangs up: they last until the end, or until the other side is found to be gone.
    if (this.#random.next() < 0.7) this.#later(forMs, () => record.hangUp());
    return record;
  }

  /** Does one of the things that can be done in a call to one that is up. */
  meddle(how: 'offer' | 'hold' | 'key' | 'transfer' | 'hang up' | 'answer', target: string) {
    const { up } = this;
    const record = this.#random.next() < 0.7 ? up.at(-1) : pick(this.#random, up);
    const call = record?.call;
    if (call === undefined) return false;
    switch (how) {
      case 'offer':
        call.reoffer(sdp('new offer'));
        break;
      case 'hold':
        call.reoffer(sdp('a=inactive'));
        this.#later(2_000 * this.#random.next(), () => call.reoffer(sdp('a=sendrecv')));
        break;
      case 'key':
        for (const key of '12#') call.sendKey(key, 100);
        break;
      case 'transfer': {
        const other = this.up.find(one => one !== record && one.isAnswered)?.call;
        if (other === undefined) call.transfer(target);
        else call.transfer(other.remote.uri, other);
        break;
      }
      case 'hang up':
        record!.hangUp();
        break;
      case 'answer':
        call.accept(sdp('answer'));
        break;
    }
    return true;
  }

  #invited({ call, replaces }: IncomingInvite): CallHandler {
    const record = new CallRecord(this.name);
    record.call = call;
    this.records.push(record);
    const mood = this.#random.next();
    const soonMs = 3_000 * this.#random.next();
    const later = (task: () => void) => this.#later(soonMs, task);
    if (replaces !== undefined) {
      call.accept(sdp('answer'));
      replaces.hangUp();
    } else if (mood < 0.1) call.refuse(pick(this.#random, [480, 486, 488, 500, 503, 600, 603]));
    else if (mood < 0.2) call.ring();
    else if (mood < 0.3) call.accept(sdp('answer'));
    else {
      call.ring(mood < 0.5 ? sdp('early answer') : undefined);
      if (mood < 0.9) later(() => call.accept(sdp('answer')));
      else later(() => call.refuse(486));
    }
    const hangsUp = this.#random.next() < 0.5;
    this.#later(4_000 + 90_000 * this.#random.next(), () => {
      if (hangsUp || !record.isTalking) record.hangUp();
    });
    return this.#handlerOf(record);
  }

  /** What a controller may do while it is being told something: the user agent is in the middle of its work. */
  #atOnce(record: CallRecord) {
    const mood = this.#random.next();
    if (mood < 0.03) record.hangUp();
    else if (mood < 0.06) record.call?.reoffer(sdp('offer at once'));
    else if (mood < 0.08) this.userAgent.refreshRegistrations();
    else if (mood < 0.1) record.call?.sendKey('5', 100);
    else if (mood < 0.11) record.call?.transfer('sip:carol@192.0.2.30');
  }

  #handlerOf(record: CallRecord): CallHandler {
    const atOnce = () => this.#atOnce(record);
    return record.handler({
      onProgress: atOnce,
      onAnswered: atOnce,
      onReoffered: atOnce,
      onEnded: atOnce,
      onOffer: (_, answer) => {
        if (this.#random.next() < 0.05) atOnce();
        if (this.#random.next() < 0.9) answer.accept(sdp('new answer'));
        else answer.refuse(488);
      },
      onTransfer: ({ target, headers }, answer) => {
        if (this.#random.next() < 0.2) return answer.refuse(603);
        const tell = answer.accept();
        const next = new CallRecord(this.name);
        this.records.push(next);
        const handler = next.handler({
          onProgress: status => tell(status),
          onAnswered: () => {
            tell(200);
            record.hangUp();
          },
          onEnded: end => tell(end.by === 'refusal' ? end.status : 487),
        });
        const call: Call = this.userAgent.call({ target, headers, body: sdp('offer') }, handler);
        next.call = call;
        if (this.#random.next() < 0.7) this.#later(20_000, () => next.hangUp());
      },
    });
  }

  /** A hand of flesh and blood: it does not sleep with the machine, and does nothing to a dead one. */
  #later(ms: number, task: () => void) {
    this.#clock.after(ms, task, 'hand');
  }
}
