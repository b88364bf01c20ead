/**
 * How long a call lasts without a sign that both ends still know of it (RFC 4028): what is asked for and agreed on in
 * INVITE and UPDATE, who refreshes, and the end when nobody does.
 */
import type { Clock } from '../../lib/clock.ts';
import type { HeaderFields } from '../contracts.ts';
import { supports } from '../extensions.ts';
import { parseNumber, parseParameters } from '../message/grammar.ts';
import { isMalformed, type Request, type Response } from '../message/message.ts';

/** No session is shorter. Seconds (§5). */
const leastIntervalS = 90;
/** A longer Min-SE than this is not obeyed. Seconds. */
const intervalLimitS = 86_400;
/** Who waits for a refresh hangs up this long before the end, or a third of the interval. Seconds (§10). */
const earlyS = 32;

export interface SessionTimerUser {
  /** Half of the time is over, and it is ours to refresh: ends in `agreed` or `failed`. */
  refresh(): void;
  /** No refresh came: BYE (§10). */
  expire(): void;
}

interface Interval {
  seconds: number;
  refresher: 'uac' | 'uas' | undefined;
}

export class SessionTimer {
  readonly #clock: Clock;
  /** 0: not asked for. */
  readonly #wantedS: number;
  #leastS = leastIntervalS;
  #running: { seconds: number; weRefresh: boolean } | undefined;
  #user: SessionTimerUser | undefined;
  #cancelRefresh = () => {};
  #cancelExpiry = () => {};

  /** `wantedMs`: what we ask for; 0 leaves it to the peer. */
  constructor(clock: Clock, wantedMs: number) {
    this.#clock = clock;
    this.#wantedS = wantedMs === 0 ? 0 : Math.max(leastIntervalS, Math.round(wantedMs / 1000));
  }

  /** The dialog is up. */
  start(user: SessionTimerUser) {
    this.#user = user;
    this.#arm();
  }

  stop() {
    this.#running = undefined;
    this.#disarm();
  }

  /** What an INVITE or UPDATE of ours says (§7.1, §7.4). The first leaves the choice of the refresher to the peer. */
  ask(request: Request) {
    const seconds = Math.max(this.#running?.seconds ?? this.#wantedS, this.#leastS);
    if (this.#running === undefined && this.#wantedS === 0) return;
    const role = this.#running === undefined ? '' : `;refresher=${this.#running.weRefresh ? 'uac' : 'uas'}`;
    request.headers.set('Session-Expires', `${seconds}${role}`);
    // Not needed for the least value of all (§7.1), but it must stay in all that follow a 422 (§7.3).
    if (this.#leastS > leastIntervalS) request.headers.set('Min-SE', String(this.#leastS));
  }

  /** True where a 422 names a longer time that we can live with: the request is worth sending again (§7.3). */
  mayAskAgain({ status, headers }: Response): boolean {
    const least = secondsOf(headers.get('Min-SE'));
    if (status !== 422 || least === undefined || least <= this.#leastS || least > intervalLimitS) return false;
    this.#leastS = least;
    if (this.#running !== undefined) this.#running.seconds = Math.max(this.#running.seconds, least);
    return true;
  }

  /** The 2xx to an INVITE or UPDATE of ours (§7.2): without Session-Expires the session is not timed any more. */
  agreed(response: Response) {
    const interval = intervalOf(response);
    this.#running = interval && { seconds: interval.seconds, weRefresh: interval.refresher !== 'uas' };
    this.#arm();
  }

  /** Our refresh was refused: tried again while there is time. */
  failed() {
    const { seconds } = this.#running ?? {};
    if (seconds === undefined) return;
    this.#cancelRefresh();
    this.#cancelRefresh = this.#clock.after((seconds * 1000) / 8, () => this.#user?.refresh(), 'session refresh again');
  }

  /** Takes the INVITE or UPDATE of the peer that is answered 2xx now. What that says (§9, table 2). */
  accept(request: Request): HeaderFields {
    const knows = supports(request, 'timer');
    const asked = intervalOf(request);
    const wanted = this.#running?.seconds ?? this.#wantedS;
    if (asked === undefined && (!knows || wanted === 0)) {
      this.stop();
      return [];
    }
    const least = secondsOf(request.headers.get('Min-SE')) ?? leastIntervalS;
    const seconds = asked?.seconds ?? Math.max(wanted, Math.min(least, intervalLimitS));
    // Who asked refreshes, unless it cannot: then a proxy has asked, and we do.
    const refresher = knows && asked !== undefined ? (asked.refresher ?? 'uac') : 'uas';
    this.#running = { seconds, weRefresh: refresher === 'uas' };
    this.#arm();
    return [
      ['Session-Expires', `${seconds};refresher=${refresher}`],
      ...(knows ? ([['Require', 'timer']] as const) : []),
    ];
  }

  #arm() {
    this.#disarm();
    if (this.#running === undefined || this.#user === undefined) return;
    const { seconds, weRefresh } = this.#running;
    const expireS = weRefresh ? seconds : seconds - Math.min(earlyS, seconds / 3);
    this.#cancelExpiry = this.#clock.after(expireS * 1000, () => this.#user?.expire(), 'session expires');
    if (weRefresh) {
      this.#cancelRefresh = this.#clock.after(seconds * 500, () => this.#user?.refresh(), 'session refresh');
    }
  }

  #disarm() {
    this.#cancelRefresh();
    this.#cancelExpiry();
  }
}

/** What a 422 to this request says; undefined where its time will do. Who does not know 422 does not get it (§9). */
export function tooBrief(request: Request): HeaderFields | undefined {
  const value = request.headers.get('Session-Expires');
  const asked = value === undefined ? undefined : secondsOf(value);
  if (asked === undefined || asked >= leastIntervalS || !supports(request, 'timer')) return undefined;
  return [['Min-SE', String(leastIntervalS)]];
}

/** `1800;refresher=uac`. Below the least of all it is taken for that. */
function intervalOf({ headers }: Request | Response): Interval | undefined {
  const value = headers.get('Session-Expires');
  const seconds = secondsOf(value);
  if (value === undefined || seconds === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const parameters = semicolon < 0 ? undefined : parseParameters(value, semicolon);
  const refresher = parameters === undefined || isMalformed(parameters) ? undefined : parameters.refresher;
  const role = typeof refresher === 'string' ? refresher.toLowerCase() : undefined;
  return {
    seconds: Math.min(Math.max(seconds, leastIntervalS), intervalLimitS),
    refresher: role === 'uac' || role === 'uas' ? role : undefined,
  };
}

/** The delta-seconds in front of the parameters; undefined for nonsense, which is then as if absent. */
const secondsOf = (value = '') => parseNumber(value.split(';', 1)[0]!.trim(), 2 ** 32 - 1);
