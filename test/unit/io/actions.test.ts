import { describe, expect, test } from 'vitest';
import {
  ACTION_FORMS,
  ACTION_TEXT_LIMIT,
  type Action,
  checkAction,
  isMalformed,
  parseAction,
  printAction,
} from '../../../firmware/io/actions.ts';
import { seeded } from '../../sim/seeded.ts';

const forms: [text: string, action: Action][] = [
  ['call desk', { do: 'call', target: 'desk' }],
  ['call sip:desk@example.org:5070', { do: 'call', target: 'sip:desk@example.org:5070' }],
  ['call desk as front', { do: 'call', target: 'desk', account: 'front' }],
  ['answer', { do: 'answer' }],
  ['hang up', { do: 'hang up' }],
  ['hang up hall', { do: 'hang up', target: 'hall' }],
  ['hold', { do: 'hold' }],
  ['hold sip:hall@example.org', { do: 'hold', target: 'sip:hall@example.org' }],
  ['resume', { do: 'resume' }],
  ['resume hall', { do: 'resume', target: 'hall' }],
  ['transfer', { do: 'transfer' }],
  ['transfer hall', { do: 'transfer', target: 'hall' }],
  ['join', { do: 'join' }],
  ['record call', { do: 'record', what: 'call' }],
  ['record microphone for 30000 ms', { do: 'record', what: 'microphone', forMs: 30_000 }],
  ['stop recording', { do: 'stop recording' }],
  ['open main', { do: 'open', door: 'main' }],
  ['page hall', { do: 'page', target: 'hall' }],
  ['page hall file /usr/share/gong.wav', { do: 'page', target: 'hall', file: '/usr/share/gong.wav' }],
  [
    'page hall file /a path/with  spaces file .wav',
    { do: 'page', target: 'hall', file: '/a path/with  spaces file .wav' },
  ],
  ['message desk "The gate is open"', { do: 'message', target: 'desk', text: 'The gate is open' }],
  ['message sip:a@b "say "yes"  now"', { do: 'message', target: 'sip:a@b', text: 'say "yes"  now' }],
  ['press front', { do: 'press', button: 'front' }],
  ['press front for 3000 ms', { do: 'press', button: 'front', holdMs: 3000 }],
  ['dial 12*#AD', { do: 'dial', keys: '12*#AD' }],
  ['move input button on', { do: 'move input', input: 'button', active: true }],
  ['move input button off', { do: 'move input', input: 'button', active: false }],
  ['stall 2000 ms', { do: 'stall', ms: 2000 }],
];

test.each(forms)('%s', (text, action) => {
  expect(parseAction(text)).toEqual(action);
  expect(printAction(action)).toBe(text);
});

test('spaces around and between words do not matter', () => {
  expect(parseAction('  open   main ')).toEqual({ do: 'open', door: 'main' });
});

test.each(['3s', '3 s', '0.05 min', '3000ms'])('a press may be held for %s', time => {
  expect(parseAction(`press front for ${time}`)).toEqual({ do: 'press', button: 'front', holdMs: 3000 });
});

