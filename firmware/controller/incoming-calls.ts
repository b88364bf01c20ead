/** What becomes of a call that comes in: answered by itself, let ring, made to wait, or refused. */
import type { Clock } from '../lib/clock.ts';
import type { CallHandler, IncomingInvite, Party } from '../sip/contracts.ts';
import { judge, mayAsk, type Verdict } from './answer-rules.ts';
import { asksForMode, callerMatches } from './auto-answer.ts';
import type { CallPlan } from './call-plan.ts';
import type { CallSettings } from './call-settings.ts';
import type { DeviceCall } from './device-call.ts';
import type { EventLog } from './event-log.ts';
import type { LineUp } from './line-up.ts';
import { nobody } from './nobody.ts';
import { WaitingCalls } from './waiting-calls.ts';
import { whoCalls } from './who-calls.ts';

/**
 * INVITEs beyond the lines that SIP hands over all the same: the four that may wait, an announcement, and one that takes
 * another's place. More are answered 486 without a question.
 */
export const SPARE_CALLS = 6;

export interface IncomingCallsParts {
  clock: Clock;
  events: EventLog;
  lines: LineUp;
  settings: () => CallSettings;
  isTrusted: (source: string, account: string | undefined) => boolean;
  begin: (remoteHost: string, plan: CallPlan) => DeviceCall;
  changed: () => void;
}

type Automatic = Extract<Verdict, { is: 'answer' }>;

export class IncomingCalls {
  readonly #parts: IncomingCallsParts;
  readonly #waiting: WaitingCalls;

  constructor(parts: IncomingCallsParts) {
    this.#parts = parts;
    this.#waiting = new WaitingCalls(parts);
  }

  /** Who waits for a line. */
  get waiting() {
    return this.#waiting.remotes;
  }

  stop() {
    this.#waiting.stop();
  }

  /** A call has ended. */
  lineFreed() {
    this.#waiting.serve(() => !this.#linesAreTaken);
  }

  onInvite(invite: IncomingInvite): CallHandler {
    const { events, settings } = this.#parts;
    const { autoAnswer } = settings();
    const { call: session, source } = invite;
    const { remote, isTrusted } = whoCalls(invite, this.#parts.isTrusted(source.host, session.account));
    const verdict = judge(invite, { uri: remote.uri, source: source.host, isTrusted }, autoAnswer);
    if (verdict.is === 'not allowed') {
      const { asked, why, insists } = verdict;
      events.tell('call', 'auto-answer refused', { remote: remote.uri, asked, why });
      // RFC 5373 §4: rather no call than one that rings.
      if (insists) return this.#refuse(invite, 403);
    }
    const automatic = verdict.is === 'answer' ? verdict : undefined;
    return this.#admit(invite, remote, automatic) ?? this.#wait(invite, remote, automatic);
  }

  /** Whether the other side of a call may have it answered, or held, by a word inside it (`Event: talk`). */
  mayControl(call: DeviceCall, source: string): boolean {
    const { account, remote } = call.plan;
    const isTrusted = this.#parts.isTrusted(source, account);
    return mayAsk({ uri: remote.uri, source, isTrusted }, this.#parts.settings().autoAnswer);
  }

  get #linesAreTaken() {
    return this.#parts.lines.taken >= this.#parts.settings().maxCalls;
  }

  /** Undefined: there is no room for it now. */
  #admit(invite: IncomingInvite, remote: Party, automatic: Automatic | undefined): CallHandler | undefined {
    const { events, lines, begin, settings } = this.#parts;
    const { autoAnswer, incoming } = settings();
    const others = lines.all;
    const isPage = automatic?.mode === 'page';
    // An announcement goes on beside what is up, and takes no line; but it is heard alone.
    if (automatic !== undefined && others.some(({ isAnnouncement }) => isAnnouncement)) return undefined;
    const isFirst = automatic === undefined || isPage || others.length === 0;
    const ends = !isFirst && autoAnswer.whenBusy === 'end';
    if (!isFirst && autoAnswer.whenBusy === 'refuse') return undefined;
    if (this.#linesAreTaken && !isPage && !ends) return undefined;
    const { call: session, source, body: offer } = invite;
    const refuse = automatic === undefined && incoming === 'refuse';
    const answerAfterMs = automatic?.afterMs;
    // Before anything else is done for it: the caller waits for this word. What its offer cannot have is told after it.
    if (answerAfterMs !== 0 && !refuse) session.ring();
    return begin(source.host, {
      direction: 'incoming',
      remote,
      account: session.account,
      session,
      offer,
      answerAfterMs,
      refuse,
      mode: automatic?.mode ?? 'talk',
      gong: automatic?.tone ?? false,
      tellsMode: asksForMode(invite),
      onTold: () => {
        const { uri, displayName } = remote;
        events.tell('call', 'incoming', { remote: uri, displayName, autoAnswer: automatic !== undefined });
      },
      ...(ends && {
        onAccepted: () => {
          for (const other of others) other.handle('hang up');
        },
      }),
    }).handler;
  }

  #wait(invite: IncomingInvite, remote: Party, automatic: Automatic | undefined): CallHandler {
    const { waiting, incoming } = this.#parts.settings();
    const mayWait =
      this.#linesAreTaken &&
      this.#waiting.size < waiting.limit &&
      (automatic !== undefined || incoming !== 'refuse') &&
      waiting.allow.some(pattern => callerMatches(pattern, remote.uri));
    if (!mayWait) return this.#refuse(invite, 486);
    return this.#waiting.add(
      invite.call,
      remote.uri,
      waiting.forMs,
      () => this.#admit(invite, remote, automatic) ?? this.#refuse(invite, 486),
    );
  }

  #refuse({ call }: IncomingInvite, status: number): CallHandler {
    call.refuse(status);
    return nobody;
  }
}
