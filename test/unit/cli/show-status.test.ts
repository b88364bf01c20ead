import { describe, expect, test } from 'vitest';
import { problems, showStatus } from '../../../firmware/cli/show-status.ts';
import type { Status } from '../../../firmware/controller/contracts.ts';
import { nothingCounted } from '../../../firmware/media/page-counters.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';

const calm = new SimpleDevice().status();
const show = (changed: Partial<Status>) => showStatus({ ...calm, ...changed }).join('\n');

test('a device with nothing to do', () => {
  expect(show({})).toBe(`\
Front door (porter-1), Porter 0.1.0 on simulated, up 2 h 13 min
Nothing is wrong.

Call      none
Accounts  main  sip:door@example.org  registered
Buttons   front  ready
Doors     main  locked  relay at rest
Sound     alsa, up, 0 gaps, Opus by libopus
Config    local file
MQTT      off`);
});

test('a device that is told where it hangs', () => {
  expect(show({ device: { ...calm.device, location: 'Main entrance' } })).toContain(
    'Front door, Main entrance (porter-1)',
  );
});

test('a device that strangers knock at', () => {
  const { sip } = calm;
  expect(show({ sip: { ...sip, scannerRequests: 1 } })).toContain(
    '\nIgnored   1 SIP request of scanners and strangers\nConfig',
  );
  expect(show({ sip: { ...sip, scannerRequests: 7, overloadRefusals: 20, overloadDrops: 980 } })).toContain(
    'Ignored   7 SIP requests of scanners and strangers\n          1000 SIP messages too many, 20 of them answered 503\n',
  );
});

const statistics = {
  codec: 'opus' as const,
  sentPackets: 2100,
  sentBytes: 126_000,
  receivedPackets: 2097,
  receivedBytes: 125_820,
  lostPackets: 3,
  jitterMs: 4.4,
  concealedFrames: 6,
  latePackets: 0,
  duplicatePackets: 0,
  malformedPackets: 0,
  bufferMs: 40,
};

test('a device in a call', () => {
  const shown = show({
    call: {
      state: 'talking',
      direction: 'outgoing',
      remote: 'sip:desk@example.org',
      displayName: 'Front desk',
      codec: 'opus',
      answeredFor: 42.7,
      statistics: { ...statistics, remoteLossFraction: 0.012, roundTripMs: 17.6 },
    },
    otherCalls: [{ state: 'held', remote: 'sip:hall@192.0.2.5', direction: 'incoming', held: 'here', codec: 'PCMA' }],
    buttons: { front: { pressed: true, stuck: false } },
    doors: { main: { relay: 'energised', unlocked: true }, garage: { relay: 'at rest', unlocked: false } },
    config: { revision: 'ab12', source: 'provisioning server, unchanged' },
    mqtt: { state: 'connected', url: 'mqtt://broker.example.org' },
  });
  expect(shown).toContain(`
Call      talking with Front desk <sip:desk@example.org>, outgoing, opus, 42 s
          heard 2097 packets, 0.1 % lost, jitter 4 ms, buffer 40 ms
          said 2100 packets, 1.2 % lost there, round trip 18 ms
          and on hold with sip:hall@192.0.2.5, incoming, PCMA
`);
  expect(shown).toContain(`
Buttons   front  pressed
Doors     main    unlocked  relay energised
          garage  locked    relay at rest
`);
  expect(shown).toContain(
    'Config    revision ab12, provisioning server, unchanged\nMQTT      connected to mqtt://broker.example.org',
  );
});

test('one packet lost of very many does not read as none', () => {
  const call = { state: 'talking', statistics: { ...statistics, receivedPackets: 99_999, lostPackets: 1 } } as const;
  expect(show({ call })).toContain('below 0.1 % lost');
  expect(show({ call: { ...call, statistics } })).toContain('the far end reports nothing');
});

