/**
 * The other end of an intercom: a desk telephone on the same stack, with a small registrar. It challenges, answers,
 * speaks, records, keys in codes and pages. Runs on real sockets in the demo and on a virtual network in simulations.
 */
import { join } from 'node:path';
import type { SipSocket } from '../../firmware/controller/sip-socket.ts';
import type { Clock, WallClock } from '../../firmware/lib/clock.ts';
import type { Log } from '../../firmware/lib/log.ts';
import type { Random } from '../../firmware/lib/random.ts';
import { CallSound, type EncryptionPolicy } from '../../firmware/media/call-sound.ts';
import type { Direction, Media, MediaEvent } from '../../firmware/media/protocol.ts';
import type {
  Body,
  CallEnd,
  CallHandler,
  HeaderFields,
  IncomingInvite,
  Resolve,
  Call as SipCall,
  Transfer,
} from '../../firmware/sip/contracts.ts';
import { UserAgent } from '../../firmware/sip/user-agent.ts';
import { Registrar } from './registrar.ts';

export interface DeskParts {
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  log: Log;
  resolve: Resolve;
  socket: SipSocket;
  media: Media;
}

export interface DeskSettings {
  /** The desk's own address, as others reach it. */
  host: string;
  /** Where it listens, if that is another: behind the NAT of a guest's network, say. */
  bind?: string;
  port: number;
  user: string;
  realm: string;
  /** Who may register: user → password. */
  passwords: Readonly<Record<string, string>>;
  /** Other users that the desk can call as. */
  callers: readonly string[];
  codecs: readonly ('opus' | 'PCMA' | 'PCMU')[];
  /** How its calls are encrypted. Absent: where the other side offers it. */
  encryption?: EncryptionPolicy;
  /** What to do with a call from the device. */
  onCall(call: DeskCall): void;
  onEvent(event: DeskEvent): void;
}

export type DeskEvent =
  | { is: 'registered'; user: string; contact: string }
  | { is: 'incoming' | 'ringing' | 'answered'; call: DeskCall }
  | { is: 'ended'; call: DeskCall; end: CallEnd }
  | { is: 'key'; call: DeskCall; key: string };

export class Desk {
  readonly settings: DeskSettings;
  readonly registrar: Registrar;
  readonly userAgent: UserAgent;
  readonly #parts: DeskParts;
  readonly #calls = new Map<string, DeskCall>();
  #count = 0;
  #problem: string | undefined;
  /** A call that takes another's place (RFC 3891): answered at once. */
  onReplacement = (call: DeskCall, old: DeskCall) => {
    call.answer();
    old.hangUp();
  };

  constructor(parts: DeskParts, settings: DeskSettings) {
    this.#parts = parts;
    this.settings = settings;
    this.registrar = new Registrar(parts, {
      realm: settings.realm,
      passwords: settings.passwords,
      onRegistered: (user, contact) => settings.onEvent({ is: 'registered', user, contact }),
    });
    const { clock, wallClock, random, log, resolve, socket } = parts;
    this.userAgent = new UserAgent(
      { clock, wallClock, random, log, resolve, transport: socket },
      {
        accounts: [settings.user, ...settings.callers].map(user => ({
          id: user,
          aor: `sip:${user}@${settings.host}:${settings.port}`,
          register: false,
          expiresMs: 60_000,
        })),
        product: 'PorterDesk',
        maxCalls: 64,
        ringLimitMs: 30_000,
        maxRedirects: 0,
      },
      { onInvite: invite => this.#invited(invite), onRegistration() {} },
    );
    this.userAgent.onRequest('REGISTER', transaction => this.registrar.serve(transaction));
  }

  start() {
    const { media, socket } = this.#parts;
    media.onEvent = event => this.#heard(event);
    media.start();
    socket.start(
      (bytes, from) => this.userAgent.receive(bytes, from),
      why => {
        this.#problem = why;
      },
      to => this.userAgent.connectionLost(to),
    );
    this.userAgent.start();
  }

  async stop() {
    await new Promise<void>(resolve => this.userAgent.stop(2_000, resolve));
    this.registrar.stop();
    this.#parts.socket.stop();
    await this.#parts.media.stop();
  }

  get problem() {
    return this.#problem;
  }

  get calls(): DeskCall[] {
    return [...this.#calls.values()];
  }

  /** Calls a target; a page asks it to answer by itself. */
  call(
    target: string,
    { page = false, caller, headers: extra = [] }: { page?: boolean; caller?: string; headers?: HeaderFields } = {},
  ): DeskCall {
    const headers: HeaderFields = [
      ...(page ? ([['Call-Info', `<sip:${this.settings.host}>;answer-after=0`]] as const) : []),
      ...extra,
    ];
    const call = this.#add(target, undefined);
    call.begin(body => this.userAgent.call({ target, body, headers, account: caller }, call));
    return call;
  }

  #invited(invite: IncomingInvite): CallHandler {
    const replaced = this.calls.find(call => invite.replaces !== undefined && call.isOf(invite.replaces));
    const call = this.#add(invite.call.remote.uri, invite);
    call.replaces = replaced;
    call.begin(undefined);
    return call;
  }

  /** A transfer: the desk calls whom it is told to, and tells how that goes. */
  #passedOn({ target, headers }: Transfer, tell: (status: number) => void) {
    const call = this.call(target, { headers });
    call.onStatus = tell;
  }

