/** What can be subscribed to: a package writes, for each subscriber, one document after another (RFC 6665 §5.4). */
import type { Call, Party } from '../contracts.ts';

/** A call as others may know it. */
export interface CallFacts {
  /** Call-ID. */
  id: string;
  localTag: string;
  /** Known once the other side has one. */
  remoteTag: string | undefined;
  direction: Call['direction'];
  state: Call['state'];
  account: string | undefined;
  remote: Party;
}

/** The state of this device that subscribers are told. */
export interface Facts {
  /** The resource: an address of record. */
  entity: string;
  calls: readonly CallFacts[];
  /** False while it is being stopped. */
  isOpen: boolean;
}

/** Writes the next document for one subscriber. */
export type Writer = (facts: Facts) => string;

export interface Package {
  name: string;
  contentType: string;
  /** Equal where there is nothing new to tell. */
  gist(facts: Facts): string;
  /** For a new subscriber. */
  open(): Writer;
}
