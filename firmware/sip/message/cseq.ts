/** `314159 INVITE`: the number and method that order a dialog's requests (RFC 3261 §20.16). */
import { DIGITS, isAll, isBlank, isToken, parseNumber, skipBlanks } from './grammar.ts';
import { CSEQ_LIMIT } from './limits.ts';
import { type Malformed, malformed } from './message.ts';

export interface CSeq {
  /** 0 … 2^31 - 1 (§8.1.1.5) */
  sequence: number;
  method: string;
}

export function parseCSeq(text: string): CSeq | Malformed {
  let end = 0;
  while (end < text.length && !isBlank(text.charCodeAt(end))) end++;
  const number = text.slice(0, end);
  const method = text.slice(skipBlanks(text, end));
  if (!isAll(DIGITS, number) || !isToken(method)) return malformed(400, 'Bad CSeq');
  const sequence = parseNumber(number, CSEQ_LIMIT - 1);
  return sequence === undefined ? malformed(400, 'CSeq number too large') : { sequence, method };
}