describe('says what is wrong', () => {
  test.each([
    ['', 'there is no action here'],
    ['   ', 'there is no action here'],
    ['fly', '"fly" is not an action; write one of: call TARGET'],
    ['constructor', 'is not an action'],
    ['__proto__ x', 'is not an action'],
    ['Open main', 'is not an action'],
    ['hangup', 'is not an action'],
    ['hang', 'write `hang up`'],
    ['hang up hall now', '`hang up` wants one target, or none'],
    ['hold the line', '`hold` wants one target, or none'],
    ['transfer to hall', '`transfer` wants one target, or none'],
    ['join all', 'nothing after it'],
    ['record', '`record` wants `call` or `microphone`'],
    ['record call for ever', '`record` wants `call` or `microphone`'],
    ['record call for 2 h', '`record` wants `call` or `microphone`'],
    ['stop', 'write `stop recording`'],
    ['answer me', 'nothing after it'],
    ['call', '`call` wants whom'],
    ['call desk at front', '`call` wants one target'],
    ['call desk as', '`call` wants one target'],
    ['call desk as front now', '`call` wants one target'],
    ['open', "one door's name"],
    ['open main door', "one door's name"],
    ['page', '`page` wants whom'],
    ['page hall file', 'perhaps `file` and a WAV'],
    ['page hall loud', 'perhaps `file` and a WAV'],
    ['press', "a button's name"],
    ['press front for', 'perhaps `for 3 s`'],
    ['press front for ever', 'perhaps `for 3 s`'],
    ['press front for 3 parsecs', 'perhaps `for 3 s`'],
    ['press front for -3 s', 'perhaps `for 3 s`'],
    ['press front for 1 h', 'at most 120 s'],
    ['press front 3 s', 'perhaps `for 3 s`'],
    ['message', '`message` wants whom and what'],
    ['message desk', '`message` wants whom and what'],
    ['message desk ""', '`message` wants whom and what'],
    ['dial', '1 to 32 keys'],
    ['dial 12 34', '1 to 32 keys'],
    ['dial 12e', '1 to 32 keys'],
    [`dial ${'1'.repeat(33)}`, '1 to 32 keys'],
    ['move input button', 'write `move input NAME on`'],
    ['move output led on', 'write `move input NAME on`'],
    ['move input button up', 'write `move input NAME on`'],
    ['stall', 'at most 30 s'],
    ['stall 31 s', 'at most 30 s'],
    ['open main\nopen back', 'one line of plain text'],
    ['open\u0000main', 'one line of plain text'],
    ['x'.repeat(ACTION_TEXT_LIMIT + 1), 'at most 512 characters'],
  ])('%j', (text, why) => {
    const parsed = parseAction(text);
    expect(isMalformed(parsed) && parsed.malformed).toContain(why);
    expect(checkAction(text)).toContain(why);
  });
});

test('every form that help shows can be written', () => {
  for (const form of ACTION_FORMS) {
    expect(checkAction(form.replace(/[[\]]/g, '').replace('KEYS', '12#')), form).toBeUndefined();
  }
});

test.each([
  ['call desc', 'there is no contact "desc"; there is desk, hall'],
  ['page roof file gong.wav', 'there is no zone or contact "roof"; there is yard, desk, hall'],
  ['call desk as back', 'there is no account "back"; there is pbx'],
  ['open cellar', 'there is no door "cellar"; there is none'],
  ['press bell', 'there is no button "bell"; there is front'],
])('in a configuration that does not know the name, %j is wrong', (text, why) => {
  const names = { contacts: ['desk', 'hall'], accounts: ['pbx'], doors: [], buttons: ['front'], zones: ['yard'] };
  expect(checkAction(text, names)).toBe(why);
  expect(checkAction(text)).toBeUndefined();
  for (const good of [
    'call desk',
    'call sip:a@example.org as pbx',
    'page hall',
    'page yard',
    'hang up yard',
    'press front',
  ])
    expect(checkAction(good, names)).toBeUndefined();
});

test('whatever the text, there is an action that prints back to itself, or a reason', () => {
  const random = seeded(4);
  const words = [
    'call',
    'hang',
    'up',
    'open',
    'page',
    'press',
    'dial',
    'for',
    'as',
    'file',
    'move',
    'input',
    'stall',
    ' ',
    '3',
    's',
    '#',
    '\t',
    'é',
    '💥',
  ];
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: random.uint32() % 8 }, () => words[random.uint32() % words.length]).join(
      random.next() < 0.8 ? ' ' : '',
    );
    const parsed = parseAction(text);
    if (isMalformed(parsed)) expect(parsed.malformed).not.toBe('');
    else expect(parseAction(printAction(parsed)), text).toEqual(parsed);
  }
});
