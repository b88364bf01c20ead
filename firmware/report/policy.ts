/** What may be asked for over MQTT. Pure. */
import type { Action } from '../controller/contracts.ts';

export interface MqttPolicy {
  /** `mqtt.commands` */
  commands: boolean;
  /** `mqtt.openDoors` */
  openDoors: boolean;
}

/** Why the action is refused, as a sentence; undefined where it may be done. */
export function refusal(action: Action, policy: MqttPolicy): string | undefined {
  if (!policy.commands) return 'commands over MQTT are switched off here (mqtt.commands)';
  switch (action.do) {
    case 'open':
      return policy.openDoors ? undefined : 'doors are not opened over MQTT here (mqtt.openDoors)';
    case 'move input':
    case 'stall':
      return 'debug actions are taken from the command line only';
    default:
      return undefined;
  }
}
