/** What a document becomes, and every way in which it can be wrong. */
import { describe, expect, test } from 'vitest';
import type { Surroundings } from '../../../firmware/config/check.ts';
import { parseConfig } from '../../../firmware/config/parse.ts';
import { printProblems } from '../../../firmware/config/problems.ts';
import { checkAction as checkNamedAction } from '../../../firmware/io/actions.ts';

const account = { uri: 'sip:front@example.org' };

/** What is wrong with a document, as lines. */
function wrong(document: unknown, surroundings?: Surroundings): string[] {
  const parsed = parseConfig(document, surroundings);
  return 'problems' in parsed ? printProblems(parsed.problems) : [];
}

function config(document: unknown) {
  const parsed = parseConfig(document);
  if ('problems' in parsed) throw new Error(printProblems(parsed.problems).join('\n'));
  return parsed.config;
}

describe('a sound document', () => {
  test('may be empty: every setting has a default', () => {
    expect(config({})).toMatchObject({
      device: { id: 'porter', name: 'Porter', location: '' },
      board: { name: 'simulated', watchdog: false },
      audio: { loudspeaker: 0, microphone: 0, country: 'eu' },
      media: {
        rtpPorts: { from: 16_384, to: 16_583 },
        codecs: ['opus', 'G722', 'PCMA', 'PCMU'],
        packetTime: 20,
        silentAfter: 30_000,
      },
      sip: { listen: { host: '0.0.0.0', port: 5060 }, maxCalls: 1 },
      calls: {
        ringFor: 30_000,
        talkFor: 600_000,
        incoming: 'ring',
        dtmf: { inSound: 'auto', terminator: '#', timeout: 5000, maxWrong: 5 },
      },
      mqtt: { topicRoot: 'porter/v1', keepAlive: 60_000, commands: true, openDoors: false },
      provisioning: { interval: 3_600_000, timeout: 10_000 },
      control: { socket: '' },
      log: { level: 'info' },
    });
  });

  test('gives named things their defaults', () => {
    const { sip, doors, buttons } = config({
      sip: { accounts: { desk: account } },
      doors: { front: { relay: 'relay-1' } },
      buttons: { bell: { input: 'button-1', press: 'call desk' } },
    });
    expect(sip.accounts.desk).toEqual({
      ...account,
      anonymous: false,
      callers: {},
      challengeServer: false,
      register: true,
      logins: {},
      srtp: 'optional',
      ping: 60_000,
      publish: false,
      events: [],
      expires: 300_000,
      keepAlive: 'auto',
      outbound: 'auto',
      outboundProxies: [],
    });
    expect(doors.front).toEqual({ relay: 'relay-1', openFor: 3000, codes: [] });
    expect(buttons.bell).toEqual({
      input: 'button-1',
      press: 'call desk',
      longAfter: 3000,
      debounce: 30,
      stuckAfter: 60_000,
    });
  });

  test('turns durations into milliseconds and leaves gains as they are', () => {
    const { audio, calls } = config({ audio: { loudspeaker: -6.5, period: '10 ms' }, calls: { talkFor: '1.5 min' } });
    expect([audio.loudspeaker, audio.period, calls.talkFor]).toEqual([-6.5, 10, 90_000]);
  });

  test.each([
    'sip:front@example.org',
    'sip:100@192.0.2.1:5062',
    'sip:a@[2001:db8::1]:5060;transport=udp',
    'sip:a@b;lr',
    'sip:+49-30@h',
  ])('takes %s as an account', uri => {
    expect(config({ sip: { accounts: { desk: { uri } } } }).sip.accounts.desk?.uri).toBe(uri);
  });

  test.each(['sip:192.0.2.1', 'sip:pbx.example.org:5062', 'sip:[2001:db8::1]', 'sip:proxy;lr'])(
    'takes %s as a server',
    outboundProxy => {
      expect(wrong({ sip: { accounts: { desk: { ...account, outboundProxy, registrar: outboundProxy } } } })).toEqual(
        [],
      );
    },
  );

  test('knows no door called constructor', () => {
    const name: string = 'constructor';
    expect(config({}).doors[name]).toBeUndefined();
    expect(config({ doors: { [name]: { relay: 'r' } } }).doors[name]?.relay).toBe('r');
  });
});

