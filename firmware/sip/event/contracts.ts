/** What is said outside calls: subscriptions of ours, texts, and what others tell us. */
import type { Address } from '../../lib/address.ts';
import type { Body, Party } from '../contracts.ts';

export interface SubscriptionOptions {
  /** Whose state: `sip:desk@example.org`. */
  target: string;
  /** Which account asks; absent: the first. */
  account?: string;
  /** The event package, lower-case: `dialog`, `presence`, `check-sync`. */
  event: string;
  /** Content types of documents that are understood, lower-case. Empty: none is looked at. */
  accept: readonly string[];
  expiresMs: number;
}

export type SubscriptionState =
  /** Or its account is not registered yet. */
  | { is: 'asking' }
  /** `pending`: the peer has yet to decide whether we may. */
  | { is: 'active' | 'pending' }
  /** Tried again after `retryMs`. `status` is absent where there was no answer, or an end without one. */
  | { is: 'failed'; status?: number; why: string; retryMs: number };

export interface SubscriptionHandler {
  onState(state: SubscriptionState): void;
  /** `isFirst`: it only says how things stand (RFC 6665 §4.2.1.2). A body of a type in `accept`. */
  onNotify(body: Body | undefined, isFirst: boolean): void;
}

export interface TextOptions {
  /** `sip:desk@example.org`. */
  target: string;
  /** Which account says it; absent: the first. */
  account?: string;
  text: string;
}

export type TextResult = { sent: true; status: number } | { sent: false; status?: number; why: string };

/** Somebody wants the device to look at its configuration now: NOTIFY `check-sync`. */
export interface CheckSync {
  remote: Party;
  source: Address;
  account: string | undefined;
  /** `;reboot=true`. */
  asksForReboot: boolean;
}

/** A text (RFC 3428), without control characters. */
export interface TextMessage {
  remote: Party;
  source: Address;
  account: string | undefined;
  text: string;
}

/** What is told outside any call, once it is known to come from somebody who may tell. */
export interface NoticeHandler {
  /**
   * Whose word counts without a password, and who may watch us (SUBSCRIBE): the account's own server. Others are
   * challenged, or refused.
   */
  trusts(source: Address, account: string | undefined): boolean;
  onCheckSync(notice: CheckSync): void;
  onMessage(message: TextMessage): void;
}
