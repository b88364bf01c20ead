/** Who may ask for what: the one place that says no. */
import type { Action, ActionResult, Origin } from './contracts.ts';

export interface Policy {
  /** MQTT may open doors. */
  mqttOpensDoors: boolean;
  /** The board is simulated: debug actions exist. */
  simulated: boolean;
}

/** Why not, or undefined where it may. */
export function refusal(action: Action, origin: Origin, policy: Policy): ActionResult | undefined {
  const no = (why: string): ActionResult => ({ done: false, code: 'not allowed', why });
  if ((action.do === 'move input' || action.do === 'stall') && !policy.simulated)
    return no(`"${action.do}" exists on the simulated board only`);
  if (origin === 'mqtt') {
    if (action.do === 'open' && !policy.mqttOpensDoors)
      return no('doors are not opened over MQTT: mqtt.openDoors is false');
    if (action.do === 'move input' || action.do === 'stall') return no(`"${action.do}" is not taken over MQTT`);
    if (action.do === 'page' && action.file?.includes('/')) return no('over MQTT a file is named without its folder');
  }
  return undefined;
}