describe('an error says where, what stands there and what is allowed', () => {
  test.each([
    [
      { sip: { accounts: { desk: { ...account, expires: '3 parsecs' } } } },
      'sip.accounts.desk.expires: "3 parsecs" is not a duration; write a number and a unit such as "30 s", "5 min"',
    ],
    [
      { doors: { front: { relay: 'r', openFor: '1 h' } } },
      'doors.front.openFor: "1 h" is out of range; allowed is 100 ms to 1 min',
    ],
    [
      { doors: { front: { relay: 'r', openFor: 3 } } },
      'doors.front.openFor: 3 is not a duration; write a number and a unit such as "30 s", "5 min"',
    ],
    [
      { media: { packetTime: '25 ms' } },
      'media.packetTime: "25 ms" is not one of 10 ms, 20 ms, 30 ms, 40 ms, 50 ms, 60 ms',
    ],
    [{ media: { codecs: ['opus', 'mp3'] } }, 'media.codecs[1]: "mp3" is not one of "opus", "G722", "PCMA", "PCMU"'],
    [{ media: { codecs: [] } }, 'media.codecs: is empty; at least one codec is needed'],
    [{ media: { codecs: 'opus' } }, 'media.codecs: "opus" is not a list'],
    [
      { media: { codecs: ['opus', 'opus', 'opus', 'opus', 'opus'] } },
      'media.codecs: a list has too many entries; the most is 4',
    ],
    [{ sip: { listen: { port: 70_000 } } }, 'sip.listen.port: 70000 is not a whole number from 0 to 65535'],
    [{ sip: { listen: { port: '5060' } } }, 'sip.listen.port: "5060" is not a whole number from 0 to 65535'],
    [
      { sip: { listen: { host: 'eth0' } } },
      'sip.listen.host: "eth0" is not an IP address; write such as "192.0.2.1" or "2001:db8::1"',
    ],
    [{ sip: { accounts: { desk: {} } } }, 'sip.accounts.desk.uri: is missing'],
    [
      { sip: { accounts: { desk: { uri: 'desk' } } } },
      'sip.accounts.desk.uri: "desk" is not a SIP URI; write "sip:user@host", with ":port" where it is not 5060',
    ],
    [
      { sip: { accounts: { desk: { uri: 'sips:a@b:0' } } } },
      'sip.accounts.desk.uri: "sips:a@b:0" has a port that is not 1 to 65535',
    ],
    [
      { sip: { accounts: { desk: { uri: 'sip:a@b:0' } } } },
      'sip.accounts.desk.uri: "sip:a@b:0" has a port that is not 1 to 65535',
    ],
    [
      { sip: { accounts: { 'front desk': account } } },
      'sip.accounts."front desk": "front desk" is not a name; use letters, digits, "-" and "_", at most 63 characters',
    ],
    [{ device: { id: 'Front' } }, 'device.id: "Front" is not an id; use a-z, 0-9 and "-", at most 63 characters'],
    [{ device: { name: 'a\nb' } }, 'device.name: "a\\nb" is not text of one line, at most 64 characters'],
    [{ log: { level: 'loud' } }, 'log.level: "loud" is not one of "debug", "info", "warn", "error", "silent"'],
    [{ board: { watchdog: 'yes' } }, 'board.watchdog: "yes" is not true or false'],
    [{ audio: { loudspeaker: 21 } }, 'audio.loudspeaker: 21 is not a number of decibels from -60 to 20'],
    [
      { audio: { country: 'Germany' } },
      'audio.country: "Germany" is not a country; write two small letters such as "de", or "eu"',
    ],
    [{ mqtt: { url: 'ws://broker' } }, 'mqtt.url: "ws://broker" is not a URL; write such as "mqtt://host"'],
    [
      { provisioning: { url: 'https://host/?id=1' } },
      'provisioning.url: "https://host/?id=1" carries a query or fragment; leave it out',
    ],
    [
      { calls: { autoAnswer: { allow: ['desk'] } } },
      'calls.autoAnswer.allow[0]: "desk" is not a pattern for callers; write "sip:desk@example.org", "*@example.org", "tel:+4930*" or "*"',
    ],
    [
      { calls: { autoAnswer: { rules: [{ mode: 'shout' }] } } },
      'calls.autoAnswer.rules[0].mode: "shout" is not one of "talk", "listen", "page", "ring"',
    ],
    [
      { calls: { autoAnswer: { rules: [{ mode: 'talk', delay: 'soon' }] } } },
      'calls.autoAnswer.rules[0].delay: "soon" is not a duration; write a number and a unit such as "30 s", "5 min"',
    ],
    [{ calls: { autoAnswer: { rules: [{ match: 'x' }] } } }, 'calls.autoAnswer.rules[0].mode: is missing'],
    [
      { calls: { autoAnswer: { rules: ['page'] } } },
      'calls.autoAnswer.rules[0]: "page" is not a rule; write such as {"match": "info=emergency", "mode": "page"}',
    ],
    [
      { calls: { autoAnswer: { rules: [{ mode: 'talk', form: '*' }] } } },
      'calls.autoAnswer.rules[0].form: there is no such setting',
    ],
    [
      { mqtt: { topicRoot: 'a/#' } },
      'mqtt.topicRoot: "a/#" is not the root of MQTT topics; no "+", "#", "/" at either end, at most 128 characters',
    ],
    [{ calls: 5 }, 'calls: a plain value stands where a group of settings belongs'],
    [{ doors: { front: null } }, 'doors.front: a plain value stands where a group of settings belongs'],
    [{ sip: { accounts: [] } }, 'sip.accounts: a list stands where a group of settings belongs'],
  ])('%j', (document, line) => {
    expect(wrong(document)).toEqual([line]);
  });

  test.each([[null], [5], ['text'], [[]], [undefined], [true]])('%j is not a document', value => {
    expect(wrong(value)).toEqual(['the document is not a JSON object']);
  });

  test('names an unknown setting and the nearest that exists', () => {
    expect(wrong({ sip: { maxCals: 2 }, volume: 3 })).toEqual([
      'sip.maxCals: there is no such setting; did you mean "maxCalls"?',
      'volume: there is no such setting',
    ]);
  });

  test('tells of all at once, and counts what is beyond twenty', () => {
    const accounts = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`a${i}`, {}]));
    const lines = wrong({ sip: { accounts } });
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('… and 5 more');
  });

  test('cuts a long value, and does not show a very long one', () => {
    const name = (length: number) => wrong({ device: { name: 'x'.repeat(length) } })[0];
    expect(name(100)).toBe(`device.name: "${'x'.repeat(59)}… is not text of one line, at most 64 characters`);
    expect(name(5000)).toBe('device.name: a text of 5000 characters is not text of one line, at most 64 characters');
  });

  test('refuses a table that is too large', () => {
    const contacts = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`c${i}`, { uri: 'sip:a@b' }]));
    expect(wrong({ contacts })).toEqual(['contacts: the table has too many entries; the most is 256']);
  });
});

