/** Who may ask for what: the one place that says no. */
import type { Action, ActionResult, Origin } from './contracts.ts';

export interface Policy {
  /** What MQTT may ask for: anything at all, and the doors. */
  mqtt: { commands: boolean; openDoors: boolean };
  /** The board is simulated: debug actions exist. */
  simulated: boolean;
}

/** Why not, or undefined where it may. */
export function refusal(action: Action, origin: Origin, policy: Policy): ActionResult | undefined {
  const no = (why: string): ActionResult => ({ done: false, code: 'not allowed', why });
  const debug = action.do === 'move input' || action.do === 'stall';
  if (debug && !policy.simulated) return no(`"${action.do}" exists on the simulated board only`);
  if (origin !== 'mqtt') return undefined;
  if (!policy.mqtt.commands) return no('commands over MQTT are switched off here (mqtt.commands)');
  if (debug) return no('debug actions are taken from the command line only');
  if (action.do === 'open' && !policy.mqtt.openDoors) return no('doors are not opened over MQTT here (mqtt.openDoors)');
  if (action.do === 'page' && action.file?.includes('/')) return no('over MQTT a file is named without its folder');
  return undefined;
}
