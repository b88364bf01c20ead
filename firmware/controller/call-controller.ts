/** All calls of the device: who is called, who may call, what a press and a key mean. */
import { resolve } from 'node:path';
import { isDialable } from '../io/actions.ts';
import { pressMeaning } from '../io/rules.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { CallSound } from '../media/call-sound.ts';
import type { Media, MediaEvent } from '../media/protocol.ts';
import { StreamsAhead } from '../media/streams-ahead.ts';
import type { CallHandler, IncomingInvite, SipUserAgent } from '../sip/contracts.ts';
import type { Hop } from '../sip/hop.ts';
import { printUri } from '../sip/message/uri.ts';
import { parseTarget } from '../sip/target.ts';
import { callerMatches } from './auto-answer.ts';
import { CallKeys } from './call-keys.ts';
import { CallQuality } from './call-quality.ts';
import type { CallSettings } from './call-settings.ts';
import type { ActionResult, CallStatus } from './contracts.ts';
import { DeviceCall, type DeviceCallPlan } from './device-call.ts';
import type { Doors } from './doors.ts';
import type { EventLog } from './event-log.ts';
import { IncomingCalls } from './incoming-calls.ts';
import { LineUp } from './line-up.ts';
import { LocalTones } from './local-tones.ts';
import { unknownName } from './names.ts';
import { Transfers } from './transfers.ts';

export interface CallControllerParts {
  clock: Clock;
  random: Random;
  events: EventLog;
  media: Media;
  doors: Doors;
  /** Asked anew for each call: a changed contact or limit counts from the next call on. */
  settings: () => CallSettings;
  soundsDirectory: string;
  /** The address that a peer at `remote` can send sound to. */
  hostFor: (remote: string) => string | undefined;
  /** Whether a datagram from this address may ask for automatic answers on this account. */
  isTrusted: (source: string, account: string | undefined) => boolean;
  changed: () => void;
}

/** Asks a far end to answer by itself, in the words of the three families of phones. */
const PAGE_HEADERS = [
  ['Call-Info', '<sip:page>;answer-after=0'],
  ['Alert-Info', '<http://localhost>;info=alert-autoanswer;delay=0'],
  ['Answer-Mode', 'Auto'],
] as const;

export class CallController {
  readonly #parts: CallControllerParts;
  readonly #lines = new LineUp();
  /** Stream → the keys of its call. */
  readonly #keys = new Map<string, CallKeys>();
  readonly #transfers: Transfers;
  readonly #incoming: IncomingCalls;
  readonly #tones: LocalTones;
  readonly #ahead: StreamsAhead;
  readonly #quality: CallQuality;
  #userAgent: SipUserAgent | undefined;