describe('a secret is never shown', () => {
  const canary = 'hunter2';
  test.each([
    [{ sip: { accounts: { desk: { ...account, password: [canary] } } } }],
    [{ sip: { accounts: { desk: { ...account, password: `${canary}\n` } } } }],
    [{ sip: { accounts: { desk: { ...account, passwort: canary } } } }],
    [{ sip: { accounts: { desk: canary } } }],
    [{ sip: { accounts: { desk: { uri: `sip:front:${canary}@example.org` } } } }],
    [{ sip: { accounts: { desk: { ...account, outboundProxy: `sip:u:${canary}@h` } } } }],
    [{ doors: { front: { relay: 'r', codes: [canary] } } }],
    [{ doors: { front: { relay: 'r', codes: canary } } }],
    [{ mqtt: { url: `mqtt://user:${canary}@broker` } }],
    [{ mqtt: { url: `mqtt://user:a@b${canary}@broker` } }],
    [{ mqtt: { password: { is: canary } } }],
    [{ provisioning: { token: `${canary}\u0000` } }],
    [{ mqtt: { url: `mqtt://user:${canary}${'x'.repeat(300)}@broker` } }],
  ])('%#', document => {
    const lines = wrong(document);
    expect(lines).not.toEqual([]);
    expect(lines.join('\n')).not.toContain(canary);
  });

  test('not even a code that two doors share', () => {
    const lines = wrong({ doors: { a: { relay: 'r1', codes: ['4711'] }, b: { relay: 'r2', codes: ['1', '4711'] } } });
    expect(lines).toEqual(['doors.b.codes[1]: the secret is already a code of doors.a']);
  });
});