  #add(remote: string, invite: IncomingInvite | undefined): DeskCall {
    const { random, media } = this.#parts;
    const stream = `desk-${++this.#count}`;
    const sound = new CallSound(media, {
      stream,
      capabilities: { codecs: this.settings.codecs, ptimeMs: 20, telephoneEvent: true, opusFec: true },
      encryption: this.settings.encryption ?? 'taken',
      newKey: bytes => Buffer.from(random.token(bytes), 'hex'),
      host: this.settings.host,
      bind: this.settings.bind ?? this.settings.host,
      sessionId: String(random.uint32()),
    });
    const call = new DeskCall({
      remote,
      invite,
      sound,
      media,
      settings: this.settings,
      passOn: (transfer, tell) => this.#passedOn(transfer, tell),
      replaced: (call, old) => this.onReplacement(call, old),
      gone: () => this.#calls.delete(stream),
    });
    this.#calls.set(stream, call);
    return call;
  }

  #heard(event: MediaEvent) {
    if (event.is === 'played') this.#calls.get(event.id)?.said(event.why);
    if (!('stream' in event)) return;
    const call = this.#calls.get(event.stream);
    if (event.is === 'opened') call?.opened(event.rtpPort, event.rtcpPort);
    if (event.is === 'failed') call?.hangUp();
    if (event.is === 'dtmf' && call !== undefined) this.settings.onEvent({ is: 'key', call, key: event.key });
  }
}

interface DeskCallParts {
  remote: string;
  invite: IncomingInvite | undefined;
  sound: CallSound;
  media: Media;
  settings: DeskSettings;
  passOn(transfer: Transfer, tell: (status: number) => void): void;
  replaced(call: DeskCall, old: DeskCall): void;
  gone(): void;
}

/** One call of the desk. */
export class DeskCall implements CallHandler {
  readonly remote: string;
  readonly #parts: DeskCallParts;
  #session: SipCall | undefined;
  #invite: ((body: Body) => SipCall) | undefined;
  #opened = false;
  #answer: Body | undefined;
  #onSaid: (() => void) | undefined;
  #direction: Direction = 'sendrecv';
  state: 'opening' | 'ringing' | 'talking' | 'ended' = 'opening';
  end: CallEnd | undefined;
  /** It is to take the place of this one. */
  replaces: DeskCall | undefined;
  /** Each status of its INVITE; of the transfer that made it. */
  onStatus: (status: number) => void = () => {};
  /** What the other side said of our transfer. */
  readonly transferred: number[] = [];

  constructor(parts: DeskCallParts) {
    this.#parts = parts;
    this.remote = parts.remote;
    this.#session = parts.invite?.call;
  }

  get incoming() {
    return this.#parts.invite !== undefined;
  }

  begin(invite: ((body: Body) => SipCall) | undefined) {
    this.#invite = invite;
    this.#parts.sound.open();
  }

  opened(rtpPort: number, rtcpPort: number) {
    if (this.state === 'ended') return;
    const { sound, invite, settings } = this.#parts;
    sound.opened(rtpPort, rtcpPort);
    this.#opened = true;
    if (this.#invite !== undefined) {
      this.#session = this.#invite(sound.offer());
      return;
    }
    const answer = sound.answer(invite?.body);
    if ('status' in answer) {
      this.#session?.refuse(answer.status);
      return;
    }
    this.#answer = answer;
    settings.onEvent({ is: 'incoming', call: this });
    if (this.replaces !== undefined) {
      this.#parts.replaced(this, this.replaces);
      return;
    }
    settings.onCall(this);
  }

