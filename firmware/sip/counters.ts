/** What the user agent counts, from zero. */
export interface SipCounters {
  receivedMessages: number;
  sentMessages: number;
  malformedMessages: number;
  retransmissions: number;
  /** Requests and responses that belong to nothing. */
  strayMessages: number;
  rejectedRequests: number;
  /** Requests of scanners and of others who want nobody here: given no answer. */
  scannerRequests: number;
  /** Requests above what one source, or all, may send: answered 503. */
  overloadRefusals: number;
  /** Messages above that and above what can be answered in time: dropped unread. */
  overloadDrops: number;
  /** SUBSCRIBE from who may not, or to what we do not have. */
  refusedSubscriptions: number;
}

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
