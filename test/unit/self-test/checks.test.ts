/** What a person is told for each thing that can be wrong with a device, and what they are to do. */
import { describe, expect, test } from 'vitest';
import { selfTestReport, showSelfTest } from '../../../firmware/cli/show-self-test.ts';
import { WIDTH } from '../../../firmware/cli/text.ts';
import { effectiveSettings } from '../../../firmware/config/layers.ts';
import { hideSecret } from '../../../firmware/rpc/methods.ts';
import { judge } from '../../../firmware/self-test/checks.ts';
import type { Alone, Facts, Machine, Running } from '../../../firmware/self-test/facts.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';

const local = {
  board: { name: 'raspberry-pi-4', gpio: 'chardev', watchdog: true },
  provisioning: { url: 'https://fleet.example' },
  sip: { accounts: { pbx: { uri: 'sip:front@pbx.example', password: 'hunter2' } } },
};
const settings = effectiveSettings({ local }).map(hideSecret);

/** A board at which nothing is wrong. */
const machine: Machine = {
  kernel: '6.1.0-rpi7',
  arch: 'arm64',
  system: 'Debian GNU/Linux 12 (bookworm)',
  model: 'Raspberry Pi 4 Model B Rev 1.5',
  node: '24.21.0',
  chips: [{ path: '/dev/gpiochip0', label: 'pinctrl-bcm2711', lines: 58 }],
  cards: ['0 [Headset]: USB-Audio - Headset'],
  watchdog: { identity: 'Broadcom BCM2835 Watchdog timer', state: 'active' },
  addresses: [{ interface: 'eth0', address: '192.0.2.10' }],
  hosts: [{ host: 'pbx.example', addresses: ['192.0.2.1'] }],
  clock: { now: '2026-11-22T12:00:00.000Z', synchronised: true },
  provisioning: { url: 'https://fleet.example', status: 401, aheadSeconds: 1 },
  disk: { path: '/var/lib/porter', freeMegabytes: 9_000 },
  memoryMegabytes: 906,
};

const device = new SimpleDevice();
const running: Running = {
  settings,
  paging: {
    groups: { hall: { arrives: true, packets: 7 } },
    querier: { is: 'heard', from: '192.0.2.1', agoMs: 34_000 },
  },
  status: device.status(),
  sip: {
    ...device.sipStatus(),
    accounts: { pbx: { aor: 'sip:front@pbx.example', registers: true, state: 'registered', server: '192.0.2.1:5060' } },
  },
};
const alone: Alone = {
  settings,
  problems: [],
  faults: {},
  busy: [],
  inputs: 4,
  outputs: 2,
  sound: { tone: { heard: true, silenceDb: -62, toneDb: -31 } },
  servers: {},
};

const facts = (
  changes: { machine?: Partial<Machine>; running?: Partial<Running>; alone?: Partial<Alone> } = {},
): Facts => ({
  version: '0.1.0',
  machine: { ...machine, ...changes.machine },
  device:
    changes.alone === undefined
      ? { running: { ...running, ...changes.running } }
      : { alone: { ...alone, ...changes.alone }, whyNotRunning: 'nothing listens at /var/lib/porter/porter.sock' },
});
const of = (check: string, ...changes: Parameters<typeof facts>) =>
  judge(facts(...changes)).filter(finding => finding.check === check);
const status = (changes: object) => ({ running: { status: { ...running.status, ...changes } } });

test('at a sound board nothing fails and nothing is to be looked at', () => {
  const verdicts = new Set(judge(facts()).map(({ verdict }) => verdict));
  expect([...verdicts]).toEqual(['ok']);
});