describe('settings that must fit each other', () => {
  const lines = { inputs: ['button-1', 'button-2'], outputs: ['relay-1', 'lamp-1'] };
  const bell = { input: 'button-1', press: 'call desk' };
  test.each([
    [
      { contacts: { desk: { uri: 'sip:a@b', account: 'front' } } },
      'contacts.desk.account: there is no account "front"; there is none',
    ],
    [
      { contacts: { desk: { uri: 'sip:a@b', account: 'x' } }, sip: { accounts: { front: account } } },
      'contacts.desk.account: there is no account "x"; there is front',
    ],
    [
      { media: { rtpPorts: { from: 16_385 } } },
      'media.rtpPorts.from: 16385 is odd; RTP takes an even port (RFC 3550 §11)',
    ],
    [
      { media: { rtpPorts: { from: 20_000, to: 20_002 } } },
      'media.rtpPorts.to: 20002 leaves too few ports; 1 calls need 4',
    ],
    [{ media: { jitter: { min: '300 ms', max: '100 ms' } } }, 'media.jitter.min: 300 ms is above media.jitter.max'],
    [{ media: { codecs: ['opus', 'opus'] } }, 'media.codecs: names a codec twice'],
    [
      { audio: { loudspeakerSide: 'left', lineOut: { side: 'left' } } },
      "audio.lineOut.side: the left half is the loudspeaker's",
    ],
    [{ audio: { period: '20 ms', buffer: '30 ms' } }, 'audio.buffer: 30 ms is less than two periods of 20 ms'],
    [
      { buttons: { bell: { ...bell, input: 'x' } } },
      'buttons.bell.input: there is no input "x"; there is button-1, button-2',
    ],
    [{ buttons: { bell, knob: bell } }, 'buttons.knob.input: "button-1" already serves buttons.bell'],
    [
      { buttons: { bell: { ...bell, led: 'x' } } },
      'buttons.bell.led: there is no output "x"; there is relay-1, lamp-1',
    ],
    [
      { buttons: { bell: { ...bell, led: 'relay-1' } }, doors: { a: { relay: 'relay-1' } } },
      'buttons.bell.led: "relay-1" is the relay of doors.a',
    ],
    [{ doors: { a: { relay: 'relay-9' } } }, 'doors.a.relay: there is no output "relay-9"; there is relay-1, lamp-1'],
    [
      { doors: { a: { relay: 'relay-1' }, b: { relay: 'relay-1' } } },
      'doors.b.relay: "relay-1" already serves doors.a',
    ],
    [
      { board: { inputs: { extra: { chip: 'gpiochip0' } } } },
      'board.inputs.extra.line: is missing; the board itself has no line of this name',
    ],
    [{ buttons: { bell: { ...bell, longPress: 'jump' } } }, 'buttons.bell.longPress: "jump": there is no such action'],
  ])('%j', (document, line) => {
    const checkAction = (text: string) => (text === 'jump' ? 'there is no such action' : undefined);
    expect(wrong(document, { lines, checkAction })).toEqual([line]);
  });

  test('an action that names what is not there is wrong, with what is there', () => {
    const document = {
      contacts: { desk: { uri: 'sip:desk@example.org' } },
      buttons: { bell: { ...bell, press: 'call desc', longPress: 'open main' } },
    };
    expect(wrong(document, { lines, checkAction: checkNamedAction })).toEqual([
      'buttons.bell.press: "call desc": there is no contact "desc"; there is desk',
      'buttons.bell.longPress: "open main": there is no door "main"; there is none',
    ]);
  });

  test('a line that the configuration adds to the board may be used', () => {
    const board = { inputs: { extra: { chip: 'gpiochip0', line: 4 } } };
    expect(wrong({ board, buttons: { bell: { ...bell, input: 'extra' } } }, { lines })).toEqual([]);
  });

  test('two buttons may share one lamp', () => {
    const buttons = { a: { ...bell, led: 'lamp-1' }, b: { ...bell, input: 'button-2', led: 'lamp-1' } };
    expect(wrong({ buttons }, { lines })).toEqual([]);
  });
});