  // ---- what a person at the desk does -------------------------------------------------------------------------

  ring() {
    this.state = 'ringing';
    this.#session?.ring();
  }

  answer() {
    if (this.#answer === undefined || this.state === 'talking' || this.state === 'ended') return;
    this.#session?.accept(this.#answer);
    this.#talk();
  }

  get session() {
    return this.#session;
  }

  isOf(session: SipCall) {
    return this.#session === session;
  }

  /** Holds the call in one of the forms of RFC 3264 §8.4, or goes on with it (`sendrecv`). */
  offer(direction: Direction) {
    this.#direction = direction;
    this.#session?.reoffer(this.#parts.sound.offer(direction));
  }

  /** Has the other side call somebody else, or the other side of `replacing`. */
  transfer(target: string, replacing?: DeskCall) {
    this.#session?.transfer(target, replacing?.session);
  }

  refuse(status: number) {
    this.#session?.refuse(status);
  }

  hangUp() {
    if (this.#session !== undefined) this.#session.hangUp();
    else this.onEnded({ by: 'us' });
  }

  sendKeys(keys: string) {
    this.#parts.media.send({ do: 'send dtmf', stream: this.#parts.sound.stream, keys, toneMs: 100, gapMs: 60 });
  }

  sendInfo(key: string) {
    this.#session?.sendKey(key, 100);
  }

  /** A hand over the mouthpiece. */
  mute() {
    this.#parts.media.send({ do: 'mute', stream: this.#parts.sound.stream, muted: true });
  }

  say(file: string, done?: () => void) {
    const { stream } = this.#parts.sound;
    this.#onSaid = done;
    this.#parts.media.send({ do: 'play file', file, at: { stream }, id: stream });
  }

  /** Writes `heard.wav` and `said.wav` of this call into a folder. */
  record(folder: string, name: string) {
    const { media, sound } = this.#parts;
    media.send({ do: 'record', stream: sound.stream, file: join(folder, `${name}-heard.wav`), what: 'received' });
    media.send({ do: 'record', stream: sound.stream, file: join(folder, `${name}-said.wav`), what: 'sent' });
  }

  // ---- what SIP and the media thread say ----------------------------------------------------------------------

  said(_why: string | undefined) {
    const done = this.#onSaid;
    this.#onSaid = undefined;
    done?.();
  }

  onProgress(status: number) {
    this.onStatus(status);
    if (status === 180 && this.state === 'opening') {
      this.state = 'ringing';
      this.#parts.settings.onEvent({ is: 'ringing', call: this });
    }
  }

  onAnswered(body: Body | undefined) {
    if (this.incoming) return;
    if (this.#parts.sound.acceptAnswer(body) !== undefined) this.hangUp();
    else this.#talk();
    this.onStatus(200);
  }

  onTransfer(transfer: Transfer, answer: { accept(): (status: number) => void }) {
    this.#parts.passOn(transfer, answer.accept());
  }

  onTransferred(status: number) {
    this.transferred.push(status);
  }

  onOffer(body: Body | undefined, answer: { accept(body: Body): void; refuse(status: number): void }) {
    const ours =
      body === undefined ? this.#parts.sound.offer(this.#direction) : this.#parts.sound.answer(body, this.#direction);
    if ('status' in ours) {
      answer.refuse(ours.status);
      return;
    }
    answer.accept(ours);
    if (body !== undefined) this.#parts.sound.start();
  }

  onReoffered(result: { body: Body } | { status: number }) {
    if ('body' in result && this.#parts.sound.acceptAnswer(result.body) === undefined) this.#parts.sound.start();
  }

  onRefresh() {
    return this.#parts.sound.offer();
  }

  onEnded(end: CallEnd) {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.end = end;
    if (end.by === 'refusal') this.onStatus(end.status);
    if (this.#opened) this.#parts.sound.close();
    this.#parts.gone();
    this.#parts.settings.onEvent({ is: 'ended', call: this, end });
  }

  #talk() {
    this.state = 'talking';
    this.#parts.sound.start();
    this.#parts.settings.onEvent({ is: 'answered', call: this });
  }
}
