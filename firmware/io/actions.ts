/** Everything the device can be asked to do, as data and as the text that a config, a broker or a person writes. */
import { parseDuration } from '../lib/duration.ts';

/** Everything that a button, DTMF, MQTT, the command line or a schedule can ask for. */
export type Action =
  /** A name from `contacts`, or a SIP URI. */
  | { do: 'call'; target: string; account?: string }
  | { do: 'answer' }
  /** All calls, or those with a contact or SIP URI. */
  | { do: 'hang up'; target?: string }
  | { do: 'open'; door: string }
  /** A zone: pages it by multicast. Else calls the target, asks it to answer by itself. Speaks, or plays the file and ends. */
  | { do: 'page'; target: string; file?: string }
  /** A text (MESSAGE) to a contact or a SIP URI. */
  | { do: 'message'; target: string; text: string }
  /** As if a finger had pressed and let go. */
  | { do: 'press'; button: string; holdMs?: number }
  /** Sends keys into the present call. */
  | { do: 'dial'; keys: string }
  /** What is talked in, or the call with somebody. */
  | { do: 'hold'; target?: string }
  /** Back from hold; who is heard now is held in its place. */
  | { do: 'resume'; target?: string }
  /** Has the far end call somebody else in our place; without a target, the two that are up. */
  | { do: 'transfer'; target?: string }
  /** All answered calls and the device hear each other. */
  | { do: 'join' }
  /** Into a file of the device: the call, or what the microphone hears. */
  | { do: 'record'; what: 'call' | 'microphone'; forMs?: number }
  | { do: 'stop recording' }
  /** Debug, simulated board only: moves an input line. */
  | { do: 'move input'; input: string; active: boolean }
  /** Debug, simulated board only: blocks the control thread. */
  | { do: 'stall'; ms: number };

export interface MalformedAction {
  /** A sentence for a person: what is wrong and what would be right. */
  malformed: string;
}

/** Characters in one action's text. */
export const ACTION_TEXT_LIMIT = 512;
/** Keys in one `dial`. */
const DIAL_KEYS_LIMIT = 32;
/** The longest `press … for`, milliseconds. */
const HOLD_LIMIT_MS = 120_000;
/** The longest `record … for`, milliseconds. */
const RECORD_LIMIT_MS = 3_600_000;
/** The longest `stall`, milliseconds. */
export const STALL_LIMIT_MS = 30_000;

/** How a person writes each action. The debug verbs are left out: they are for the bench. */
export const ACTION_FORMS = [
  'call TARGET [as ACCOUNT]',
  'answer',
  'hang up [TARGET]',
  'open DOOR',
  'page TARGET [file WAV]',
  'message TARGET "TEXT"',
  'press BUTTON [for 3 s]',
  'dial KEYS',
  'hold [TARGET]',
  'resume [TARGET]',
  'transfer [TARGET]',
  'join',
  'record call [for 30 s]',
  'record microphone [for 30 s]',
  'stop recording',
] as const;

