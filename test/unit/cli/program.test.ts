import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CliEnvironment, CliError, EXIT_FAILED, type RunOptions } from '../../../firmware/cli/environment.ts';
import { runCli } from '../../../firmware/cli/program.ts';
import { effectiveSettings } from '../../../firmware/config/layers.ts';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { SocketServer } from '../../../firmware/rpc/socket-server.ts';
import { findBoard } from '../../../hal/boards/catalog.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';

let folder: string;
let device: SimpleDevice;
let server: SocketServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'porter-'));
  device = new SimpleDevice();
  const layers = { local: { sip: { accounts: { main: { uri: 'sip:door@example.org', password: 'hunter2' } } } } };
  server = new SocketServer({
    path: join(folder, 'porter.sock'),
    clock: systemClock,
    log: silentLog,
    offered: { device, settings: () => effectiveSettings(layers) },
  });
  await server.start();
});

afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Runs one command line against the device and gives what a shell would see. */
async function porter(line: string | string[], changed: Partial<CliEnvironment> = {}) {
  let out = '';
  let err = '';
  const code = await runCli(typeof line === 'string' ? line.split(' ').filter(word => word !== '') : line, {
    out: text => {
      out += text;
    },
    err: text => {
      err += text;
    },
    clock: systemClock,
    version: '0.1.0',
    socket: join(folder, 'porter.sock'),
    board: findBoard,
    run: () => expect.unreachable('nobody asked to run'),
    ...changed,
  });
  return { code, out, err };
}

const file = (text: string) => {
  const path = join(folder, 'porter.json');
  writeFileSync(path, text);
  return path;
};

describe('actions', () => {
  test.each([
    ['press front', { do: 'press', button: 'front' }, 'pressed front'],
    ['press front --hold 3s', { do: 'press', button: 'front', holdMs: 3000 }, 'pressed front'],
    ['call desk', { do: 'call', target: 'desk' }, 'calling desk'],
    ['call sip:a@b --as main', { do: 'call', target: 'sip:a@b', account: 'main' }, 'calling sip:a@b'],
    ['answer', { do: 'answer' }, 'answered'],
    ['open main', { do: 'open', door: 'main' }, 'opened main'],
    ['page hall', { do: 'page', target: 'hall' }, 'paging hall'],
    ['page hall --file /a.wav', { do: 'page', target: 'hall', file: '/a.wav' }, 'paging hall'],
    ['message desk Hello', { do: 'message', target: 'desk', text: 'Hello' }, 'text to desk on its way'],
    ['dial 12#', { do: 'dial', keys: '12#' }, 'dialled 12#'],
    ['hold', { do: 'hold' }, 'on hold'],
    ['resume hall', { do: 'resume', target: 'hall' }, 'resumed'],
    ['transfer', { do: 'transfer' }, 'passing it on'],
    ['transfer hall', { do: 'transfer', target: 'hall' }, 'passing it on'],
    ['join', { do: 'join' }, 'joined'],
    ['record stop', { do: 'stop recording' }, 'recording stopped'],
    [
      'record call --for 30s',
      { do: 'record', what: 'call', forMs: 30_000 },
      'recording the call; `porter status` says where',
    ],
    ['debug move-input button on', { do: 'move input', input: 'button', active: true }, 'button is on'],
    ['debug stall 2s', { do: 'stall', ms: 2000 }, 'stalled for 2s'],
  ])('porter %s', async (line, action, said) => {
    expect(await porter(line)).toEqual({ code: 0, out: `${said}\n`, err: '' });
    expect(device.performed).toEqual([{ action, origin: 'cli' }]);
  });

  test('a relative file is meant from here, not from where the device runs', async () => {
    await porter('page hall --file a.wav');
    expect(device.performed).toMatchObject([{ action: { file: join(process.cwd(), 'a.wav') } }]);
  });

  test('what the device refuses ends with its words and exit code 1', async () => {
    expect(await porter('open side')).toEqual({
      code: 1,
      out: '',
      err: 'porter: there is no door "side"; there is main\n',
    });
    expect(await porter('hangup')).toEqual({ code: 1, out: '', err: 'porter: there is no call\n' });
  });

  test.each(['dial hello', 'press front --hold ages', 'press front --hold 1h', 'debug stall ever'])(
    'porter %s is wrong usage and reaches no device',
    async line => {
      expect(await porter(line)).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringMatching(/^porter: `\w+` wants/),
      });
      expect(device.performed).toEqual([]);
    },
  );
});

