/** What a person is told of one call. */
import type { CallState, CallStatus } from './contracts.ts';
import type { DeviceCall } from './device-call.ts';

export const uriOf = (call: DeviceCall) => call.plan.remote.uri;

export function statusOf(call: DeviceCall): CallStatus {
  const { answeredForMs } = call;
  const { isHeld, isHeldThere, isJoined } = call.talk;
  const held = isHeld ? (isHeldThere ? 'both' : 'here') : isHeldThere ? 'there' : undefined;
  return {
    state: shownState(call),
    direction: call.plan.direction,
    remote: uriOf(call),
    displayName: call.plan.remote.displayName,
    codec: call.codec,
    answeredFor: answeredForMs === undefined ? undefined : Math.floor(answeredForMs / 1000),
    mode: call.mode,
    ...(held && { held }),
    ...(isJoined && { joined: true }),
    statistics: call.statistics,
  };
}

/** The word for it. */
function shownState({ state, plan, mode, talk }: DeviceCall): CallState {
  if (state === 'talking') {
    if (talk.isHeld || talk.isHeldThere) return 'held';
    return mode !== 'talk' || (plan.direction === 'outgoing' && plan.page) ? 'paging' : 'talking';
  }
  if (state === 'opening') return plan.direction === 'outgoing' ? 'calling' : 'ringing';
  return state === 'ended' ? 'idle' : state;
}