describe('what is wrong comes first, each with what to do', () => {
  const trouble: Partial<Status> = {
    accounts: { main: { aor: 'sip:door@example.org', state: 'failed', detail: '403 Forbidden, again in 30 s' } },
    audio: { driver: 'alsa', state: 'down', why: 'no such device' },
    buttons: { front: { pressed: true, stuck: true } },
    doors: { main: { relay: 'fault', unlocked: false } },
    config: { revision: 'ab12', source: 'provisioned', problem: 'revision cd34 was refused: sip.accounts: …' },
    mqtt: { state: 'connecting', url: 'mqtt://broker' },
  };

  test('all at once', () => {
    expect(problems({ ...calm, ...trouble })).toEqual([
      'The sound card is away: no such device. Check its cable and the names in `audio`.',
      'Account main is not registered: 403 Forbidden, again in 30 s. `porter sip status` says what to do.',
      'The relay of door main does not follow. Check its wiring and `doors.main.relay`.',
      'Button front is stuck: it has been down for too long. Free it, or check its wiring.',
      'Configuration: revision cd34 was refused: sip.accounts: …',
      'The MQTT broker mqtt://broker is not connected. The log says why; the device works on without it.',
    ]);
    const shown = show(trouble);
    expect(shown).not.toContain('Nothing is wrong');
    expect(shown).toContain('\n! Account main is not registered');
    expect(shown).toContain('main  sip:door@example.org  FAILED');
    expect(shown).toContain('relay FAULT');
    expect(shown).toContain('front  STUCK');
    expect(shown).toContain('NOT CONNECTED to mqtt://broker');
  });

  test('within 80 columns', () => {
    for (const line of showStatus({ ...calm, ...trouble })) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});

test('what a caller calls itself does not drive the terminal', () => {
  const shown = show({ call: { state: 'ringing', remote: 'sip:x@y', displayName: '\u001b[2J\u202eevil\r\n\u009b1m' } });
  expect(shown).toContain('rings here, from ?[2J?evil???1m <sip:x@y>');
});

test('before the first packet there is nothing to say about packets', () => {
  const call = {
    state: 'calling',
    remote: 'sip:x@y',
    statistics: { ...statistics, receivedPackets: 0, sentPackets: 0 },
  } as const;
  expect(show({ call })).toContain('Call      calling sip:x@y\nAccounts');
});

test('how an account stands', () => {
  const account = (state: 'registered' | 'registering' | 'unregistered' | 'failed', detail: string) =>
    show({ accounts: { main: { aor: 'sip:door@example.org', state, detail } } }).match(/example\.org {2}(.*)/)?.[1];
  expect(account('registered', 'for 280 s more')).toBe('registered, for 280 s more');
  expect(account('registering', '')).toBe('registering');
  expect(account('unregistered', 'from peer to peer')).toBe('from peer to peer');
  expect(account('failed', '403 Forbidden')).toBe('FAILED');
});

test('contacts that are watched', () => {
  const contacts = { desk: { is: 'busy' }, guard: { is: 'unknown', why: '404 Not Found' } } as const;
  expect(show({ contacts })).toContain('Contacts  desk   busy\n          guard  unknown: 404 Not Found');
});

test('what the machine lacks of sound, and what the card itself does', () => {
  const lines = show({
    audio: {
      driver: 'alsa',
      state: 'up',
      why: 'capture default cannot be opened: No such device',
      counters: { frames: 1, xruns: 0, reopened: 0, silentFrames: 0, driftSamples: 0, driftPpm: -85 },
      opus: 'none',
      acoustics: {
        echo: 'speex',
        faults: ['the mixer of hw:1 has no Horn: it has Speaker'],
        delayMs: 20,
        raisedDb: 0,
        card: { loudspeaker: { name: 'Speaker', db: -4 } },
      },
    },
  });
  const shown = lines.replace(/\s+/g, ' ');
  expect(shown).toContain('no Opus, which is not offered: install libopus0');
  expect(shown).toContain('clocks 85 ppm apart');
  expect(shown).toContain("the card's Speaker at -4 dB");
  expect(shown).toContain('the mixer of hw:1 has no Horn: it has Speaker');
  expect(shown).toContain('Half of the sound is away: capture default cannot be opened: No such device.');
});

test('a device without accounts, buttons, doors, counters', () => {
  const shown = show({ accounts: {}, buttons: {}, doors: {}, audio: { driver: 'simulated', state: 'starting' } });
  expect(shown).toContain('Accounts  none; calls go from peer to peer');
  expect(shown).toMatch(/^Sound {5}simulated, starting$/m);
  expect(shown).not.toContain('Buttons');
  expect(shown).not.toContain('Doors');
});

test('a device that pages reach, and one that they do not', () => {
  const none = nothingCounted();
  const shown = show({
    paging: {
      pages: [{ group: 'all', level: 'normal', from: '192.0.2.7' }],
      groups: {
        all: { ...none, pages: 2, packets: 99, lost: 1, otherSource: 3 },
        yard: none,
        roof: { ...none, notAuthentic: 7 },
        gate: { ...none, pages: 1, packets: 50, late: 1 },
        alarm: { ...none, why: 'no network leads to it' },
      },
      sent: [
        { zone: 'hall', from: 'call', remote: 'sip:desk@example.org' },
        { zone: 'roof', from: 'microphone' },
      ],
    },
  });
  expect(shown).toContain('! Paging group alarm: no network leads to it.');
  expect(shown).toContain('Paging    all    normal page from 192.0.2.7  2 pages, 1 % lost, 3 dropped');
  expect(shown).toContain('          yard   quiet                       nothing has come yet');
  expect(shown).toContain('roof   quiet                       0 pages, 7 without its key');
  expect(shown).toContain('gate   quiet                       1 page, 2 % too late');
  expect(shown).toContain('Sends     hall  from a call with sip:desk@example.org\n          roof  from the microphone');
});
