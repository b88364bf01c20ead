/** Calls that are passed on: by the far end (REFER, Replaces), where it may, and by us. */
import type { Call, CallHandler, IncomingInvite, SipUserAgent, Transfer } from '../sip/contracts.ts';
import { parseTarget } from '../sip/target.ts';
import { done, notNow } from './action-results.ts';
import { callerMatches } from './auto-answer.ts';
import type { CallPlan } from './call-plan.ts';
import type { ActionResult } from './contracts.ts';
import type { DeviceCall } from './device-call.ts';
import type { EventLog } from './event-log.ts';
import type { LineUp } from './line-up.ts';
import { nobody } from './nobody.ts';
import { whoCalls } from './who-calls.ts';

export interface TransfersParts {
  events: EventLog;
  lines: LineUp;
  userAgent: () => SipUserAgent | undefined;
  /** Patterns of where a call may be transferred to by the far end. */
  allowed: () => readonly string[];
  isTrusted: (source: string, account: string | undefined) => boolean;
  begin: (remoteHost: string, plan: CallPlan) => DeviceCall;
}

type TransferAnswer = Parameters<NonNullable<CallHandler['onTransfer']>>[1];

export class Transfers {
  readonly #parts: TransfersParts;

  constructor(parts: TransfersParts) {
    this.#parts = parts;
  }

  /** REFER: the far end wants us to talk to somebody else. The old call goes when the new one is answered. */
  asked(call: DeviceCall, { target, headers, replaces }: Transfer, answer: TransferAnswer) {
    const { events, begin } = this.#parts;
    const userAgent = this.#parts.userAgent();
    const remote = call.plan.remote.uri;
    const parsed = parseTarget(target);
    const refuse = (status: number, why: string) => {
      events.tell('call', 'transfer refused', { remote, target, why });
      answer.refuse(status);
    };
    if (userAgent === undefined || call.state !== 'talking') return refuse(480, 'nobody talks');
    if ('kind' in parsed) return refuse(parsed.status, parsed.why);
    if (!this.#isAllowed(target)) return refuse(403, `${target} is not on the list of calls.transfer.allow`);
    const { account } = call.plan;
    events.tell('call', 'transfer', { remote, target, attended: replaces });
    const tell = answer.accept();
    // The two must not hear each other: from here on the new call has the device's ear, or the old one again.
    call.talk.silence(true);
    begin(parsed.host, {
      direction: 'outgoing',
      remote: { uri: target },
      account,
      headers,
      page: false,
      file: undefined,
      besides: call,
      invite: (body, handler) => userAgent.call({ target, account, body, headers }, handler),
      onStatus: status => {
        tell(status);
        if (status >= 200 && status < 300) call.handle('hang up');
        else if (status >= 300) call.talk.silence(false);
      },
    });
  }

  /** INVITE with Replaces: another wants to go on with a call of ours, at the other end of a transfer (RFC 3891). */
  replacing(invite: IncomingInvite, replaces: Call): CallHandler {
    const { events, lines, begin } = this.#parts;
    const { call: session, source, body } = invite;
    const { remote, isTrusted } = whoCalls(invite, this.#parts.isTrusted(source.host, session.account));
    const old = lines.all.find(call => call.session === replaces);
    const listed = this.#isAllowed(remote.uri);
    if (old === undefined || !listed || !isTrusted) {
      const why = listed ? `${source.host} is not a trusted source` : `${remote.uri} is not on calls.transfer.allow`;
      events.tell('call', 'transfer refused', { remote: old?.plan.remote.uri, target: remote.uri, why });
      session.refuse(403);
      return nobody;
    }
    events.tell('call', 'replaced', { remote: old.plan.remote.uri, by: remote.uri });
    return begin(source.host, {
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
    }).handler;
  }

  /** Ours, without a word before: the far end calls `target`, and we are out of it when that has answered. */
  pass(call: DeviceCall, target: string): ActionResult {
    const { events } = this.#parts;
    const remote = call.plan.remote.uri;
    const begun = call.talk.transfer(target, undefined, status => {
      if (status >= 300) return events.tell('call', 'transfer failed', { remote, target, status });
      events.tell('call', 'transferred', { remote, target });
      call.handle('hang up');
    });
    return begun ? done : underWay;
  }

  /** Ours, between two that we talk with: `call` goes on with `other` in our place. */
  connect(call: DeviceCall, other: DeviceCall): ActionResult {
    const { events, lines } = this.#parts;
    const remote = call.plan.remote.uri;
    const target = other.plan.remote.uri;
    const begun = call.talk.transfer(target, other.session, status => {
      if (status >= 300) {
        events.tell('call', 'transfer failed', { remote, target, status });
        // The other has hung up meanwhile: this one is not left alone on hold.
        if (!lines.all.includes(other)) lines.resume(call);
        return;
      }
      events.tell('call', 'transferred', { remote, target });
      call.handle('hang up');
      // Mostly it has been ended by the far end, whose call was replaced.
      other.handle('hang up');
    });
    return begun ? done : underWay;
  }

  #isAllowed(uri: string) {
    return this.#parts.allowed().some(pattern => callerMatches(pattern, uri));
  }
}

const underWay = notNow('this call is being transferred already');
