/** Which layer wins, what a change needs, and what a device starts with when layers are bad. */
import { expect, test } from 'vitest';
import { changesBetween } from '../../../firmware/config/changes.ts';
import type { JsonObject } from '../../../firmware/config/document.ts';
import { boardLayer, effectiveSettings, type Layers, mergeLayers } from '../../../firmware/config/layers.ts';
import { loadConfig, resolveLayers } from '../../../firmware/config/load.ts';
import { parseConfig } from '../../../firmware/config/parse.ts';
import type { Provisioned } from '../../../firmware/config/store.ts';
import type { BoardDefinition } from '../../../hal/contracts.ts';

const bench: BoardDefinition = {
  name: 'bench',
  description: 'A board for tests.',
  gpio: 'simulated',
  inputs: { 'button-1': { chip: 'sim', line: 0 } },
  outputs: { 'relay-1': { chip: 'sim', line: 1 } },
  audio: { driver: 'alsa', capture: 'mic', playback: 'spk', rate: 48_000, periodMs: 10, bufferMs: 40 },
};
const board = (name: string) => (name === 'bench' ? bench : name === 'simulated' ? { ...bench, name } : undefined);

/** `value (origin)` of one setting. */
function effective(layers: Layers, path: string) {
  const found = effectiveSettings(layers).find(entry => entry.path === path);
  return found && `${JSON.stringify(found.value)} (${found.origin})`;
}

test('the strongest layer that speaks wins, and is named', () => {
  const layers: Layers = {
    board: { audio: { rate: 48_000, capture: 'mic' } },
    provisioned: { audio: { rate: 16_000 }, device: { name: 'Gate' } },
    local: { device: { name: 'Back gate' } },
  };
  expect(effective(layers, 'audio.rate')).toBe('16000 (provisioned)');
  expect(effective(layers, 'audio.capture')).toBe('"mic" (board)');
  expect(effective(layers, 'device.name')).toBe('"Back gate" (local)');
  expect(effective(layers, 'device.id')).toBe('"porter" (default)');
  expect(effective(layers, 'mqtt.url')).toBe('undefined (default)');
});

test('null takes back what weaker layers said, one setting or a whole thing', () => {
  const layers: Layers = {
    provisioned: {
      calls: { talkFor: '1 h' },
      doors: { front: { relay: 'r1', openFor: '5 s' }, back: { relay: 'r2' } },
    },
    local: { calls: { talkFor: null }, doors: { back: null, front: { openFor: null } } },
  };
  expect(mergeLayers(layers)).toEqual({ calls: {}, doors: { front: { relay: 'r1' } } });
  expect(effective(layers, 'calls.talkFor')).toBe('"10 min" (default)');
  expect(effective(layers, 'doors.front.openFor')).toBe('"3 s" (default)');
  expect(effective(layers, 'doors.front.relay')).toBe('"r1" (provisioned)');
  expect(effective(layers, 'doors.back.relay')).toBeUndefined();
});

test('null for a whole section leads back to its defaults', () => {
  const layers: Layers = { provisioned: { mqtt: { commands: false } }, local: { mqtt: null } };
  expect(effective(layers, 'mqtt.commands')).toBe('true (default)');
});

test('lists are replaced, not joined', () => {
  const layers: Layers = {
    provisioned: { media: { codecs: ['opus', 'PCMA'] } },
    local: { media: { codecs: ['PCMU'] } },
  };
  expect(effective(layers, 'media.codecs')).toBe('["PCMU"] (local)');
});

test('objects of two layers grow together', () => {
  const layers: Layers = {
    provisioned: { sip: { accounts: { desk: { uri: 'sip:a@b' } } } },
    local: { sip: { accounts: { desk: { password: 'x' } } } },
  };
  expect(effective(layers, 'sip.accounts.desk.uri')).toBe('"sip:a@b" (provisioned)');
  expect(effective(layers, 'sip.accounts.desk.password')).toBe('"x" (local)');
  expect(
    effectiveSettings(layers)
      .filter(({ secret }) => secret)
      .map(({ path }) => path),
  ).toContain('sip.accounts.desk.password');
});

test("the board's card is a layer between defaults and provisioned", () => {
  expect(boardLayer(bench)).toEqual({
    board: { gpio: 'simulated' },
    audio: { driver: 'alsa', capture: 'mic', playback: 'spk', rate: 48_000, period: '10 ms', buffer: '40 ms' },
  });
  const result = resolveLayers({ board, local: { board: { name: 'bench' }, audio: { playback: 'hdmi' } } });
  expect('config' in result && result.config.audio).toMatchObject({
    capture: 'mic',
    playback: 'hdmi',
    period: 10,
    buffer: 40,
  });
});

