/** What `porter sip status` tells: each account with its server, its last answer and what to do about it. Pure. */
import type { RegistrationReport } from '../sip/contracts.ts';
import type { SipCounters } from '../sip/counters.ts';
import { printHop } from '../sip/hop.ts';
import { adviceOn } from './sip-advice.ts';

export interface SipAccountStatus {
  aor: string;
  /** False: it is not to register. */
  registers: boolean;
  state: RegistrationReport['state']['is'];
  /** Where it is registered: `192.0.2.1:5060`, `tls 192.0.2.1:5061`. */
  server?: string;
  /** Since when without a gap. Seconds. */
  registeredForSeconds?: number;
  /** As others reach us through that server. */
  contact?: string;
  expiresInSeconds?: number;
  /** Until the next REGISTER. */
  nextInSeconds?: number;
  /** How the last REGISTER ended. `status` is absent where nobody answered. */
  last?: { status?: number; why: string; from?: string; agoSeconds: number; meaning: string };
  /** What to do; absent where nothing is wrong. */
  advice?: string;
  /** Where it registers by several proxies: the others. */
  otherWays?: readonly { state: RegistrationReport['state']['is']; server?: string; why?: string }[];
}

export interface SipConnectionStatus {
  with: string;
  openedBy: 'us' | 'them';
  /** Peers reach us by it: it is kept alive. */
  kept: boolean;
}

export interface SipStatus {
  accounts: Record<string, SipAccountStatus>;
  /** `udp 0.0.0.0:5060` */
  listening: readonly string[];
  /** Why we cannot be reached, or not in every way. */
  problem?: string;
  connections: readonly SipConnectionStatus[];
  calls: number;
  transactions: number;
  counters: SipCounters;
}

export function accountStatus(
  { uri: aor, register: registers, password }: { uri: string; register: boolean; password?: string | undefined },
  [report, ...others]: readonly RegistrationReport[],
  nowMs: number,
): SipAccountStatus {
  if (!registers || report === undefined) return { aor, registers, state: 'unregistered' };
  const { state, server, sinceMs, nextMs } = report;
  const isUp = state.is === 'registered';
  const last = lastOf(report);
  const told = last && adviceOn({ ...last, hasPassword: password !== undefined });
  return {
    aor,
    registers,
    state: state.is,
    ...(server && isUp && { server: printHop(server) }),
    ...(isUp && sinceMs !== undefined && { registeredForSeconds: seconds(nowMs - sinceMs) }),
    ...(isUp && { contact: state.contact, expiresInSeconds: seconds(state.untilMs - nowMs) }),
    ...(nextMs !== undefined && nextMs >= nowMs && { nextInSeconds: seconds(nextMs - nowMs) }),
    ...(last &&
      told && {
        last: {
          ...(last.status !== undefined && { status: last.status }),
          why: last.why,
          ...(last.from && { from: printHop(last.from) }),
          agoSeconds: seconds(nowMs - last.atMs),
          meaning: told.meaning,
        },
      }),
    ...(told && told.advice !== '' && { advice: told.advice }),
    ...(others.length > 0 && { otherWays: others.map(wayOf) }),
  };
}

function wayOf({ state, server }: RegistrationReport) {
  return {
    state: state.is,
    ...(state.is === 'registered' && server && { server: printHop(server) }),
    ...(state.is === 'failed' && { why: state.why }),
  };
}

/** A failure may have other reasons than an answer: the network is gone. */
function lastOf({ state, last }: RegistrationReport): RegistrationReport['last'] {
  if (state.is !== 'failed' || last === undefined || last.why === state.why) return last;
  return { atMs: last.atMs, why: state.why, from: undefined };
}

const seconds = (ms: number) => Math.max(0, Math.round(ms / 1000));
