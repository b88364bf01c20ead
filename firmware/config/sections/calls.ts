/** Settings: how calls behave. */
import { field, kind, section } from '../field.ts';
import { duration, ipAddress, line, list, matching, oneOf, whole, yesOrNo } from '../types.ts';

const needs = 'live';

const pattern = () =>
  matching(
    {
      kind: 'caller pattern',
      wrong: 'is not a pattern for callers; write "sip:desk@example.org", "*@example.org", "tel:+4930*" or "*"',
    },
    /^(?:\*|tel:\+?[0-9().-]{1,40}\*?|(?:sip:)?(?:\*|[^\s@*]{1,128})@(?:\*|[A-Za-z0-9.:[\]-]{1,255}))$/,
  );

const answerRule = () =>
  kind(
    section({
      match: line(128).min(1).optional(),
      from: pattern().optional(),
      mode: oneOf(['talk', 'listen', 'page', 'ring']),
      delay: duration(0, 60_000).optional(),
      tone: yesOrNo().prefault(true),
    }),
    {
      kind: 'rule',
      allowed: '`{"match": TEXT, "from": CALLER, "mode": "talk", "delay": "2 s", "tone": false}`',
      wrong: 'is not a rule; write such as {"match": "info=emergency", "mode": "page"}',
    },
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
  tryNextAccount: field(yesOrNo().prefault(true), {
    help: 'A call whose server is silent or answers 503 goes on by the next account that can call, where none is named.',
    needs: 'restart sip',
  }),
  incoming: field(oneOf(['ring', 'refuse']).prefault('ring'), {
    help: 'What becomes of a call that may not be answered automatically.',
    needs,
  }),
  answerButton: field(yesOrNo().prefault(true), {
    help: 'Whether a button that calls or pages answers a ringing call.',
    needs,
  }),
  pressHangsUpAfter: field(duration(0, 3_600_000).prefault('10 s'), {
    help: 'A press hangs up once the call is so old: a frightened person presses again and again. `0 s` means never.',
    needs,
  }),
  waitingPress: field(oneOf(['first', 'answer']).prefault('first'), {
    help: 'What a press means while a second call rings: `first`, the same as if it did not; `answer` it, and hold the first.',
    needs,
  }),
  waiting: section({
    limit: field(whole(0, 4).prefault(0), {
      help: 'Callers who may wait while all lines (`sip.maxCalls`) are busy: told so by 182 Queued, put through in their order. One more is answered 486 Busy Here.',
      needs,
    }),
    for: field(duration(1000, 540_000).prefault('20 s'), {
      help: 'How long a caller waits for a line; then 486 Busy Here.',
      needs,
    }),
    allow: field(list(pattern(), 64).prefault(['*']), {
      help: 'Who may wait: `sip:desk@example.org`, `*@example.org`, `*`.',
      needs,
    }),
  }).prefault({}),
  autoAnswer: section({
    allow: field(list(pattern(), 64).prefault([]), {
      help: 'Callers that are answered at once: `sip:desk@example.org`, `*@example.org`, `tel:+4930*`, `*`.',
      needs,
    }),
    trustedSources: field(list(ipAddress(), 64).prefault([]), {
      help: 'Addresses, besides the server of an account, whose word on who calls is believed.',
      needs,
    }),
    mode: field(oneOf(['talk', 'listen', 'page']).prefault('talk'), {
      help: 'Automatically answered: `talk` both ways; `listen` only to the caller, with the microphone off; `page`: the same as an announcement, for which other calls are held and in which no door code counts.',
      needs,
    }),
    rules: field(list(answerRule(), 32).prefault([]), {
      help: 'Which calls are answered how; the first that fits counts, before `allow` and `mode`. `match`: a text in Alert-Info or Call-Info, such as your own ring name; without it whoever asks for an automatic answer. `from`: who is allowed; without it those of `allow`. `mode`: as above, or `ring`. `delay`: rings first. `tone`: the gong before.',
      needs,
    }),
    whenBusy: field(oneOf(['refuse', 'hold', 'end']).prefault('refuse'), {
      help: 'A call that would be answered automatically while another is up: `refuse` it as busy, `hold` the other where `sip.maxCalls` leaves room, or `end` the other. An announcement (`page`) is never refused for it: it is heard beside, and others are held.',
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
    inSound: field(oneOf(['auto', 'always', 'never']).prefault('auto'), {
      help: 'Keys are also listened for in the sound (as tones): `auto`, where the other side has no better way (RFC 4733 events); `always`; `never`.',
      needs: 'restart media',
    }),
    terminator: field(oneOf(['#', '*']).prefault('#'), { help: 'The key that ends a code.', needs }),
    timeout: field(duration(1000, 60_000).prefault('5 s'), { help: 'Keys are forgotten after such a pause.', needs }),
    maxWrong: field(whole(1, 100).prefault(5), { help: 'Wrong codes in one call until no more are taken.', needs }),
  }).prefault({}),
});