test.each([
  ['pi9', 'board.name: there is no board "pi9"'],
  ['', 'board.name: there is no board ""'],
])('an unknown board %j is told by name', (name, line) => {
  expect(resolveLayers({ board, local: { board: { name } } })).toEqual({ problems: [line] });
});

test('a document that names lines is checked against the board it names', () => {
  const doors = { front: { relay: 'relay-7' } };
  expect(resolveLayers({ board, provisioned: { doors } })).toEqual({
    problems: ['doors.front.relay: there is no output "relay-7"; there is relay-1'],
  });
});

const kept = (revision: string, document: JsonObject): Provisioned => ({
  revision,
  fetchedAt: '2026-01-01T00:00:00.000Z',
  document,
});
const good = kept('r2', { device: { name: 'Provisioned' } });
const older = kept('r1', { device: { name: 'Older' } });
const bad = kept('r3', { device: { nam: 'x' } });

test('starts with everything where everything is sound', () => {
  const loaded = loadConfig({
    board,
    local: { device: { location: 'Gate' } },
    stored: { latest: good, previous: older },
  });
  expect(loaded.config.device).toMatchObject({ name: 'Provisioned', location: 'Gate' });
  expect([loaded.provisioned, loaded.problems]).toEqual([good, []]);
});

test('falls back to the previous document and says why', () => {
  const loaded = loadConfig({ board, local: {}, stored: { latest: bad, previous: older } });
  expect(loaded.config.device.name).toBe('Older');
  expect(loaded.provisioned).toBe(older);
  expect(loaded.problems).toEqual([
    'provisioned r3 + local: device.nam: there is no such setting; did you mean "name"?',
  ]);
});

test('leaves out a provisioned document that is bad whole: none of it is merged', () => {
  const half = kept('r3', { device: { location: 'Cellar' }, volume: 3 });
  const loaded = loadConfig({ board, local: { device: { name: 'Mine' } }, stored: { latest: half } });
  expect(loaded.config.device).toMatchObject({ name: 'Mine', location: '' });
  expect(loaded.provisioned).toBeUndefined();
});

test('leaves out a bad local document rather than the provisioned one', () => {
  const loaded = loadConfig({ board, local: { log: { level: 'loud' } }, stored: { latest: good } });
  expect(loaded.config.device.name).toBe('Provisioned');
  expect(loaded.problems.join('\n')).toContain('log.level: "loud" is not one of');
});

test('starts with the defaults where nothing else is sound', () => {
  const loaded = loadConfig({ board, local: { a: 1 }, stored: { latest: bad, problem: 'the disk is odd' } });
  expect(loaded.config.device.name).toBe('Porter');
  expect(loaded.problems[0]).toBe('the disk is odd');
  expect(loaded.problems.length).toBeGreaterThan(2);
});

function changes(before: JsonObject, after: JsonObject) {
  const parse = (document: JsonObject) => {
    const parsed = parseConfig(document);
    if ('problems' in parsed) throw new Error(parsed.problems[0]!.message);
    return parsed.config;
  };
  return changesBetween(parse(before), parse(after));
}

test('the same settings are no change, however they are written', () => {
  expect(changes({ calls: { talkFor: '60 s' } }, { calls: { talkFor: '1 min' } })).toEqual([]);
  expect(changes({}, { device: { name: 'Porter' } })).toEqual([]);
});

test('a change names its path and what it needs', () => {
  const sip = (expires: string) => ({ sip: { accounts: { desk: { uri: 'sip:a@b', expires } } } });
  expect(changes(sip('5 min'), sip('10 min'))).toEqual([{ path: 'sip.accounts.desk.expires', needs: 're-register' }]);
  expect(changes({}, { audio: { loudspeaker: -3 }, media: { jitter: { max: '200 ms' } } })).toEqual([
    { path: 'audio.loudspeaker', needs: 'live' },
    { path: 'media.jitter.max', needs: 'restart media' },
  ]);
});

test('a thing that comes or goes is a change of each of its settings', () => {
  const door = { doors: { front: { relay: 'r1' } } };
  const expected = ['doors.front.relay', 'doors.front.openFor', 'doors.front.codes'];
  expect(changes({}, door).map(({ path }) => path)).toEqual(expected);
  expect(changes(door, {}).map(({ path }) => path)).toEqual(expected);
  expect(changes(door, {}).map(({ needs }) => needs)).toEqual(['restart lines', 'live', 'live']);
});

test('a list is one setting', () => {
  const codes = (...keys: string[]) => ({ doors: { front: { relay: 'r1', codes: keys } } });
  expect(changes(codes('1', '2'), codes('2', '1'))).toEqual([{ path: 'doors.front.codes', needs: 'live' }]);
});