describe('a finding says what is wrong and what to do:', () => {
  test.each([
    ['lines', status({ faults: { 'relay-1': 'line 22 is held by "gpio-fan"' } }), 'fail', 'gpio-fan'],
    ['lines', { machine: { chips: [] } }, 'look', 'no GPIO chip'],
    ['lines', { machine: { chips: [{ path: '/dev/gpiochip0', why: 'EACCES' }] } }, 'look', 'EACCES'],
    ['buttons', status({ buttons: { front: { pressed: true, stuck: true } } }), 'fail', 'front is stuck'],
    ['sound', status({ audio: { driver: 'alsa', state: 'down', why: 'hw:7: no such device' } }), 'fail', 'hw:7'],
    ['sound', { alone: { sound: { why: 'hw:7: no such device' } } }, 'fail', 'hw:7'],
    ['sound', { alone: { sound: { tone: { heard: false, silenceDb: -60, toneDb: -59 } } } }, 'look', '-59 dB'],
    ['watchdog', { machine: { watchdog: undefined } }, 'fail', 'the board has none'],
    ['watchdog', { machine: { watchdog: { identity: 'softdog', state: 'inactive' } } }, 'fail', 'though it is wanted'],
    ['network', { machine: { addresses: [] } }, 'fail', 'no address'],
    ['names', { machine: { hosts: [{ host: 'pbx', addresses: [], why: 'no such name' }] } }, 'fail', 'no such name'],
    ['clock', { machine: { clock: { now: '1970-01-01T00:00:31.000Z', synchronised: false } } }, 'fail', '1970'],
    [
      'clock',
      { machine: { clock: { now: '2026-11-22T12:00:00.000Z', synchronised: false } } },
      'look',
      'set by nobody',
    ],
    ['provisioning', { machine: { provisioning: { url: 'https://a', why: 'ECONNREFUSED' } } }, 'fail', 'ECONNREFUSED'],
    ['mqtt', status({ mqtt: { state: 'connecting', url: 'mqtt://broker' } }), 'fail', 'mqtt://broker'],
    ['disk', { machine: { disk: { path: '/var/lib/porter', why: 'EROFS' } } }, 'fail', 'EROFS'],
    ['disk', { machine: { disk: { path: '/var/lib/porter', why: 'EACCES' } } }, 'look', 'not for this user'],
    ['disk', { machine: { disk: { path: '/var/lib/porter', freeMegabytes: 12 } } }, 'look', '12 MB'],
    ['config', status({ config: { source: 'the defaults alone', problem: 'sip.port: …' } }), 'fail', 'sip.port'],
    ['device', { alone: {} }, 'look', 'does not run'],
  ] as const)('%s %#', (check, changes, verdict, words) => {
    const [first] = of(check, changes as Parameters<typeof facts>[0]);
    expect(first).toMatchObject({ verdict, says: expect.stringContaining(words), todo: expect.any(String) });
  });

  test('a clock that differs from the server’s', () => {
    const provisioning = { url: 'https://fleet.example', status: 200, aheadSeconds: -3_600 };
    expect(of('clock', { machine: { provisioning } })).toMatchObject([{ verdict: 'fail' }]);
  });

  test('an account that is refused, with the words of `sip status`', () => {
    const accounts = {
      pbx: {
        aor: 'sip:front@pbx.example',
        registers: true,
        state: 'failed' as const,
        last: { status: 403, why: '403 Forbidden', agoSeconds: 3, meaning: 'the password is wrong' },
        advice: 'Correct sip.accounts.pbx.password.',
      },
    };
    expect(of('telephone', { running: { sip: { ...running.sip, accounts } } })).toEqual([
      {
        check: 'telephone',
        verdict: 'fail',
        says: 'pbx: 403 Forbidden: the password is wrong',
        todo: 'Correct sip.accounts.pbx.password.',
      },
    ]);
  });
});

test('without a device the way to each server is asked for', () => {
  const servers = {
    pbx: { reached: true, steps: [], uri: 'sip:pbx.example' },
    old: { reached: false, steps: [], uri: 'sip:old.example', meaning: 'nobody answers', advice: 'Is it on?' },
  };
  expect(of('telephone', { alone: { servers: servers as Alone['servers'] } })).toMatchObject([
    { verdict: 'ok' },
    { verdict: 'fail', says: 'old: nobody answers', todo: 'Is it on?' },
  ]);
});

test('what is not there and not wanted is left out', () => {
  const plain = effectiveSettings({ local: { board: { name: 'simulated', gpio: 'simulated' } } });
  const left = judge(
    facts({ running: { settings: plain }, machine: { watchdog: undefined, provisioning: undefined, hosts: [] } }),
  );
  const checks = left.filter(({ verdict }) => verdict === 'left out').map(({ check }) => check);
  expect(checks).toEqual(['lines', 'watchdog', 'names', 'provisioning']);
});

test('a person reads 80 columns, a sum at the end, and never a password', () => {
  const test = { facts: facts({ machine: { addresses: [] } }), findings: judge(facts({ machine: { addresses: [] } })) };
  const lines = showSelfTest(test);
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(WIDTH);
  expect(lines[0]).toContain('Raspberry Pi 4 Model B');
  expect(lines.at(-1)).toMatch(/^\d+ ok, 0 to look at, 1 failure, 0 left out$/);
  const report = selfTestReport(test);
  expect(report).toContain('sip:front@pbx.example');
  expect(report).not.toContain('hunter2');
});

test('pages that do not arrive fail, each group for itself; a network without a querier is to be looked at', () => {
  const groups = {
    hall: { arrives: true, packets: 0 },
    yard: { arrives: false, packets: 0 },
    roof: { arrives: false, packets: 0, why: 'no network leads to it' },
  };
  const paging = { groups, querier: { is: 'none', forMs: 260_000, leftMs: 0 } } as const;
  expect(of('pages', { running: { paging } }).map(({ verdict, says }) => `${verdict}: ${says}`)).toEqual([
    'ok: hall: joined, nothing has come from others yet',
    'fail: yard: no multicast arrives here',
    'fail: roof: no network leads to it',
    'look: nobody in this network asks who is a member of groups',
  ]);
  expect(of('pages', { running: { paging: { why: 'no paging groups are configured' } } })).toEqual([]);
});

describe('a line or card that another program has', () => {
  const says = (check: string, changes: Partial<Alone>) => of(check, { alone: changes }).map(({ todo }) => todo);

  test('is told with the way to ask the device that perhaps has it', () => {
    const faults = { 'relay-1': 'GPIO 22 is in use by porter', 'relay-2': 'there is no chip 4' };
    const lines = says('lines', { faults, busy: ['relay-1'] });
    expect(lines[0]).toContain('--state');
    expect(lines[1]).not.toContain('--state');
    const sound = { why: 'left alone, since relay-1 is in use', busy: true };
    expect(of('sound', { alone: { sound } })).toMatchObject([{ verdict: 'left out', says: sound.why }]);
    expect(says('sound', { sound })[0]).toContain('--state');
  });
});
