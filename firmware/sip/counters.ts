/** What the user agent counts, from zero. */
import type { SipCounters } from './contracts.ts';

export const newCounters = (): SipCounters => ({
  receivedMessages: 0,
  sentMessages: 0,
  malformedMessages: 0,
  retransmissions: 0,
  strayMessages: 0,
  rejectedRequests: 0,
  refusedSubscriptions: 0,
  scannerRequests: 0,
  overloadRefusals: 0,
  overloadDrops: 0,
});
