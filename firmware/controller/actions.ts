/** Does what was asked: one place where every action ends, whoever asks. */
import type { Board, Clock } from '../../hal/contracts.ts';
import { done, unknownName } from './action-results.ts';
import type { CallController } from './call-controller.ts';
import type { Action, ActionResult, Origin } from './contracts.ts';
import type { Doors } from './doors.ts';
import type { FrontPanel } from './front-panel.ts';
import { type Policy, refusal } from './policy.ts';
import type { Recorder } from './recorder.ts';
import type { ZonePages } from './zone-pages.ts';

export interface Hands {
  calls: Pick<CallController, 'outgoing' | 'inHand'>;
  zones: ZonePages;
  doors: Doors;
  panel: FrontPanel;
  recorder: Recorder;
  board: Board;
  clock: Clock;
  policy: Policy;
  /** Sends a text. */
  say(target: string, text: string): ActionResult;
}

/** A debug stall lasts at most this long. Milliseconds. */
const STALL_LIMIT_MS = 10_000;

export function perform(action: Action, origin: Origin, hands: Hands): ActionResult {
  const { calls, zones, doors, panel, board } = hands;
  const refused = refusal(action, origin, hands.policy);
  if (refused !== undefined) return refused;
  switch (action.do) {
    case 'call':
      return calls.outgoing.call(action.target, action.account);
    case 'answer':
      return calls.inHand.answer();
    case 'hang up':
      return hangUp(action.target, hands);
    case 'open':
      return doors.open(action.door, origin);
    case 'page':
      if (zones.isZone(action.target)) return zones.page(action.target, action.file, origin);
      return calls.outgoing.page(action.target, action.file);
    case 'message':
      return hands.say(action.target, action.text);
    case 'press':
      return panel.press(action.button, action.holdMs);
    case 'dial':
      return calls.inHand.dial(action.keys);
    case 'hold':
      return calls.inHand.hold(action.target);
    case 'resume':
      return calls.inHand.resume(action.target);
    case 'transfer':
      return calls.inHand.transfer(action.target);
    case 'join':
      return calls.inHand.join();
    case 'record':
      return hands.recorder.record(action.what, action.forMs);
    case 'stop recording':
      return hands.recorder.stop();
    case 'move input':
      if (!(action.input in board.definition.inputs))
        return unknownName('input', action.input, Object.keys(board.definition.inputs));
      board.hand?.set(action.input, action.active);
      return done;
    case 'stall':
      stall(hands.clock, action.ms);
      return done;
  }
}

/** Calls and pages, or those with a target. */
function hangUp(target: string | undefined, { calls, zones }: Hands): ActionResult {
  const endsPage = zones.hangUp(target);
  if (target !== undefined && endsPage) return done;
  const result = calls.inHand.hangUp(target);
  return endsPage ? done : result;
}

/** Blocks this thread on purpose: shows that the sound does not depend on it. */
function stall(clock: Clock, ms: number) {
  const untilMs = clock.now() + Math.min(ms, STALL_LIMIT_MS);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const leftMs = () => untilMs - clock.now();
  while (leftMs() > 0) if (Atomics.wait(cell, 0, 0, leftMs()) === 'timed-out') break;
}
