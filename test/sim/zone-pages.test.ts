/** Pages that a device sends: a press, a call, a file or a command at one device, heard at another. */
import { describe, expect, test } from 'vitest';
import { chooseOpus, opusRate } from '../../firmware/audio/codecs/opus.ts';
import { wavHeader } from '../../firmware/audio/wav.ts';
import { parseConfig } from '../../firmware/config/parse.ts';
import { mediaSettings } from '../../firmware/controller/media-settings.ts';
import { zoneSettings } from '../../firmware/controller/paging-settings.ts';
import { simulated } from '../../hal/boards/simulated.ts';
import type { Board } from '../../hal/contracts.ts';
import { presets } from './lossy-network.ts';
import { World as PhoneWorld } from './phone.ts';
import { decibels, sine, toneLevel } from './tone.ts';
import { building, DEVICE, tone, World } from './world.ts';

const OPUS = (await chooseOpus(opusRate(8_000)))!;
const OTHER = { host: '192.0.2.20', port: 5060 };
const HALL = { address: '239.1.1.1', port: 5_000 };
/** More than the gong lasts. */
const GONG_MS = 2_500;

const KEY = Buffer.from(Array.from({ length: 30 }, (_, index) => index)).toString('base64');
interface Format {
  format: string;
  address?: string;
  codec: string;
  channel?: number;
  soundPort?: number;
  payloadType?: number;
  key?: string;
}

const wav = (samples: Int16Array) =>
  new Uint8Array(Buffer.concat([wavHeader(8_000, samples.byteLength), Buffer.from(samples.buffer)]));

