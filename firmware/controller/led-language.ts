/** What the button LEDs say of the device's state. */
import { blinkFast, blinkSlow, doubleFlash, off, on, type Pattern } from '../io/patterns.ts';
import type { CallState } from './contracts.ts';

const patterns: Record<Exclude<CallState, 'idle'>, Pattern> = {
  calling: blinkFast,
  ringback: blinkSlow,
  ringing: blinkSlow,
  talking: on,
  held: blinkSlow,
  paging: on,
  ending: off,
};

/** A visitor should see before pressing that a call cannot work: `canCall` false flashes while idle. */
export function ledFor(state: CallState, canCall: boolean): Pattern {
  if (state === 'idle') return canCall ? off : doubleFlash;
  return patterns[state];
}
