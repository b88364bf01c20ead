/** What a person, a press or a command does with the calls that are up: answer, hang up, hold, pass on, join. */
import { pressMeaning } from '../io/rules.ts';
import { badRequest, done, notNow } from './action-results.ts';
import { callerMatches } from './auto-answer.ts';
import type { CallSettings } from './call-settings.ts';
import { uriOf } from './call-status.ts';
import type { ActionResult } from './contracts.ts';
import type { DeviceCall } from './device-call.ts';
import type { LineUp } from './line-up.ts';
import type { Transfers } from './transfers.ts';

export interface CallsInHandParts {
  lines: LineUp;
  transfers: Transfers;
  settings: () => CallSettings;
  /** The URI that a target means. */
  uriOf(target: string): string | ActionResult;
}

export class CallsInHand {
  readonly #parts: CallsInHandParts;

  constructor(parts: CallsInHandParts) {
    this.#parts = parts;
  }

  /** A button with `action` behind it: what that means now. Undefined: nothing. */
  press(action: () => ActionResult): ActionResult | undefined {
    // Nobody here is in a call with an announcement: help can be called beside it.
    const { own: call, ringing } = this.#parts.lines;
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

  answer(): ActionResult {
    const { ringing } = this.#parts.lines;
    if (ringing === undefined) return notNow('no call is ringing');
    ringing.handle('answer');
    return done;
  }

  /** All calls, or those with `target`. */
  hangUp(target?: string): ActionResult {
    const calls = this.#meant(target, this.#parts.lines.all, 'there is no call');
    if ('done' in calls) return calls;
    for (const call of calls) call.handle('hang up');
    return done;
  }

  dial(keys: string): ActionResult {
    const [call] = this.#parts.lines.heard.filter(isTalk);
    if (call === undefined) return notNow('no call is answered');
    if (!/^[0-9A-D*#]{1,32}$/.test(keys)) return badRequest(`"${keys}" are not keys: 1 to 32 of 0-9, *, #, A-D`);
    call.dial(keys);
    return done;
  }

  /** Those with `target`, or all that are heard. */
  hold(target?: string): ActionResult {
    const { lines } = this.#parts;
    const calls = this.#meant(target, lines.heard.filter(isTalk), 'no call is talked in');
    if ('done' in calls) return calls;
    for (const call of calls) lines.hold(call);
    return done;
  }

  /** One call, or those of a conference; who is heard now is held in its place. */
  resume(target?: string): ActionResult {
    const { lines } = this.#parts;
    const held = lines.answered.filter(({ talk }) => talk.isHeld);
    const calls = this.#meant(target, held, 'no call is on hold here');
    if ('done' in calls) return calls;
    if (calls.length > 1 && !calls.every(({ talk }) => talk.isJoined))
      return badRequest(`say which: ${calls.map(uriOf).join(', ')} are on hold`);
    for (const call of calls) lines.resume(call);
    return done;
  }

  /** Passes the call that is talked in on to `target`; without one, connects the two that are up. */
  transfer(target?: string): ActionResult {
    const { lines, transfers } = this.#parts;
    const answered = lines.answered.filter(isTalk);
    const { front } = lines;
    if (front === undefined || !answered.includes(front)) return notNow('no call is answered');
    if (target === undefined) {
      const other = answered.find(call => call !== front);
      if (other === undefined || answered.length !== 2) return takesTwo('connect', answered.length);
      return transfers.connect(other, front);
    }
    const uri = this.#parts.uriOf(target);
    return typeof uri === 'string' ? transfers.pass(front, uri) : uri;
  }

  join(): ActionResult {
    const count = this.#parts.lines.answered.filter(isTalk).length;
    if (count < 2) return takesTwo('join', count);
    this.#parts.lines.join();
    return done;
  }

  /** Of these calls, the ones with `target`; without a target all of them. */
  #meant(target: string | undefined, among: DeviceCall[], none: string): DeviceCall[] | ActionResult {
    if (target === undefined) return among.length > 0 ? among : notNow(none);
    const uri = this.#parts.uriOf(target);
    if (typeof uri !== 'string') return uri;
    const calls = among.filter(call => callerMatches(uri, uriOf(call)));
    if (calls.length > 0) return calls;
    return notNow(among.length > 0 ? `there is ${among.map(uriOf).join(', ')}, and not ${uri}` : none);
  }
}

/** Somebody speaks with us: nobody holds an announcement, or passes it on. */
const isTalk = ({ isAnnouncement }: DeviceCall) => !isAnnouncement;

const takesTwo = (verb: string, count: number) =>
  notNow(`it takes two answered calls to ${verb} them; there ${count === 1 ? 'is' : 'are'} ${count}`);
