/** `314159 INVITE`: the number and method that order a dialog's requests (RFC 3261 §20.16). */
import { isToken, parseNumber } from './grammar.ts';
import { CSEQ_LIMIT } from './limits.ts';
import { type Malformed, malformed } from './message.ts';

export interface CSeq {
  /** 0 … 2^31 - 1 (§8.1.1.5) */
  sequence: number;
  method: string;
}

export function parseCSeq(text: string): CSeq | Malformed {
  const parts = /^([0-9]+)[ \t]+([^ \t]+)$/.exec(text);
  if (parts === null || !isToken(parts[2]!)) return malformed(400, 'Bad CSeq');
  const sequence = parseNumber(parts[1]!, CSEQ_LIMIT - 1);
  return sequence === undefined ? malformed(400, 'CSeq number too large') : { sequence, method: parts[2]! };
}