describe('status', () => {
  test('for a person', async () => {
    const { code, out } = await porter('status');
    expect(code).toBe(0);
    expect(out).toMatch(/^Front door \(porter-1\), Porter 0\.1\.0 on simulated, up 2 h 13 min\nNothing is wrong\.\n/);
  });

  test('for a program', async () => {
    const { code, out } = await porter('status --json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(device.status())));
  });
});

describe('which device', () => {
  const nowhere = { socket: '/nowhere/porter.sock' };

  test('is named by --socket, before or after the command', async () => {
    const socket = join(folder, 'porter.sock');
    expect(await porter(['--socket', socket, 'open', 'main'], nowhere)).toMatchObject({ code: 0 });
    expect(await porter(['open', 'main', '--socket', socket], nowhere)).toMatchObject({ code: 0 });
    expect(await porter(['debug', 'stall', '1s', '--socket', socket], nowhere)).toMatchObject({ code: 0 });
  });

  test('is named by --state', async () => {
    expect(await porter(['open', 'main', '--state', folder], nowhere)).toMatchObject({ code: 0 });
  });

  test('that does not run is told with what to do', async () => {
    expect(await porter('status', nowhere)).toEqual({
      code: 1,
      out: '',
      err:
        'porter: no device is running here: nothing listens at /nowhere/porter.sock; ' +
        'start one with `porter run --config FILE`, or name its socket with --socket\n',
    });
  });
});

describe('events', () => {
  async function follow(line: string) {
    const interrupt = new AbortController();
    let heard = () => {};
    const first = new Promise<void>(resolve => {
      heard = resolve;
    });
    const lines: string[] = [];
    const out = (text: string) => {
      lines.push(text);
      heard();
    };
    const following = porter(line, { out, signal: interrupt.signal });
    const begin = device.onEvent.bind(device);
    await new Promise<void>(resolve => {
      device.onEvent = listener => {
        resolve();
        return begin(listener);
      };
    });
    return { interrupt, following, first, lines };
  }

  test('are told as they happen, until an interrupt', async () => {
    const { interrupt, following, first, lines } = await follow('events');
    device.tell('button', 'pressed', { button: 'front' });
    await first;
    interrupt.abort();
    expect(await following).toMatchObject({ code: 0, err: '' });
    expect(lines).toEqual(['08:00:00.000  button        pressed  button=front\n']);
  });

  test('as JSON, one a line', async () => {
    const { interrupt, following, first, lines } = await follow('events --json');
    device.tell('door', 'opened', { door: 'main' });
    await first;
    interrupt.abort();
    await following;
    expect(JSON.parse(lines[0]!)).toMatchObject({ seq: 1, source: 'door', type: 'opened', door: 'main' });
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
  });

  test('end with exit code 1 when the device goes', async () => {
    const { following } = await follow('events');
    await server.stop();
    expect(await following).toMatchObject({ code: 1, err: expect.stringContaining('the device has gone') });
  });
});

describe('sip probe', () => {
  test('says how far it went, and ends with 0 or 1 by it', async () => {
    expect(await porter('sip probe pbx --account main')).toEqual({
      code: 0,
      out:
        'sip:pbx, as account main\n✓ name        to try: 192.0.2.1:5060\n' +
        '✓ OPTIONS     200 OK from 192.0.2.1:5060 after 3 ms\nIt can be reached.\n',
      err: '',
    });
    expect(await porter('sip probe down')).toEqual({
      code: 1,
      out:
        'sip:down\n✓ name        to try: 192.0.2.1:5060\n✗ OPTIONS     no answer from 192.0.2.1:5060\n' +
        'That is: nothing comes back.\n! Ping the PBX.\n',
      err: 'porter: down cannot be reached as asked\n',
    });
  });

  test('for a program', async () => {
    const { code, out } = await porter('sip probe down --json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ reached: false, uri: 'sip:down', advice: 'Ping the PBX.' });
  });

  test('alone it asks no device, with the accounts of a file', async () => {
    const asked: unknown[] = [];
    const probe: CliEnvironment['probe'] = async (request, config) => {
      asked.push([request, Object.keys(config.sip.accounts)]);
      return { uri: 'sip:pbx', reached: true, steps: [] };
    };
    const path = file('{ "sip": { "accounts": { "main": { "uri": "sip:door@example.org" } } } }');
    const nowhere = { socket: '/nowhere/porter.sock', probe };
    expect(await porter('sip probe pbx --alone --transport tcp', nowhere)).toMatchObject({ code: 0, err: '' });
    expect(await porter(`sip probe main --alone --config ${path}`, nowhere)).toMatchObject({ code: 0, err: '' });
    expect(asked).toEqual([
      [{ target: 'pbx', transport: 'tcp' }, []],
      [{ target: 'main' }, ['main']],
    ]);
  });

  test('says what is wrong with what it was asked', async () => {
    expect(await porter('sip probe nobody')).toEqual({ code: 1, out: '', err: 'porter: there is no such host\n' });
    expect(await porter('sip probe pbx --transport sctp')).toMatchObject({ code: 2 });
    expect(await porter('sip probe pbx --config a.json')).toMatchObject({ code: 2 });
  });
});

describe('sip status', () => {
  test('for a person and for a program', async () => {
    expect((await porter('sip status')).out).toMatch(
      /^main {2}sip:door@example\.org\n {2}registered at tls 192\.0\.2\.1:5061/,
    );
    const { code, out } = await porter('sip status --json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(device.sipStatus());
  });
});

describe('audio graph', () => {
  test('one way a line, broken before an arrow where a line is full', async () => {
    expect((await porter('audio graph')).out).toBe(
      [
        'capture 16 kHz → gain 0 dB → microphone',
        'microphone → encode opus 16 kHz 20 ms',
        '  → srtp call-1 [2001:db8:10:20:30:40:50:60]:16402',
        'srtp call-1 [2001:db8:10:20:30:40:50:60]:16402 → buffer 40 ms',
        '  → decode opus 16 kHz → mixer',
        'mixer → gain 0 dB → playback',
        '',
      ].join('\n'),
    );
  });

  test('for a program: each way with its places', async () => {
    const { code, out } = await porter('audio graph --json');
    expect(code).toBe(0);
    expect(JSON.parse(out).ways[0]).toEqual(['capture 16 kHz', 'gain 0 dB', 'microphone']);
  });
});

describe('sip trace', () => {
  const options = (callId: string) =>
    Buffer.from(
      [
        'OPTIONS sip:door@192.0.2.10 SIP/2.0',
        'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
        'From: <sip:pbx@192.0.2.1>;tag=1',
        `To: <sip:door@${callId === 'ours' ? 'example.org' : 'example.com'}>`,
        `Call-ID: ${callId}`,
        'CSeq: 1 OPTIONS',
        '\r\n',
      ].join('\r\n'),
    );
  const pass = (callId: string) =>
    device.pass({
      atMs: Date.UTC(2026, 10, 22, 8),
      way: 'in',
      local: { host: '192.0.2.10', port: 5060 },
      remote: { host: '192.0.2.1', port: 5060 },
      bytes: options(callId),
    });

  /** Runs a trace; `passing` once the device is watched; ends with the first thing shown. */
  async function traced(line: string, passing: () => void) {
    const interrupt = new AbortController();
    const begin = device.watch.bind(device);
    device.watch = watcher => {
      const end = begin(watcher);
      queueMicrotask(passing);
      return end;
    };
    let shown = '';
    const out = (text: string) => {
      shown += text;
      interrupt.abort();
    };
    const { code, err } = await porter(line, { out, signal: interrupt.signal });
    return { code, err, shown };
  }

  test('shows what goes by, until an interrupt', async () => {
    const { code, shown } = await traced('sip trace', () => pass('a'));
    expect(code).toBe(0);
    expect(shown).toMatch(/Front door +192\.0\.2\.1\n +5060\/udp\n +0\.000 {2}│◀─ OPTIONS ─+│ {2}pbx → door\n$/);
  });

  test('as JSON, one object a line, of one account alone', async () => {
    const { shown } = await traced('sip trace --json --account main', () => {
      pass('foreign');
      pass('ours');
    });
    expect(shown).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(shown)).toEqual({
      ts: '2026-11-22T08:00:00.000Z',
      way: 'in',
      transport: 'udp',
      local: { host: '192.0.2.10', port: 5060 },
      remote: { host: '192.0.2.1', port: 5060 },
      is: 'message',
      call: 'ours',
      method: 'OPTIONS',
      again: false,
      text: options('ours').toString(),
    });
  });

  test('writes what it shows into a file', async () => {
    const path = join(folder, 'trace.pcapng');
    const { err } = await traced(`sip trace --pcap ${path}`, () => pass('a'));
    expect(err).toBe(`${path}: 1 packet\n`);
    expect(readFileSync(path).includes(options('a'))).toBe(true);
  });

  test('ends when the file is full', async () => {
    const path = join(folder, 'trace.pcapng');
    const watching = device.watch.bind(device);
    device.watch = watcher => {
      const end = watching(watcher);
      // Those of the last moment wait for earlier ones: so two, a second apart.
      queueMicrotask(() => {
        for (const atMs of [0, 1_000]) {
          const hop = { host: '192.0.2.1', port: 5060 };
          watcher.onMessage({ atMs, way: 'in', local: hop, remote: hop, bytes: Buffer.alloc(2_000) });
        }
      });
      return end;
    };
    expect(await porter(`sip trace --pcap ${path} --max 1kB`)).toMatchObject({
      code: 0,
      err: `${path}: 0 packets; it is full (--max 1kB)\n`,
    });
  });

  test('ends by itself after --for', async () => {
    expect(await porter('sip trace --for 1ms')).toEqual({ code: 0, out: '', err: '' });
  });

  test('says what is wrong with what it was asked', async () => {
    expect(await porter('sip trace --account nobody')).toMatchObject({
      code: 1,
      err: 'porter: there is no account "nobody"; there are: main\n',
    });
    expect(await porter('sip trace --for ages')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--for: ages is not a duration'),
    });
    expect(await porter('sip trace --max much')).toMatchObject({
      code: 2,
      err: 'porter: --max: much is no size; write 10 MB or 500 kB\n',
    });
    expect(await porter('sip trace --pcap /nowhere/a.pcapng')).toMatchObject({
      code: 1,
      err: 'porter: /nowhere/a.pcapng: there is no such folder\n',
    });
  });
});

describe('run', () => {
  test('hands its options on', async () => {
    const asked: RunOptions[] = [];
    const run = async (options: RunOptions) => {
      asked.push(options);
    };
    expect(await porter('run --config a.json --state /var/x --log debug', { run })).toMatchObject({ code: 0 });
    expect(await porter('run --config a.json', { run })).toMatchObject({ code: 0 });
    expect(asked).toEqual([
      { config: 'a.json', state: '/var/x', log: 'debug' },
      { config: 'a.json', state: undefined, log: undefined },
    ]);
  });

  test('that cannot start says why', async () => {
    const run = () => Promise.reject(new CliError(EXIT_FAILED, 'another device is running'));
    expect(await porter('run --config a.json', { run })).toEqual({
      code: 1,
      out: '',
      err: 'porter: another device is running\n',
    });
  });

  test('wants a configuration', async () => {
    expect(await porter('run')).toMatchObject({ code: 2, err: expect.stringContaining('--config') });
    expect(await porter('run --config a --log loud')).toMatchObject({
      code: 2,
      err: expect.stringContaining('debug, info'),
    });
  });

  test('with a fault of ours is not hidden', async () => {
    const run = () => Promise.reject(new Error('our fault'));
    await expect(porter('run --config a.json', { run })).rejects.toThrow('our fault');
  });
});

describe('config check', () => {
  test('a sound file', async () => {
    const path = file('{ "sip": { "accounts": { "main": { "uri": "sip:door@example.org" } } } }');
    expect(await porter(`config check ${path}`)).toEqual({
      code: 0,
      out: `${path} is sound: board simulated, 1 account, 0 contacts, 0 buttons, 0 doors\n`,
      err: '',
    });
    expect(JSON.parse((await porter(`config check ${path} --json`)).out)).toEqual({ sound: true, problems: [] });
  });

  test('every problem of a bad one, the action of a button too', async () => {
    const path = file('{ "sip": { "maxCals": 2 }, "calls": { "ringFor": "3 parsecs" } }');
    const { code, out, err } = await porter(`config check ${path}`);
    expect(code).toBe(1);
    expect(out.trimEnd().split('\n')).toHaveLength(2);
    expect(out).toContain('sip.maxCals');
    expect(out).toContain('calls.ringFor: "3 parsecs" is not a duration');
    expect(err).toBe(`porter: ${path}: 2 problems\n`);
    const json = await porter(`config check ${path} --json`);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ sound: false, problems: [expect.any(String), expect.any(String)] });

    const button = file('{ "buttons": { "front": { "input": "button1", "press": "fly" } } }');
    expect((await porter(`config check ${button}`)).out).toContain('"fly" is not an action; write one of: call TARGET');
  });

  test('a file that is no document, or is not there', async () => {
    expect(await porter(`config check ${file('{')}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not JSON'),
    });
    expect(await porter('config check /nowhere.json')).toMatchObject({
      code: 1,
      err: 'porter: there is no file /nowhere.json\n',
    });
    expect(await porter(`config check ${folder}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot be read'),
    });
  });
});