function configOf(document: object) {
  const parsed = parseConfig(document);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

/** A device with a zone, and another that hears it. */
async function twoDevices(
  zone: object = {},
  group: object = {},
  own: object = {},
  more: object = {},
  button: object = {},
) {
  const world = new World({ seed: 1, impairment: presets.perfect, opus: OPUS });
  const desk = world.desk({ speaks: tone(1_500) });
  const speaker = world.device(
    {
      ...building,
      ...more,
      buttons: { front: { input: 'button-1', press: 'page hall', led: 'led-1', ...button } },
      paging: { zones: { hall: { ...HALL, code: '21', ...zone } }, ...own },
    },
    tone(600),
  );
  const receiver = world.device(
    {
      ...building,
      sip: { listen: { host: OTHER.host } },
      paging: { groups: { hall: { ...HALL, ...group } } },
    },
    undefined,
    OTHER,
  );
  await world.until(() => speaker.intercom.status().accounts.pbx?.state === 'registered', 5_000);
  const press = async () => {
    speaker.hold('button-1', true);
    await world.run(200);
    speaker.hold('button-1', false);
    await world.run(100);
  };
  const level = (hz: number, at = receiver) =>
    decibels(Math.max(1e-3, toneLevel(at.ears.heard(300), hz, 8_000)) / 8_000);
  const told = (at: typeof speaker) =>
    at.events.filter(({ source }) => source === 'paging').map(({ type, why }) => (why ? `${type}: ${why}` : type));
  return { world, desk, speaker, receiver, press, level, told };
}

describe('a press', () => {
  const formats: Format[] = [
    { format: 'rtp', codec: 'PCMA' },
    { format: 'rtp', codec: 'PCMU' },
    { format: 'rtp', codec: 'G722' },
    { format: 'rtp', codec: 'opus' },
    { format: 'rtp', codec: 'L16/8000' },
    { format: 'rtp', codec: 'L16/16000', payloadType: 101 },
    { format: 'rtp', codec: 'L16/44100' },
    { format: 'rtp', codec: 'L16/48000' },
    { format: 'rtp', codec: 'PCMU', key: KEY },
    { format: 'rtp', codec: 'PCMU', address: 'ff15::7' },
    { format: 'linksys', codec: 'PCMU', soundPort: 34_568, key: `${'A'.repeat(62)}==` },
    { format: 'polycom', channel: 26, codec: 'PCMU' },
    { format: 'polycom', channel: 26, codec: 'G722' },
    { format: 'linksys', codec: 'PCMU', soundPort: 34_568 },
  ];
  test.each(
    formats.map(
      zone =>
        [
          `${zone.format} ${zone.codec}${zone.key ? ' and a key' : ''}${zone.address ? ' over IPv6' : ''}`,
          zone,
        ] as const,
    ),
  )('pages the zone with %s: gong, then the microphone, until the next press', async (_name, zone) => {
    const { format, address, channel, codec, key } = zone;
    const group = { format, channel, key, ...(address && { address }), ...(/^(?:L16|opus)/.test(codec) && { codec }) };
    const { world, speaker, receiver, press, level, told } = await twoDevices(zone, group);
    await press();
    // Polycom telephones are told for a second.
    await world.run(format === 'polycom' ? 1_300 : 500);
    expect(receiver.intercom.status().paging.pages).toMatchObject([{ group: 'hall', from: DEVICE.host }]);
    expect(level(600)).toBeLessThan(-30);
    expect(speaker.output('led-1')).toBe(true);
    await world.run(GONG_MS);
    expect(level(600)).toBeGreaterThan(-1);
    expect(speaker.intercom.status().paging.sent).toEqual([{ zone: 'hall', from: 'microphone' }]);
    await press();
    await world.run(2_000);
    expect(level(600)).toBeLessThan(-40);
    expect(speaker.intercom.status().paging.sent).toEqual([]);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended']);
    expect(told(receiver)).toEqual(['page started', 'page ended']);
    expect(speaker.output('led-1')).toBe(false);
  });

  test('lasts for as long as the button is held, where letting go hangs up', async () => {
    const { world, speaker, level, told } = await twoDevices({ gong: false }, {}, {}, {}, { release: 'hang up hall' });
    speaker.hold('button-1', true);
    await world.run(4_000);
    expect(level(600)).toBeGreaterThan(-1);
    expect(told(speaker)).toEqual(['zone paged']);
    speaker.hold('button-1', false);
    await world.run(1_500);
    expect(level(600)).toBeLessThan(-40);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended']);
    // A tap, shorter than it takes to begin, leaves nothing on.
    speaker.intercom.perform({ do: 'press', button: 'front', holdMs: 40 }, 'cli');
    await world.run(1_500);
    expect(speaker.intercom.status().paging.sent).toEqual([]);
  });

  test('is heard to be a page by whoever presses: the gong sounds there too', async () => {
    const { world, speaker, press } = await twoDevices();
    await press();
    await world.run(500);
    expect(Math.max(...speaker.ears.heard(300))).toBeGreaterThan(1_000);
  });

  test('while another talks in the zone is refused, and he goes on', async () => {
    const groups = { groups: { hall: HALL } };
    const { world, speaker, press, told } = await twoDevices({}, {}, groups);
    const third = world.device(
      {
        ...building,
        sip: { listen: { host: '192.0.2.30' } },
        paging: { zones: { hall: { ...HALL } } },
      },
      tone(900),
      { host: '192.0.2.30', port: 5060 },
    );
    third.intercom.perform({ do: 'page', target: 'hall' }, 'cli');
    await world.run(1_000);
    await press();
    await world.run(500);
    expect(told(speaker)).toEqual(['page started', 'zone not paged: 192.0.2.30 is paging it']);
    expect(speaker.intercom.status().paging.sent).toEqual([]);
  });
});

describe('its own page', () => {
  test('is not received, though the device listens to the group', async () => {
    const { world, speaker, press, level, told } = await twoDevices({ gong: false }, {}, { groups: { hall: HALL } });
    await press();
    await world.run(1_000);
    expect(level(600)).toBeGreaterThan(-1);
    expect(level(600, speaker)).toBeLessThan(-40);
    expect(told(speaker)).toEqual(['zone paged']);
  });

  test('is not received after its end either: the last packets come back late', async () => {
    const { world, speaker, press, told } = await twoDevices({ gong: false }, {}, { groups: { hall: HALL } });
    world.sound.faults = { delayMs: [60, 60] };
    await press();
    await world.run(1_000);
    await press();
    await world.run(2_000);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended']);
  });
});

describe('a file', () => {
  test('pages until it ends; the microphone is not heard', async () => {
    const { world, speaker, level, told } = await twoDevices({ gong: false });
    world.files.contents.set('/sounds/news.wav', wav(sine(1_100, 8_000, 8_000, 2)));
    expect(speaker.intercom.perform({ do: 'page', target: 'hall', file: 'news.wav' }, 'cli')).toEqual({ done: true });
    await world.run(1_000);
    expect([level(1_100) > -1, level(600) < -40]).toEqual([true, true]);
    await world.run(2_000);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended']);
    expect(speaker.events.at(-1)).toMatchObject({ zone: 'hall', from: 'file', seconds: 2 });
  });

  test('that is missing is told', async () => {
    const { world, speaker, told } = await twoDevices();
    speaker.intercom.perform({ do: 'page', target: 'hall', file: 'news.wav' }, 'cli');
    await world.run(100);
    expect(told(speaker)).toEqual(['zone not paged: /sounds/news.wav does not exist']);
  });
});

describe('a call', () => {
  test('pages with the code of the zone, and speaks; the same keys end it', async () => {
    const { world, desk, speaker, level, told } = await twoDevices({ gong: false });
    desk.desk.call(`sip:front@${DEVICE.host}:${DEVICE.port}`);
    await world.run(300);
    speaker.intercom.perform({ do: 'answer' }, 'cli');
    await world.run(500);
    const [call] = desk.desk.calls;
    call!.sendKeys('21#');
    await world.run(2_000);
    expect(level(1_500)).toBeGreaterThan(-1);
    expect(level(600)).toBeLessThan(-40);
    expect(speaker.intercom.status().paging.sent).toMatchObject([{ zone: 'hall', from: 'call' }]);
    // Nobody at the door cuts the caller off.
    expect(speaker.intercom.perform({ do: 'page', target: 'hall' }, 'button')).toMatchObject({ done: false });
    call!.sendKeys('21#');
    await world.run(3_000);
    expect(level(1_500)).toBeLessThan(-40);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended']);
    expect(speaker.intercom.status().call.state).toBe('talking');
  });

  test('that is hung up ends its page', async () => {
    const { world, desk, speaker, told } = await twoDevices({ gong: false });
    desk.desk.call(`sip:front@${DEVICE.host}:${DEVICE.port}`);
    await world.run(300);
    speaker.intercom.perform({ do: 'answer' }, 'cli');
    await world.run(500);
    desk.desk.calls[0]!.sendKeys('21#');
    await world.run(2_000);
    desk.desk.calls[0]!.hangUp();
    await world.run(2_000);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended']);
    expect(speaker.intercom.status().paging.sent).toEqual([]);
  });

  test('that begins ends a page with the microphone: who calls is not heard in the hall', async () => {
    const { world, desk, speaker, press, told } = await twoDevices({ gong: false });
    await press();
    await world.run(500);
    desk.desk.call(`sip:front@${DEVICE.host}:${DEVICE.port}`);
    await world.run(300);
    expect(speaker.intercom.status().paging.sent).toHaveLength(1);
    speaker.intercom.perform({ do: 'answer' }, 'cli');
    await world.run(500);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended']);
  });
});

describe('a page', () => {
  test('is over when its time is up, or when it is hung up', async () => {
    const { world, speaker, told } = await twoDevices({ gong: false, longest: '3 s' });
    speaker.intercom.perform({ do: 'page', target: 'hall' }, 'cli');
    await world.run(3_500);
    speaker.intercom.perform({ do: 'page', target: 'hall' }, 'cli');
    await world.run(500);
    expect(speaker.intercom.perform({ do: 'page', target: 'hall' }, 'mqtt')).toMatchObject({ done: false });
    speaker.intercom.perform({ do: 'hang up', target: 'hall' }, 'cli');
    await world.run(500);
    expect(told(speaker)).toEqual(['zone paged', 'zone page ended: its time was up', 'zone paged', 'zone page ended']);
  });

  test('says each second what time it is, on the next port, and at the end that it is over', async () => {
    const { world, speaker } = await twoDevices({ gong: false });
    const reports: number[] = [];
    world.sound.onPage = (bytes, _from, to) => {
      if (to.port === HALL.port + 1) reports.push(bytes[1]!);
    };
    speaker.intercom.perform({ do: 'page', target: 'hall' }, 'cli');
    await world.run(4_000);
    speaker.intercom.perform({ do: 'hang up' }, 'cli');
    await world.run(500);
    // Five sender reports (RFC 3550 §6.4.1), the last with the BYE.
    expect(reports).toEqual([200, 200, 200, 200, 200]);
  });
});

describe('a new configuration', () => {
  /** The device's own with another SIP port: that takes a new start of all parts. */
  const moved = {
    ...building,
    audio: { recording: { folder: '/recordings' } },
    sip: { ...building.sip, listen: { host: DEVICE.host, port: 5_062 } },
    paging: { zones: { hall: HALL } },
  };
  const begun = {
    'a page to a zone': ['page hall', 'hang up', 'a zone is being paged'],
    'a recording': ['record microphone', 'stop recording', 'a recording is being made'],
  };
  test.each(Object.entries(begun))('does not cut %s short: it waits for its end', async (_what, [begin, end, why]) => {
    const { world, speaker } = await twoDevices({}, {}, {}, { audio: moved.audio });
    const { intercom, events } = speaker;
    const told = (type: string) => events.filter(event => event.source === 'config' && event.type === type);
    expect(intercom.performText(begin!, 'cli')).toEqual({ done: true });
    await world.run(500);
    intercom.apply(configOf(moved));
    await world.run(3_000);
    expect(told('waiting')).toMatchObject([{ why }]);
    expect(told('applied')).toEqual([]);
    expect(intercom.performText(end!, 'cli')).toEqual({ done: true });
    await world.until(() => told('applied').length > 0, 10_000);
    expect(intercom.config.sip.listen.port).toBe(5_062);
  });
});

test('a page is told to be over when the device stops', async () => {
  const { world, speaker, told } = await twoDevices({ gong: false });
  speaker.intercom.perform({ do: 'page', target: 'hall' }, 'cli');
  await world.run(3_000);
  await world.finish(speaker.intercom.stop());
  expect(told(speaker)).toEqual(['zone paged', 'zone page ended: the sound was stopped']);
  expect(speaker.events.find(({ type }) => type === 'zone page ended')).toMatchObject({ zone: 'hall', seconds: 3 });
});

describe('a group with a key', () => {
  const dropped = async (zone: object) => {
    const { world, receiver, press, level, told } = await twoDevices({ gong: false, ...zone }, { key: KEY });
    await press();
    await world.run(1_000);
    let counters: object | undefined;
    receiver.intercom.freshStatus(status => {
      counters = status.paging.groups.hall;
    });
    await world.run(10);
    return { counters, told: told(receiver), isQuiet: level(600) < -40 };
  };

  test('does not hear who has another key, or none, and counts him', async () => {
    const other = Buffer.alloc(30, 7).toString('base64');
    for (const zone of [{ key: other }, {}]) {
      const { counters, told, isQuiet } = await dropped(zone);
      expect(counters).toMatchObject({ pages: 0, packets: 0, malformed: 0 });
      expect((counters as { notAuthentic: number }).notAuthentic).toBeGreaterThan(45);
      expect([told, isQuiet]).toEqual([[], true]);
    }
  });

  test('does not hear a page again that somebody has recorded', async () => {
    const { world, receiver, press, told } = await twoDevices({ gong: false, key: KEY }, { key: KEY });
    const recorded: Uint8Array[] = [];
    world.sound.onPage = (bytes, _from, to) => {
      if (to.port === HALL.port) recorded.push(bytes.slice());
    };
    await press();
    await world.run(1_000);
    await press();
    await world.run(2_000);
    const before = told(receiver).length;
    const thief = { host: '203.0.113.9', port: 4_000 };
    for (const bytes of [...recorded]) {
      world.sound.send(bytes, thief, { host: HALL.address, port: HALL.port });
      await world.run(20);
    }
    expect([before, told(receiver).length]).toEqual([2, 2]);
  });
});

test('Polycom telephones know the device by a number that lasts for its whole life', () => {
  const world = new PhoneWorld();
  const phone = world.phone('192.0.2.1', { settings: { serial: 0x89_ab_cd_ef } });
  const serials: string[] = [];
  world.network.onPage = bytes => serials.push(Buffer.from(bytes.subarray(2, 6)).toString('hex'));
  const zone = zoneSettings(configOf({ paging: { zones: { hall: { ...HALL, format: 'polycom', channel: 26 } } } }))
    .hall!;
  phone.send({ do: 'page', zone, from: 'microphone', caller: 'a' });
  world.run(100);
  expect(new Set(serials)).toEqual(new Set(['89abcdef']));
  const board = { definition: simulated } as Board;
  expect(mediaSettings(configOf({}), board, 'urn:uuid:00000000-0000-4000-8000-000089abcdef').serial).toBe(
    0x89_ab_cd_ef,
  );
});

test('who comes late hears the rest of a page', async () => {
  const { world, speaker } = await twoDevices({ gong: false, key: KEY });
  speaker.intercom.perform({ do: 'page', target: 'hall' }, 'cli');
  await world.run(5_000);
  const late = world.device(
    { ...building, sip: { listen: { host: '192.0.2.30' } }, paging: { groups: { hall: { ...HALL, key: KEY } } } },
    undefined,
    { host: '192.0.2.30', port: 5060 },
  );
  await world.run(1_000);
  expect(decibels(toneLevel(late.ears.heard(300), 600, 8_000) / 8_000)).toBeGreaterThan(-1);
});