  constructor(parts: CallControllerParts) {
    this.#parts = parts;
    this.#tones = new LocalTones(parts.clock, parts.media);
    this.#ahead = new StreamsAhead(parts.media);
    this.#quality = new CallQuality(parts.events);
    const { clock, events, settings, isTrusted, changed } = parts;
    const begin = (remoteHost: string, plan: DeviceCallPlan) => this.#begin(remoteHost, plan);
    this.#incoming = new IncomingCalls({ clock, events, lines: this.#lines, settings, isTrusted, begin, changed });
    this.#transfers = new Transfers({
      events,
      lines: this.#lines,
      userAgent: () => this.#userAgent,
      allowed: () => settings().transferTo,
      isTrusted,
      begin,
    });
  }

  /** The user agent needs its handler first, and this its user agent. */
  use(userAgent: SipUserAgent) {
    this.#userAgent = userAgent;
  }

  stop() {
    this.#tones.stop();
    this.#incoming.stop();
    for (const keys of this.#keys.values()) keys.stop();
    for (const call of this.#lines.all) call.handle('hang up');
  }

  /** Addresses of ours have come or gone: whoever is talking is told where we are now. */
  networkChanged() {
    for (const call of this.#lines.all) call.networkChanged();
  }

  get active() {
    return this.#lines.size;
  }

  // ---- actions ------------------------------------------------------------------------------------------------

  press(action: () => ActionResult): ActionResult | undefined {
    // Nobody here is in a call with an announcement: help can be called beside it.
    const { own: call, ringing } = this.#lines;
    const state = call === undefined ? 'none' : call === ringing ? 'ringing' : ringing ? 'knocked at' : 'active';
    switch (pressMeaning({ state, forMs: call?.sinceMs ?? 0 }, this.#parts.settings().press)) {
      case 'do its action':
        return action();
      case 'answer':
        return this.answer();
      case 'hang up':
        return this.hangUp();
      case 'nothing':
        return undefined;
    }
  }

  call(target: string, account: string | undefined): ActionResult {
    return this.#place(target, { account, page: false, file: undefined });
  }

  page(target: string, file: string | undefined): ActionResult {
    const path = file === undefined ? undefined : resolve(this.#parts.soundsDirectory, file);
    return this.#place(target, { account: undefined, page: true, file: path });
  }

  answer(): ActionResult {
    const { ringing } = this.#lines;
    if (ringing === undefined) return notNow('no call is ringing');
    ringing.handle('answer');
    return done;
  }

  /** All calls, or those with `target`. */
  hangUp(target?: string): ActionResult {
    const calls = this.#meant(target, this.#lines.all, 'there is no call');
    if ('done' in calls) return calls;
    for (const call of calls) call.handle('hang up');
    return done;
  }

  dial(keys: string): ActionResult {
    const call = this.#lines.heard.find(({ isAnnouncement }) => !isAnnouncement);
    if (call === undefined) return notNow('no call is answered');
    if (!/^[0-9A-D*#]{1,32}$/.test(keys))
      return { done: false, code: 'bad request', why: `"${keys}" are not keys: 1 to 32 of 0-9, *, #, A-D` };
    call.dial(keys);
    return done;
  }

  /** Those with `target`, or all that are heard. */
  hold(target?: string): ActionResult {
    const calls = this.#meant(
      target,
      this.#lines.heard.filter(({ isAnnouncement }) => !isAnnouncement),
      'no call is talked in',
    );
    if ('done' in calls) return calls;
    for (const call of calls) this.#lines.hold(call);
    return done;
  }

  /** One call, or those of a conference; who is heard now is held in its place. */
  resume(target?: string): ActionResult {
    const calls = this.#meant(
      target,
      this.#lines.answered.filter(({ talk }) => talk.isHeld),
      'no call is on hold here',
    );
    if ('done' in calls) return calls;
    if (calls.length > 1 && !calls.every(({ talk }) => talk.isJoined))
      return { done: false, code: 'bad request', why: `say which: ${calls.map(uriOf).join(', ')} are on hold` };
    for (const call of calls) this.#lines.resume(call);
    return done;
  }

  /** Passes the call that is talked in on to `target`; without one, connects the two that are up. */
  transfer(target?: string): ActionResult {
    const answered = this.#lines.answered.filter(({ isAnnouncement }) => !isAnnouncement);
    const { front } = this.#lines;
    if (front === undefined || !answered.includes(front)) return notNow('no call is answered');
    if (target === undefined) {
      const other = answered.find(call => call !== front);
      return other !== undefined && answered.length === 2
        ? this.#transfers.connect(other, front)
        : notNow(
            `it takes two answered calls to connect them; there ${answered.length === 1 ? 'is' : 'are'} ${answered.length}`,
          );
    }
    const uri = this.#uriOf(target);
    if (typeof uri !== 'string') return uri;
    return this.#transfers.pass(front, uri);
  }

  join(): ActionResult {
    const count = this.#lines.answered.filter(({ isAnnouncement }) => !isAnnouncement).length;
    if (count < 2)
      return notNow(`it takes two answered calls to join them; there ${count === 1 ? 'is' : 'are'} ${count}`);
    this.#lines.join();
    return done;
  }

  /** Of these calls, the ones with `target`; without a target all of them. */
  #meant(target: string | undefined, among: DeviceCall[], none: string): DeviceCall[] | ActionResult {
    if (target === undefined) return among.length > 0 ? among : notNow(none);
    const uri = this.#uriOf(target);
    if (typeof uri !== 'string') return uri;
    const calls = among.filter(call => callerMatches(uri, uriOf(call)));
    if (calls.length > 0) return calls;
    return notNow(among.length > 0 ? `there is ${among.map(uriOf).join(', ')}, and not ${uri}` : none);
  }

  /** The URI that a contact stands for, or that is one. */
  #uriOf(target: string): string | ActionResult {
    const { contacts } = this.#parts.settings();
    const contact = contacts[target];
    if (contact === undefined && !isDialable(target)) return unknownName('contact', target, Object.keys(contacts));
    const parsed = this.#targetUri(contact?.uri ?? target, contact?.account);
    return 'done' in parsed ? parsed : parsed.text;
  }

  /** A SIP URI as it is written; a number as one of the server of the account that would call. */
  #targetUri(uri: string, account: string | undefined): { text: string; host: string } | ActionResult {
    const parsed = this.#userAgent?.targetUri(uri, account) ?? parseTarget(uri);
    if ('kind' in parsed) return { done: false, code: 'bad request', why: `${uri} cannot be called: ${parsed.why}` };
    return { text: /^sips?:/i.test(uri) ? uri : printUri(parsed), host: parsed.host };
  }

  #place(target: string, how: { account: string | undefined; page: boolean; file: string | undefined }): ActionResult {
    const settings = this.#parts.settings();
    const userAgent = this.#userAgent;
    if (userAgent === undefined) return { done: false, code: 'not now', why: 'the telephone part is starting' };
    const contact = settings.contacts[target];
    const uri = contact?.uri ?? target;
    if (contact === undefined && !isDialable(target))
      return unknownName('contact', target, Object.keys(settings.contacts));
    const account = how.account ?? contact?.account;
    if (account !== undefined && !settings.accounts.includes(account))
      return unknownName('account', account, settings.accounts);
    const parsed = this.#targetUri(uri, account);
    if ('done' in parsed) return parsed;
    if (this.#lines.taken >= settings.maxCalls)
      return notNow(`${this.#lines.taken} of ${settings.maxCalls} calls are up; hang up first`);
    this.#begin(parsed.host, {
      direction: 'outgoing',
      remote: { uri: parsed.text },
      account,
      headers: how.page ? PAGE_HEADERS : [],
      page: how.page,
      file: how.file,
      invite: (body, handler) =>
        userAgent.call({ target: uri, account, body, headers: how.page ? PAGE_HEADERS : [] }, handler),
    });
    return { done: true };
  }

  // ---- incoming -----------------------------------------------------------------------------------------------

  onInvite(invite: IncomingInvite): CallHandler {
    if (invite.replaces !== undefined) return this.#transfers.replacing(invite, invite.replaces);
    return this.#incoming.onInvite(invite);
  }

  #begin(remoteHost: string, plan: DeviceCallPlan): DeviceCall {
    const { clock, random, events, media, doors, hostFor } = this.#parts;
    const settings = this.#parts.settings();
    const { stream, ports } = this.#ahead.take();
    const sound = new CallSound(media, {
      stream,
      ports,
      capabilities: settings.capabilities,
      encryption: settings.encryption(plan.account),
      newKey: bytes => Uint8Array.from(Buffer.from(random.token(bytes), 'hex')),
      host: hostFor(remoteHost) ?? '127.0.0.1',
      bind: settings.bind,
      sessionId: String(random.uint32()),
    });
    const call: DeviceCall = new DeviceCall(
      {
        clock,
        events,
        media,
        sound,
        tones: this.#tones,
        hostNow: () => hostFor(remoteHost),
        limits: { ringForMs: settings.ringForMs, talkForMs: settings.talkForMs },
        changed: this.#parts.changed,
        onTransfer: (transfer, answer) => this.#transfers.asked(call, transfer, answer),
        othersTalk: () => this.#lines.heard.length > 0,
        onTalking: () => this.#lines.makeWay(call),
        onTalk: source => this.#told(call, 'talk', source),
        onHold: source => this.#told(call, 'hold', source),
        onKey: (key, lastedMs) => keys.pressed(key, 'info', lastedMs),
        finished: () => {
          keys.stop();
          this.#keys.delete(stream);
          this.#lines.remove(call);
          this.#quality.callEnded(stream, uriOf(call));
          this.#incoming.lineFreed();
          this.#parts.changed();
        },
      },
      plan,
    );
    const keys = new CallKeys(
      { clock, events, media, doors, settings: settings.dtmf, codes: () => this.#parts.settings().codes },
      call,
    );
    this.#keys.set(stream, keys);
    // A visitor who calls a second party is done with the first for now; a transfer has seen to it.
    if (plan.direction === 'outgoing' && plan.besides === undefined) this.#lines.makeWay(call);
    this.#lines.add(call);
    call.start();
    // Now that the answer is out.
    this.#ahead.fill(settings.bind, settings.maxCalls);
    this.#parts.changed();
    return call;
  }

  /** NOTIFY `talk` or `hold`: the far end's own button for this call. */
  #told(call: DeviceCall, what: 'talk' | 'hold', { host }: Hop) {
    const remote = uriOf(call);
    if (!this.#incoming.mayControl(call, host)) {
      const why = `${remote} at ${host} may not have calls answered (calls.autoAnswer)`;
      this.#parts.events.tell('call', 'remote control refused', { remote, what, why });
    } else if (what === 'hold') this.#lines.hold(call);
    else if (call.state === 'ringing') call.handle('answer');
    else if (call.talk.isHeld) this.#lines.resume(call);
  }

  // ---- the media thread ---------------------------------------------------------------------------------------

  onMediaEvent(event: MediaEvent) {
    this.#quality.onMediaEvent(event);
    if (event.is === 'ready') {
      const { bind, maxCalls } = this.#parts.settings();
      this.#ahead.fill(bind, maxCalls);
      return;
    }
    if (this.#ahead.onMediaEvent(event)) return;
    if (event.is === 'report') {
      for (const [stream, statistics] of Object.entries(event.streams)) {
        const call = this.#lines.get(stream);
        if (call !== undefined) call.statistics = statistics;
      }
      return;
    }
    if (event.is === 'played') {
      this.#lines.get(event.id)?.filePlayed(event.why);
      return;
    }
    if (!('stream' in event)) return;
    const call = this.#lines.get(event.stream);
    if (call === undefined) return;
    switch (event.is) {
      case 'opened':
        call.soundOpened(event.rtpPort, event.rtcpPort);
        break;
      case 'failed':
        if (event.doing === 'open' || event.doing === 'start') call.soundFailed(event.why);
        else this.#parts.events.tell('call', 'sound failed', { doing: event.doing, why: event.why });
        break;
      case 'dtmf':
        this.#keys.get(event.stream)?.pressed(event.key, 'rtp', event.durationMs);
        break;
      case 'not authentic':
        this.#parts.events.tell('call', 'wrong key', { remote: call.plan.remote.uri, packets: event.packets });
        break;
      case 'silent':
        call.peerSilent(event.forMs);
        break;
    }
  }

  // ---- what is shown ------------------------------------------------------------------------------------------

  status(): CallStatus {
    const { front } = this.#lines;
    return front === undefined ? { state: 'idle' } : statusOf(front);
  }

  /** Callers for whom no line is free, the next one first. */
  get waiting() {
    return this.#incoming.waiting;
  }

  /** Those that `status` does not tell of. */
  others(): CallStatus[] {
    const { all, front } = this.#lines;
    return all.filter(call => call !== front).map(statusOf);
  }
}

const done: ActionResult = { done: true };
const notNow = (why: string): ActionResult => ({ done: false, code: 'not now', why });
const uriOf = (call: DeviceCall) => call.plan.remote.uri;

function statusOf(call: DeviceCall): CallStatus {
  const { answeredForMs } = call;
  const { isHeld, isHeldThere, isJoined } = call.talk;
  const held = isHeld ? (isHeldThere ? 'both' : 'here') : isHeldThere ? 'there' : undefined;
  return {
    state: call.shown,
    direction: call.plan.direction,
    remote: uriOf(call),
    displayName: call.plan.remote.displayName,
    codec: call.codec,
    answeredFor: answeredForMs === undefined ? undefined : Math.floor(answeredForMs / 1000),
    mode: call.mode,
    ...(held && { held }),
    ...(isJoined && { joined: true }),
    statistics: call.statistics,
  };
}
