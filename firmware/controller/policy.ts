/** Who may ask for what: the one place that says no. */
import type { Action, ActionResult, Origin } from './contracts.ts';

/** What MQTT may ask for: anything at all, and the doors. */
export interface MqttPolicy {
  /** `mqtt.commands` */
  commands: boolean;
  /** `mqtt.openDoors` */
  openDoors: boolean;
}

export interface Policy {
  mqtt: MqttPolicy;
  /** The board is simulated: debug actions exist. */
  simulated: boolean;
  /** What a press of this button, short or long, would do: a press from afar must not do what may not be asked for. */
  behind(button: string): readonly Action[];
}

/** Why not, or undefined where it may. */
export function refusal(action: Action, origin: Origin, policy: Policy): ActionResult | undefined {
  const no = (why: string): ActionResult => ({ done: false, code: 'not allowed', why });
  if (isDebug(action) && !policy.simulated) return no(`"${action.do}" exists on the simulated board only`);
  if (origin !== 'mqtt') return undefined;
  const meant = action.do === 'press' ? [action, ...policy.behind(action.button)] : [action];
  for (const each of meant) {
    const why = mqttRefusal(each, policy.mqtt);
    if (why !== undefined) return no(why);
  }
  return undefined;
}

/** Why MQTT may not ask for this, as a sentence; undefined where it may. */
export function mqttRefusal(action: Action, policy: MqttPolicy): string | undefined {
  if (!policy.commands) return 'commands over MQTT are switched off here (mqtt.commands)';
  if (action.do === 'record') return 'recordings are not begun over MQTT';
  if (isDebug(action)) return 'debug actions are taken from the command line only';
  if (action.do === 'open' && !policy.openDoors) return 'doors are not opened over MQTT here (mqtt.openDoors)';
  if (action.do === 'page' && action.file?.includes('/')) return 'over MQTT a file is named without its folder';
  return undefined;
}

const isDebug = (action: Action) => action.do === 'move input' || action.do === 'stall';
