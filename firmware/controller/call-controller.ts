/** All calls of the device: who is called, who may call, what a press and a key mean. */
import { resolve } from 'node:path';
import { pressMeaning } from '../io/rules.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { CallSound } from '../media/call-sound.ts';
import type { Media, MediaEvent } from '../media/protocol.ts';
import { StreamsAhead } from '../media/streams-ahead.ts';
import type { Call, CallHandler, IncomingInvite, Party, SipUserAgent, Transfer } from '../sip/contracts.ts';
import { parseTarget } from '../sip/target.ts';
import { judge } from './answer-rules.ts';
import { asksForMode, callerMatches } from './auto-answer.ts';
import type { CallSettings } from './call-settings.ts';
import type { ActionResult, CallStatus } from './contracts.ts';
import { DeviceCall, type DeviceCallPlan } from './device-call.ts';
import type { Doors } from './doors.ts';
import { DtmfCommands } from './dtmf-commands.ts';
import type { EventLog } from './event-log.ts';
import { type KeyMethod, KeyPresses } from './key-presses.ts';
import { LocalTones } from './local-tones.ts';
import { unknownName } from './names.ts';
import { whoCalls } from './who-calls.ts';

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

/** Of a call that was refused before it was one. */
const nobody: CallHandler = {
  onProgress() {},
  onAnswered() {},
  onOffer: (_, answer) => answer.refuse(488),
  onReoffered() {},
  onRefresh: () => ({ contentType: 'application/sdp', bytes: new Uint8Array() }),
  onEnded() {},
};

type TransferAnswer = Parameters<NonNullable<CallHandler['onTransfer']>>[1];

/** Asks a far end to answer by itself, in the words of the three families of phones. */
const PAGE_HEADERS = [
  ['Call-Info', '<sip:page>;answer-after=0'],
  ['Alert-Info', '<http://localhost>;info=alert-autoanswer;delay=0'],
  ['Answer-Mode', 'Auto'],
] as const;

export class CallController {
  readonly #parts: CallControllerParts;
  readonly #calls = new Map<string, { call: DeviceCall; keys: DtmfCommands; presses: KeyPresses }>();
  readonly #tones: LocalTones;
  readonly #ahead: StreamsAhead;
  #userAgent: SipUserAgent | undefined;

  constructor(parts: CallControllerParts) {
    this.#parts = parts;
    this.#tones = new LocalTones(parts.clock, parts.media);
    this.#ahead = new StreamsAhead(parts.media);
  }

  /** The user agent needs its handler first, and this its user agent. */
  use(userAgent: SipUserAgent) {
    this.#userAgent = userAgent;
  }

  stop() {
    this.#tones.stop();
    for (const { call, keys } of this.#calls.values()) {
      keys.stop();
      call.handle('hang up');
    }
  }

