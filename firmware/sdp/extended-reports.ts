/** `a=rtcp-xr` (RFC 3611 §5.1): which extended reports both sides want. */
import type { Attribute, MediaDescription, SessionDescription } from './types.ts';

/** What was agreed. */
export interface Reports {
  /** How good the peer is heard (§4.7). */
  voipMetrics?: true;
  /** Who only listens learns the round trip: from all, or from who sends sound (§4.4, §4.5). */
  receiverTimes?: 'all' | 'sender';
}

/** All that is done here. */
export const ALL_REPORTS: Reports = { voipMetrics: true, receiverTimes: 'all' };
/** More than these are not read: somebody's joke. */
const MOST_FORMATS = 32;

/** Undefined where there is nothing to ask for. */
export function reportsAttribute({ voipMetrics, receiverTimes }: Reports): Attribute | undefined {
  const formats: string[] = [];
  if (receiverTimes) formats.push(`rcvr-rtt=${receiverTimes}`);
  if (voipMetrics) formats.push('voip-metrics');
  return formats.length === 0 ? undefined : ['rtcp-xr', formats.join(' ')];
}

/** Said of the medium, or of the session as a whole. */
export function reportsOf(session: SessionDescription, medium: MediaDescription): Reports {
  const reports: Reports = {};
  for (const [name, value = ''] of [...medium.attributes, ...session.attributes]) {
    if (name !== 'rtcp-xr') continue;
    for (const format of value.split(/\s+/, MOST_FORMATS)) {
      if (format === 'voip-metrics') reports.voipMetrics = true;
      const mode = /^rcvr-rtt=(all|sender)(?::\d+)?$/.exec(format)?.[1];
      if (mode !== undefined) reports.receiverTimes ??= mode === 'all' ? 'all' : 'sender';
    }
  }
  return reports;
}

/** For the round trip both have to do their part, so it is as the narrower wants it (§5.2). */
export function agreedReports(ours: Reports, theirs: Reports): Reports {
  const agreed: Reports = {};
  if (ours.voipMetrics && theirs.voipMetrics) agreed.voipMetrics = true;
  if (ours.receiverTimes && theirs.receiverTimes)
    agreed.receiverTimes = ours.receiverTimes === 'all' ? theirs.receiverTimes : 'sender';
  return agreed;
}
