/** The Replaces header field: this call is to take the place of that one (RFC 3891). */
import { parseParameters } from '../message/grammar.ts';
import { isMalformed, type Malformed, malformed } from '../message/message.ts';

export interface Replaces {
  callId: string;
  /** Seen from who receives it: `to-tag` is its own tag. */
  toTag: string;
  fromTag: string;
  /** Only a call that is not answered yet. */
  earlyOnly: boolean;
}

/** Of a dialog that a call is asked about; undefined: it is another's. */
export type Phase = 'early' | 'confirmed' | undefined;

/** `425928@bobster.example.org;to-tag=7743;from-tag=6472`: §6.1. */
export function parseReplaces(value: string): Replaces | Malformed {
  const semicolon = value.indexOf(';');
  const callId = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  const parameters = semicolon < 0 ? undefined : parseParameters(value, semicolon);
  if (parameters === undefined || isMalformed(parameters)) return malformed(400, 'Bad Replaces');
  const { 'to-tag': toTag, 'from-tag': fromTag } = parameters;
  if (!isWord(callId) || !isWord(toTag) || !isWord(fromTag)) return malformed(400, 'Bad Replaces');
  return { callId, toTag, fromTag, earlyOnly: parameters['early-only'] !== undefined };
}

export const printReplaces = ({ callId, toTag, fromTag, earlyOnly }: Replaces) =>
  `${callId};to-tag=${toTag};from-tag=${fromTag}${earlyOnly ? ';early-only' : ''}`;

/** What can stand unquoted in a header field of ours. */
const isWord = (text: string | true | undefined): text is string =>
  typeof text === 'string' && /^[!-:=?-~]+$/.test(text);
