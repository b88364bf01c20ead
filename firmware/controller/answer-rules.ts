/**
 * Which calls are answered by themselves, and how. Off unless the caller is allowed and its message comes from a trusted
 * address; the first rule that fits decides, after them the general one (`calls.autoAnswer.allow` and `mode`).
 */
import { type Asking, autoAnswerAsked, callerMatches } from './auto-answer.ts';

/** Two ways; the caller is heard and hears nothing; the same as an announcement, which comes before other calls. */
export type AnswerMode = 'talk' | 'listen' | 'page';

export interface AnswerRule {
  /** Text in Alert-Info or Call-Info, without case; its presence is the asking. Absent: any of the conventions. */
  match?: string | undefined;
  /** A pattern for callers. Absent: those of `allow`. */
  from?: string | undefined;
  /** `ring`: not answered by itself. */
  mode: AnswerMode | 'ring';
  /** Rings for so long first, whatever the caller says. Milliseconds. */
  delay?: number | undefined;
  /** A gong tells whoever is there that somebody speaks. */
  tone: boolean;
}

export interface AnswerSettings {
  allow: readonly string[];
  mode: AnswerMode;
  rules: readonly AnswerRule[];
}

export interface Caller {
  uri: string;
  /** Its message's address, and whether that is believed. */
  source: string;
  isTrusted: boolean;
}

export type Verdict =
  | { is: 'ring' }
  | { is: 'answer'; afterMs: number; mode: AnswerMode; tone: boolean }
  /** It asked and may not: it rings; or not even that where it `insists`. */
  | { is: 'not allowed'; asked: string; why: string; insists: boolean };

export function judge(invite: Asking, caller: Caller, settings: AnswerSettings): Verdict {
  const request = autoAnswerAsked(invite);
  const saying = (text: string) =>
    [...invite.header('Alert-Info'), ...invite.header('Call-Info')].find(value =>
      value.toLowerCase().includes(text.toLowerCase()),
    );
  const rule = settings.rules.find(
    ({ match, from }) =>
      (match === undefined ? request !== undefined : saying(match) !== undefined) &&
      (from === undefined || callerMatches(from, caller.uri)),
  );
  if (rule === undefined && request === undefined) return { is: 'ring' };
  const { mode, delay, tone, from }: AnswerRule = rule ?? { mode: settings.mode, tone: true };
  const asked = request?.asked ?? saying(rule?.match ?? '') ?? '';
  const refuse = (why: string): Verdict => ({ is: 'not allowed', asked, why, insists: request?.insists ?? false });
  if (mode === 'ring') return request?.insists ? refuse('a rule has it ring') : { is: 'ring' };
  if (from === undefined && !listed(settings.allow, caller)) return refuse(`${caller.uri} is not on the allow list`);
  if (!caller.isTrusted) return refuse(`${caller.source} is not a trusted source`);
  return { is: 'answer', afterMs: delay ?? request?.afterMs ?? 0, mode, tone };
}

/** May have a call of its own answered by a later word (`Event: talk`), whatever its INVITE said. */
export const mayAsk = (caller: Caller, { allow, rules }: AnswerSettings) =>
  caller.isTrusted &&
  (listed(allow, caller) ||
    rules.some(({ from, mode }) => from !== undefined && mode !== 'ring' && callerMatches(from, caller.uri)));

const listed = (allow: readonly string[], { uri }: Caller) => allow.some(pattern => callerMatches(pattern, uri));