test('config schema is JSON Schema that knows the settings', async () => {
  const { code, out } = await porter('config schema', { socket: '/nowhere' });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ $schema: expect.any(String), properties: { sip: expect.any(Object) } });
});

describe('config show', () => {
  test('of the running device, without secrets', async () => {
    const { code, out } = await porter('config show --origin');
    expect(code).toBe(0);
    expect(out).toMatch(/^sip\.accounts\.main\.uri +local +"sip:door@example\.org"$/m);
    expect(out).toMatch(/^sip\.accounts\.main\.password +local +"\(hidden\)"$/m);
    expect(out).toMatch(/^sip\.maxCalls +default +1$/m);
    expect(out).not.toContain('hunter2');
  });

  test('of a file, without a device', async () => {
    const path = file('{ "mqtt": { "url": "mqtt://broker", "password": "hunter2" } }');
    const { code, out } = await porter(`config show --config ${path} --json`, { socket: '/nowhere' });
    expect(code).toBe(0);
    const told = JSON.parse(out) as { path: string }[];
    expect(told.find(one => one.path === 'mqtt.url')).toEqual({
      path: 'mqtt.url',
      value: 'mqtt://broker',
      origin: 'local',
    });
    expect(told.find(one => one.path === 'mqtt.password')).toMatchObject({ value: '(hidden)' });
    expect(told.find(one => one.path === 'mqtt.username')).toMatchObject({ value: null, origin: 'default' });
    expect(told.find(one => one.path === 'audio.driver')).toMatchObject({ value: 'simulated', origin: 'board' });
    expect(out).not.toContain('hunter2');
  });

  test('of a bad file says what is bad', async () => {
    const path = file('{ "mqtt": { "url": 5 } }');
    expect(await porter(`config show --config ${path}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('mqtt.url'),
    });
  });
});

describe('wrong usage ends with exit code 2', () => {
  test.each([
    ['pres front', "unknown command 'pres'"],
    ['pres front', 'Did you mean press'],
    ['press', "missing required argument 'button'"],
    ['press front now', 'too many arguments'],
    ['status --jsn', "unknown option '--jsn'"],
    ['debug move-input button up', 'Allowed choices are on, off'],
    ['--socket', 'argument missing'],
  ])('porter %s', async (line, said) => {
    expect(await porter(line)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(said) });
    expect(device.performed).toEqual([]);
  });

  test.each(['', 'config', 'debug'])('porter %s alone shows what there is', async line => {
    expect(await porter(line)).toMatchObject({ code: 2, err: expect.stringContaining('Usage: porter') });
  });
});

test('help and version are no errors, and fit 80 columns', async () => {
  expect(await porter('--version')).toEqual({ code: 0, out: '0.1.0\n', err: '' });
  for (const line of [
    '--help',
    'help',
    'help press',
    'press --help',
    'run --help',
    'config --help',
    'debug stall --help',
  ]) {
    const { code, out } = await porter(line);
    expect(code, line).toBe(0);
    expect(out).toContain('Usage: porter');
    for (const row of out.split('\n')) expect(row.length, row).toBeLessThanOrEqual(80);
  }
});
