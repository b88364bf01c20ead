/** Who may speak and who listens (RFC 3264 §5.1, §6.1, §8.4). */
import type { Direction, MediaDescription, SessionDescription } from './types.ts';

export const sends = (direction: Direction) => direction === 'sendrecv' || direction === 'sendonly';
export const receives = (direction: Direction) => direction === 'sendrecv' || direction === 'recvonly';

function directionOf(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

/** What the peer wants, seen from it. The address 0.0.0.0 is the hold of RFC 2543: it receives nothing (RFC 3264 §8.4). */
export function wishOf(session: SessionDescription, medium: MediaDescription): Direction {
  const direction = medium.direction ?? session.direction ?? 'sendrecv';
  const host = medium.host ?? session.host;
  const nowhere = host === '0.0.0.0' || host === '::';
  return directionOf(sends(direction), receives(direction) && !nowhere);
}

/** Ours and theirs together, seen from here (RFC 3264 §6.1). */
export const meet = (ours: Direction, theirs: Direction) =>
  directionOf(sends(ours) && receives(theirs), receives(ours) && sends(theirs));
