/** Paging groups and levels as a person writes them, and what is wrong with them. */
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../firmware/config/parse.ts';
import { printProblems } from '../../../firmware/config/problems.ts';
import { pagingSettings } from '../../../firmware/controller/paging-settings.ts';

const POLYCOM = { address: '224.0.1.116', port: 5_001, format: 'polycom' };

function problems(paging: object, rest: object = {}): string {
  const parsed = parseConfig({ paging, ...rest });
  return 'problems' in parsed ? printProblems(parsed.problems).join('\n') : '';
}

function settings(paging: object, rest: object = {}) {
  const parsed = parseConfig({ paging, ...rest });
  if ('problems' in parsed) throw new Error(printProblems(parsed.problems).join('\n'));
  return pagingSettings(parsed.config);
}

describe('groups', () => {
  test('without a level have that of their channel', () => {
    const groups = Object.fromEntries([1, 24, 25, 26, 49, 50].map(channel => [`c${channel}`, { ...POLYCOM, channel }]));
    expect(settings({ groups }).groups.map(({ level }) => level)).toEqual([
      'normal',
      'high',
      'emergency',
      'normal',
      'high',
      'emergency',
    ]);
    const said = { all: { ...POLYCOM, channel: 50, level: 'background' } };
    expect(settings({ groups: said }).groups[0]!.level).toBe('background');
  });

  test('are joined where SIP listens, unless another interface is named', () => {
    expect(settings({}).interfaceHost).toBeUndefined();
    const sip = { listen: { host: '192.0.2.10' } };
    expect(settings({}, { sip }).interfaceHost).toBe('192.0.2.10');
    expect(settings({ interface: '198.51.100.1' }, { sip }).interfaceHost).toBe('198.51.100.1');
  });

  test.each([
    ['an address that is no multicast', { all: { address: '192.0.2.1', port: 5_000 } }, 'is not a multicast address'],
    ['a Polycom group without a channel', { all: POLYCOM }, 'is missing; a Polycom group has one'],
    ['a channel in plain RTP', { all: { address: '239.1.1.1', port: 5_000, channel: 3 } }, 'means nothing with'],
    [
      'one channel twice',
      { a: { ...POLYCOM, channel: 26 }, b: { ...POLYCOM, channel: 26 } },
      'is already that of paging.groups.a',
    ],
    [
      'two formats at one address',
      { a: { ...POLYCOM, channel: 26 }, b: { ...POLYCOM, format: 'rtp' } },
      'is already that of paging.groups.a',
    ],
    [
      'a source that is no address',
      { all: { address: '239.1.1.1', port: 5_000, sources: ['10.0.0.0/33'] } },
      'is not an IP address or network',
    ],
  ])('%s is refused', (_, groups, words) => {
    expect(problems({ groups })).toContain(words);
  });

  test('of Polycom share an address', () => {
    expect(problems({ groups: { a: { ...POLYCOM, channel: 26 }, b: { ...POLYCOM, channel: 27 } } })).toBe('');
  });
});

describe('zones', () => {
  const LINKSYS = { address: '224.168.168.168', port: 6_061, format: 'linksys' };
  test.each([
    ['sound of two at one port', { a: LINKSYS, b: { ...LINKSYS, port: 6_062 } }, 'already that of paging.zones.a'],
    [
      'sound where another has its words',
      { a: { ...LINKSYS, soundPort: 6_062 }, b: { address: LINKSYS.address, port: 6_062 } },
      'is already that of paging.zones.a',
    ],
    ['IPv6', { a: { ...LINKSYS, address: 'ff15::7' } }, 'is IPv6'],
    ['sound where its own words go', { a: { ...LINKSYS, soundPort: 6_061 } }, 'is where its own words go'],
  ])('%s is refused', (_, zones, words) => {
    expect(problems({ zones })).toContain(words);
  });

  test('may share a port on two addresses, and an address on two ports', () => {
    const zones = {
      a: LINKSYS,
      b: { ...LINKSYS, address: '224.168.168.169' },
      c: { ...LINKSYS, port: 6_062, soundPort: 34_568 },
    };
    expect(problems({ zones })).toBe('');
  });
});

test('the relay of a level is not one of a door, nor a lamp', () => {
  const levels = { high: { relay: 'relay-1' } };
  expect(problems({ levels }, { doors: { main: { relay: 'relay-1' } } })).toContain('already serves doors.main');
  const buttons = { front: { input: 'button-1', press: 'call desk', led: 'relay-1' } };
  expect(problems({ levels }, { buttons })).toContain('already serves buttons.front');
  expect(problems({ levels })).toBe('');
});
