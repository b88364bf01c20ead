/**
 * The timers of SIP transactions: RFC 3261 §17 and table 4, as changed by RFC 6026. Values for UDP; over TCP and TLS
 * A, E and G are not started, and D, I, J and K are zero.
 */

/** The round trip that everything is reckoned from. */
export const T1Ms = 500;
/** The longest pause between two copies of a non-INVITE request or of a final response to INVITE. */
export const T2Ms = 4_000;
/** How long the network may hold a message back. */
export const T4Ms = 5_000;
/** When a peer that says nothing is given up: timers B, F, H, J, L, M. */
export const giveUpMs = 64 * T1Ms;
/** How long copies of a failure response to INVITE may still arrive (timer D: at least 32 s). */
export const failureCopiesMs = 32_000;

/** What each timer is for; the machine that has it names the states it lives in. */
export const timers = {
  A: 'sends the INVITE again',
  B: 'gives up an INVITE that nobody answers',
  D: 'waits for copies of a failure response to INVITE, to acknowledge them',
  E: 'sends a non-INVITE request again',
  F: 'gives up a non-INVITE request that nobody answers',
  G: 'sends a failure response to INVITE again',
  H: 'gives up waiting for the ACK',
  I: 'waits for copies of the ACK',
  J: 'waits for copies of a non-INVITE request',
  K: 'waits for copies of a response to a non-INVITE request',
  L: 'waits for copies of an INVITE that was accepted',
  M: 'waits for copies of a 2xx, and for those of other forks',
} as const;

export type TimerName = keyof typeof timers;
