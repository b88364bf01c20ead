/** The counts of a group of which nothing has come yet. */
import type { PageCounters } from './protocol.ts';

export const nothingCounted = (): PageCounters => ({
  pages: 0,
  packets: 0,
  lost: 0,
  late: 0,
  resyncs: 0,
  malformed: 0,
  otherSource: 0,
  otherTalker: 0,
  otherCodec: 0,
  notAuthentic: 0,
});
