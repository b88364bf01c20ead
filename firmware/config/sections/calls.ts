/** Settings: how calls behave. */
import { field, section } from '../field.ts';
import { duration, ipAddress, list, matching, oneOf, whole, yesOrNo } from '../types.ts';

const needs = 'live';

const pattern = () =>
  matching(
    {
      kind: 'caller pattern',
      wrong: 'is not a pattern for callers; write "sip:desk@example.org", "*@example.org" or "*"',
    },
    /^(?:\*|(?:sip:)?(?:\*|[^\s@*]{1,128})@(?:\*|[A-Za-z0-9.:[\]-]{1,255}))$/,
  );

export const calls = section({
  ringFor: field(duration(1000, 600_000).prefault('30 s'), {
    help: 'How long an unanswered call rings, in either direction.',
    needs: 'restart sip',
  }),
  talkFor: field(duration(0, 86_400_000).prefault('10 min'), {
    help: 'The longest call; `0 s` means no limit.',
    needs,
  }),
  maxRedirects: field(whole(0, 20).prefault(5), {
    help: 'Redirections followed for one call (RFC 3261 §8.1.3.4).',
    needs: 'restart sip',
  }),
  incoming: field(oneOf(['ring', 'refuse']).prefault('ring'), {
    help: 'What becomes of a call that may not be answered automatically.',
    needs,
  }),
  answerButton: field(yesOrNo().prefault(true), { help: 'Whether any button answers a ringing call.', needs }),
  pressHangsUpAfter: field(duration(0, 3_600_000).prefault('10 s'), {
    help: 'A press hangs up once the call is so old: a frightened person presses again and again. `0 s` means never.',
    needs,
  }),
  autoAnswer: section({
    allow: field(list(pattern(), 64).prefault([]), {
      help: 'Callers that are answered at once: `sip:desk@example.org`, `*@example.org`, `*`.',
      needs,
    }),
    trustedSources: field(list(ipAddress(), 64).prefault([]), {
      help: 'Addresses, besides the server of an account, whose word on who calls is believed.',
      needs,
    }),
    mode: field(oneOf(['talk', 'listen']).prefault('talk'), {
      help: 'Automatically answered: `talk` both ways, or `listen` only to the caller with the microphone off.',
      needs,
    }),
  }).prefault({}),
  transfer: section({
    allow: field(list(pattern(), 64).prefault([]), {
      help: 'Where a call may be transferred to by the other side: `sip:desk@example.org`, `*@example.org`, `*`.',
      needs,
    }),
  }).prefault({}),
  dtmf: section({
    terminator: field(oneOf(['#', '*']).prefault('#'), { help: 'The key that ends a code.', needs }),
    timeout: field(duration(1000, 60_000).prefault('5 s'), { help: 'Keys are forgotten after such a pause.', needs }),
    maxWrong: field(whole(1, 100).prefault(5), { help: 'Wrong codes in one call until no more are taken.', needs }),
  }).prefault({}),
});