  /** Addresses of ours have come or gone: whoever is talking is told where we are now. */
  networkChanged() {
    for (const { call } of [...this.#calls.values()]) call.networkChanged();
  }

  get active() {
    return this.#calls.size;
  }

  /** The call that a press, a key or a person means: the one that has lasted longest. */
  get #main(): DeviceCall | undefined {
    return this.#calls.values().next().value?.call;
  }

  // ---- actions ------------------------------------------------------------------------------------------------

  press(action: () => ActionResult): ActionResult | undefined {
    const call = this.#main;
    const state = call === undefined ? 'none' : call.state === 'ringing' ? 'ringing' : 'active';
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
    const ringing = [...this.#calls.values()].find(({ call }) => call.state === 'ringing');
    if (ringing === undefined) return { done: false, code: 'not now', why: 'no call is ringing' };
    ringing.call.handle('answer');
    return { done: true };
  }

  hangUp(): ActionResult {
    if (this.#calls.size === 0) return { done: false, code: 'not now', why: 'there is no call' };
    for (const { call } of [...this.#calls.values()]) call.handle('hang up');
    return { done: true };
  }

  dial(keys: string): ActionResult {
    const talking = [...this.#calls.values()].find(({ call }) => call.state === 'talking');
    if (talking === undefined) return { done: false, code: 'not now', why: 'no call is answered' };
    if (!/^[0-9A-D*#]{1,32}$/.test(keys))
      return { done: false, code: 'bad request', why: `"${keys}" are not keys: 1 to 32 of 0-9, *, #, A-D` };
    talking.call.dial(keys);
    return { done: true };
  }

  #place(target: string, how: { account: string | undefined; page: boolean; file: string | undefined }): ActionResult {
    const settings = this.#parts.settings();
    const userAgent = this.#userAgent;
    if (userAgent === undefined) return { done: false, code: 'not now', why: 'the telephone part is starting' };
    const contact = settings.contacts[target];
    const uri = contact?.uri ?? target;
    if (contact === undefined && !/^sips?:/i.test(target))
      return unknownName('contact', target, Object.keys(settings.contacts));
    const parsed = parseTarget(uri);
    if ('kind' in parsed) return { done: false, code: 'bad request', why: `${uri} cannot be called: ${parsed.why}` };
    const account = how.account ?? contact?.account;
    if (account !== undefined && !settings.accounts.includes(account))
      return unknownName('account', account, settings.accounts);
    if (this.#calls.size >= settings.maxCalls)
      return {
        done: false,
        code: 'not now',
        why: `${this.#calls.size} of ${settings.maxCalls} calls are up; hang up first`,
      };
    this.#begin(parsed.host, {
      direction: 'outgoing',
      remote: { uri },
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
    const { events } = this.#parts;
    const settings = this.#parts.settings();
    const { call: session, source } = invite;
    const { remote, isTrusted } = whoCalls(invite, this.#parts.isTrusted(source.host, session.account));
    if (invite.replaces !== undefined) return this.#replace(invite, invite.replaces);
    const caller = { uri: remote.uri, source: source.host, isTrusted };
    const verdict = judge(invite, caller, settings.autoAnswer);
    if (verdict.is === 'not allowed') {
      const { asked, why, insists } = verdict;
      events.tell('call', 'auto-answer refused', { remote: remote.uri, asked, why });
      if (insists) {
        // RFC 5373 §4: rather no call than one that rings.
        session.refuse(403);
        return nobody;
      }
    }
    const automatic = verdict.is === 'answer' ? verdict : undefined;
    events.tell('call', 'incoming', {
      remote: remote.uri,
      displayName: remote.displayName,
      autoAnswer: automatic !== undefined,
    });
    return this.#begin(source.host, {
      direction: 'incoming',
      remote,
      account: session.account,
      session,
      offer: invite.body,
      answerAfterMs: automatic?.afterMs,
      refuse: automatic === undefined && settings.incoming === 'refuse',
      mode: automatic?.mode ?? 'talk',
      gong: automatic?.tone ?? false,
      tellsMode: asksForMode(invite),
    });
  }

  /** INVITE with Replaces: another wants to go on with a call of ours, at the other end of a transfer (RFC 3891). */
  #replace(invite: IncomingInvite, replaces: Call): CallHandler {
    const { call: session, source, body } = invite;
    const { events } = this.#parts;
    const { remote, isTrusted } = whoCalls(invite, this.#parts.isTrusted(source.host, session.account));
    const old = [...this.#calls.values()].find(({ call }) => call.isOf(replaces))?.call;
    const listed = this.#parts.settings().transferTo.some(pattern => callerMatches(pattern, remote.uri));
    const isAllowed = listed && isTrusted;
    if (old === undefined || !isAllowed) {
      const why = listed ? `${source.host} is not a trusted source` : `${remote.uri} is not on calls.transfer.allow`;
      events.tell('call', 'transfer refused', { remote: old?.plan.remote.uri, target: remote.uri, why });
      session.refuse(403);
      return nobody;
    }
    events.tell('call', 'replaced', { remote: old.plan.remote.uri, by: remote.uri });
    return this.#begin(source.host, {
      direction: 'incoming',
      remote,
      account: session.account,
      session,
      offer: body,
      answerAfterMs: 0,
      refuse: false,
      mode: 'talk',
      gong: true,
      tellsMode: false,
      onAccepted: () => old.handle('hang up'),
    });
  }

  /** REFER: the far end wants us to talk to somebody else. The old call goes when the new one is answered. */
  #transfer(call: DeviceCall, { target, headers, replaces }: Transfer, answer: TransferAnswer) {
    const { events } = this.#parts;
    const userAgent = this.#userAgent;
    const remote = call.plan.remote.uri;
    const parsed = parseTarget(target);
    const refuse = (status: number, why: string) => {
      events.tell('call', 'transfer refused', { remote, target, why });
      answer.refuse(status);
    };
    if (userAgent === undefined || call.state !== 'talking') return refuse(480, 'nobody talks');
    if ('kind' in parsed) return refuse(parsed.status, parsed.why);
    if (!this.#parts.settings().transferTo.some(pattern => callerMatches(pattern, target)))
      return refuse(403, `${target} is not on the list of calls.transfer.allow`);
    const { account } = call.plan;
    events.tell('call', 'transfer', { remote, target, attended: replaces });
    const tell = answer.accept();
    this.#begin(parsed.host, {
      direction: 'outgoing',
      remote: { uri: target },
      account,
      headers,
      page: false,
      file: undefined,
      invite: (body, handler) => userAgent.call({ target, account, body, headers }, handler),
      onStatus: status => {
        tell(status);
        if (status >= 200 && status < 300) call.handle('hang up');
      },
    });
  }

  #begin(remoteHost: string, plan: DeviceCallPlan): DeviceCall {
    const { clock, random, events, media, doors, hostFor } = this.#parts;
    const settings = this.#parts.settings();
    const { stream, ports } = this.#ahead.take();
    const sound = new CallSound(media, {
      stream,
      ports,
      capabilities: settings.capabilities,
      host: hostFor(remoteHost) ?? '127.0.0.1',
      bind: settings.bind,
      sessionId: String(random.uint32()),
    });
    const keys = new DtmfCommands(
      clock,
      settings.dtmf,
      () => this.#parts.settings().codes,
      command => {
        const heard = (tone: 'answered' | 'refused') => media.send({ do: 'play tone', tone, at: { stream } });
        const remote: Party = plan.remote;
        if (command.is === 'open')
          heard(doors.open(command.door, 'dtmf', plan.remote.uri).done ? 'answered' : 'refused');
        else {
          const { is, ...facts } = command;
          events.tell('door', is, { remote: remote.uri, ...facts });
          heard('refused');
        }
      },
    );
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
        onTransfer: (transfer, answer) => this.#transfer(call, transfer, answer),
        onKey: (key, lastedMs) => this.#pressed(stream, key, 'info', lastedMs),
        finished: () => {
          keys.stop();
          this.#calls.delete(stream);
          this.#parts.changed();
        },
      },
      plan,
    );
    this.#calls.set(stream, { call, keys, presses: new KeyPresses(clock) });
    call.start();
    // Now that the answer is out.
    this.#ahead.fill(settings.bind, settings.maxCalls);
    this.#parts.changed();
    return call;
  }

  // ---- the media thread ---------------------------------------------------------------------------------------

  onMediaEvent(event: MediaEvent) {
    if (event.is === 'ready') {
      const { bind, maxCalls } = this.#parts.settings();
      this.#ahead.fill(bind, maxCalls);
      return;
    }
    if (this.#ahead.onMediaEvent(event)) return;
    if (event.is === 'report') {
      for (const [stream, statistics] of Object.entries(event.streams)) {
        const entry = this.#calls.get(stream);
        if (entry !== undefined) entry.call.statistics = statistics;
      }
      return;
    }
    if (event.is === 'played') {
      this.#calls.get(event.id)?.call.filePlayed(event.why);
      return;
    }
    if (!('stream' in event)) return;
    const entry = this.#calls.get(event.stream);
    if (entry === undefined) return;
    switch (event.is) {
      case 'opened':
        entry.call.soundOpened(event.rtpPort, event.rtcpPort);
        break;
      case 'failed':
        if (event.doing === 'open' || event.doing === 'start') entry.call.soundFailed(event.why);
        else this.#parts.events.tell('call', 'sound failed', { doing: event.doing, why: event.why });
        break;
      case 'dtmf':
        this.#pressed(event.stream, event.key, 'rtp', event.durationMs);
        break;
      case 'silent':
        entry.call.peerSilent(event.forMs);
        break;
    }
  }

  /** The far end pressed a key. */
  #pressed(stream: string, key: string, by: KeyMethod, lastedMs: number) {
    const entry = this.#calls.get(stream);
    if (entry === undefined || !entry.presses.isNew(key, by, lastedMs)) return;
    this.#parts.events.tell('call', 'key', { remote: entry.call.plan.remote.uri, lastedMs, by });
    // A page is an announcement: whoever makes it has no door to open.
    if (entry.call.state === 'talking' && entry.call.mode !== 'page') entry.keys.key(key);
  }

  // ---- what is shown ------------------------------------------------------------------------------------------

  status(): CallStatus {
    const call = this.#main;
    if (call === undefined) return { state: 'idle' };
    const answeredForMs = call.answeredForMs;
    return {
      state: call.shown,
      direction: call.plan.direction,
      remote: call.plan.remote.uri,
      displayName: call.plan.remote.displayName,
      codec: call.codec,
      answeredFor: answeredForMs === undefined ? undefined : Math.floor(answeredForMs / 1000),
      mode: call.mode,
      statistics: call.statistics,
    };
  }
}