/** RFC 4733 §3.2 Table 3, events 0–15. */
const KEYS = /^[0-9A-D*#]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a control character is what this looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Reads `call desk`, `call sip:desk@example.org as front`, `answer`, `hang up`, `open main`, `page hall file /a b.wav`,
 * `press front for 3 s`, `dial 12#`; and for the bench `move input front on`, `stall 2 s`. Names are not looked up here.
 */
export function parseAction(text: string): Action | MalformedAction {
  if (text.length > ACTION_TEXT_LIMIT) return bad(`an action has at most ${ACTION_TEXT_LIMIT} characters`);
  if (CONTROL.test(text)) return bad('an action is one line of plain text');
  const trimmed = text.trim();
  const [verb = '', ...words] = trimmed.split(/ +/);
  const parse = Object.hasOwn(PARSERS, verb) ? PARSERS[verb] : undefined;
  if (parse) return parse(words, trimmed);
  if (verb === '') return bad(`there is no action here; write one of: ${ACTION_FORMS.join(', ')}`);
  return bad(`"${trimmed}" is not an action; write one of: ${ACTION_FORMS.join(', ')}`);
}

/** The text that `parseAction` reads back as the same action. */
export function printAction(action: Action): string {
  switch (action.do) {
    case 'call':
      return `call ${action.target}${action.account === undefined ? '' : ` as ${action.account}`}`;
    case 'answer':
    case 'join':
    case 'stop recording':
      return action.do;
    case 'record':
      return `record ${action.what}${action.forMs === undefined ? '' : ` for ${action.forMs} ms`}`;
    case 'hang up':
    case 'hold':
    case 'resume':
    case 'transfer':
      return action.target === undefined ? action.do : `${action.do} ${action.target}`;
    case 'open':
      return `open ${action.door}`;
    case 'page':
      return `page ${action.target}${action.file === undefined ? '' : ` file ${action.file}`}`;
    case 'message':
      return `message ${action.target} "${action.text}"`;
    case 'press':
      return `press ${action.button}${action.holdMs === undefined ? '' : ` for ${action.holdMs} ms`}`;
    case 'dial':
      return `dial ${action.keys}`;
    case 'move input':
      return `move input ${action.input} ${action.active ? 'on' : 'off'}`;
    case 'stall':
      return `stall ${action.ms} ms`;
  }
}

export const isMalformed = (parsed: Action | MalformedAction): parsed is MalformedAction => 'malformed' in parsed;

/** A SIP URI, a `tel` URI or a number: no contact has to be known to call it. */
export const isDialable = (target: string) => /^(?:(?:sips?|tel):|\+?[0-9*#]{1,32}$)/i.test(target);

/** What an action may name in one configuration. */
export interface ActionNames {
  contacts: readonly string[];
  accounts: readonly string[];
  doors: readonly string[];
  buttons: readonly string[];
  zones: readonly string[];
}

/**
 * What is wrong with an action's text, as a sentence; undefined where nothing is: the configuration's checks ask so.
 * With `names`, what the action names must be among them.
 */
export function checkAction(text: string, names?: ActionNames): string | undefined {
  const action = parseAction(text);
  if (isMalformed(action)) return action.malformed;
  return names && checkNames(action, names);
}

function checkNames(action: Action, { contacts, accounts, doors, buttons, zones }: ActionNames): string | undefined {
  const among = (kind: string, name: string, known: readonly string[]) => {
    if (known.includes(name)) return undefined;
    const some = known.length === 0 ? 'there is none' : `there is ${known.slice(0, 20).join(', ')}`;
    return `there is no ${kind} "${name}"; ${some}`;
  };
  switch (action.do) {
    case 'hang up':
    case 'hold':
    case 'resume':
    case 'transfer':
      if (action.target === undefined) return undefined;
      if (action.do === 'hang up' && zones.includes(action.target)) return undefined;
      return /^sips?:/i.test(action.target) ? undefined : among('contact', action.target, contacts);
    case 'page':
      if (zones.includes(action.target) || isDialable(action.target)) return undefined;
      return among('zone or contact', action.target, [...zones, ...contacts]);
    case 'call':
    case 'message': {
      const target = isDialable(action.target) ? undefined : among('contact', action.target, contacts);
      const account = action.do === 'call' ? action.account : undefined;
      return target ?? (account === undefined ? undefined : among('account', account, accounts));
    }
    case 'open':
      return among('door', action.door, doors);
    case 'press':
      return among('button', action.button, buttons);
    default:
      return undefined;
  }
}

type Parser = (words: string[], text: string) => Action | MalformedAction;

const PARSERS: Record<string, Parser> = {
  call: words => {
    const [target, as, account, ...rest] = words;
    if (target === undefined) return wants('call', 'whom: `call desk`, `call sip:desk@example.org`, `call 4711`');
    if (as === undefined) return { do: 'call', target };
    if (as !== 'as' || account === undefined || rest.length > 0) {
      return wants('call', 'one target, then perhaps an account: `call desk as front`');
    }
    return { do: 'call', target, account };
  },

  answer: words => (words.length === 0 ? { do: 'answer' } : wants('answer', 'nothing after it')),

  hang: ([up, ...whom]) => (up === 'up' ? withTarget('hang up', whom) : bad('write `hang up`')),

  hold: words => withTarget('hold', words),

  resume: words => withTarget('resume', words),

  transfer: words => withTarget('transfer', words),

  join: words => (words.length === 0 ? { do: 'join' } : wants('join', 'nothing after it')),

  record: ([what, ...time]) => {
    const forMs = time[0] === 'for' ? milliseconds(time.slice(1), RECORD_LIMIT_MS) : undefined;
    if ((what !== 'call' && what !== 'microphone') || (time.length > 0 && forMs === undefined))
      return wants('record', '`call` or `microphone`, then perhaps `for 30 s` (at most an hour)');
    return { do: 'record', what, ...(forMs !== undefined && { forMs }) };
  },

  stop: words => (words.join(' ') === 'recording' ? { do: 'stop recording' } : bad('write `stop recording`')),

  open: ([door, ...rest]) => {
    if (door === undefined || rest.length > 0) return wants('open', "one door's name: `open main`");
    return { do: 'open', door };
  },

  page: (words, text) => {
    const [target, file, ...rest] = words;
    if (target === undefined) return wants('page', 'whom: `page hall`, `page hall file /usr/share/gong.wav`');
    if (file === undefined) return { do: 'page', target };
    if (file !== 'file' || rest.length === 0) return wants('page', 'one target, then perhaps `file` and a WAV');
    // A path may hold spaces, so it is the rest of the line as it stands.
    return { do: 'page', target, file: text.slice(text.indexOf(' file ') + ' file '.length).trim() };
  },

  message: ([target], text) => {
    // The rest of the line as it stands, quotes around it or not.
    const rest = target === undefined ? '' : text.slice('message'.length).trim().slice(target.length).trim();
    const said = /^"(.*)"$/.exec(rest)?.[1] ?? rest;
    if (target === undefined || said.trim() === '')
      return wants('message', 'whom and what: `message desk "The gate is open"`');
    return { do: 'message', target, text: said };
  },

  press: ([button, ...hold]) => {
    if (button === undefined) return wants('press', "a button's name: `press front`, `press front for 3 s`");
    if (hold.length === 0) return { do: 'press', button };
    const holdMs = hold[0] === 'for' ? milliseconds(hold.slice(1), HOLD_LIMIT_MS) : undefined;
    if (holdMs === undefined)
      return wants('press', `one button, then perhaps \`for 3 s\` (at most ${HOLD_LIMIT_MS / 1000} s)`);
    return { do: 'press', button, holdMs };
  },

  dial: ([keys, ...rest]) => {
    if (keys === undefined || rest.length > 0 || !KEYS.test(keys) || keys.length > DIAL_KEYS_LIMIT) {
      return wants('dial', `1 to ${DIAL_KEYS_LIMIT} keys of 0–9, *, #, A–D without spaces: \`dial 12#\``);
    }
    return { do: 'dial', keys };
  },

  move: ([line, input, level, ...rest]) => {
    if (line !== 'input' || input === undefined || rest.length > 0 || (level !== 'on' && level !== 'off')) {
      return bad('write `move input NAME on` or `move input NAME off`');
    }
    return { do: 'move input', input, active: level === 'on' };
  },

  stall: words => {
    const ms = milliseconds(words, STALL_LIMIT_MS);
    return ms === undefined
      ? wants('stall', `a time of at most ${STALL_LIMIT_MS / 1000} s: \`stall 2 s\``)
      : { do: 'stall', ms };
  },
};

function withTarget(verb: 'hang up' | 'hold' | 'resume' | 'transfer', [target, ...rest]: string[]) {
  if (rest.length > 0) return wants(verb, 'one target, or none');
  return target === undefined ? { do: verb } : { do: verb, target };
}

const bad = (malformed: string): MalformedAction => ({ malformed });
const wants = (verb: string, what: string) => bad(`\`${verb}\` wants ${what}`);

function milliseconds(words: string[], limitMs: number): number | undefined {
  const ms = parseDuration(words.join(' '));
  return ms !== undefined && ms <= limitMs ? ms : undefined;
}
