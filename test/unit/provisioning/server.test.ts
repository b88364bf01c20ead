/** What the server hands out, and that a real client and a real server understand each other. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigStore } from '../../../firmware/config/store.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { ProvisioningClient, type ProvisioningStatus } from '../../../provisioning/client/client.ts';
import { checkFolder } from '../../../provisioning/server/check-folder.ts';
import { DocumentFolder } from '../../../provisioning/server/folder.ts';
import { ProvisioningServer, type ServerSettings } from '../../../provisioning/server/server.ts';
import { seeded } from '../../sim/seeded.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { TornFiles } from '../config/torn-files.ts';

let path: string;
let stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'porter-fleet-'));
  await mkdir(join(path, 'devices'));
  await mkdir(join(path, 'groups'));
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
  await rm(path, { recursive: true });
});

const put = (name: string, content: unknown) =>
  writeFile(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));

async function serve(settings: Partial<ServerSettings> = {}): Promise<string> {
  const folder = new DocumentFolder(path);
  const wallClock = () => Date.parse('2026-01-01T00:00:00Z');
  const server = new ProvisioningServer({ folder, host: '127.0.0.1', port: 0, ...settings }, wallClock, silentLog);
  stops.push(() => server.stop());
  return await server.start();
}

const ask = async (url: string, init: RequestInit = {}) => {
  const response = await fetch(url, init);
  return {
    status: response.status,
    etag: response.headers.get('etag'),
    body: await response.text().then(text => (text ? JSON.parse(text) : undefined)),
  };
};
const documentOf = async (base: string, id = 'front') => (await ask(`${base}/v1/devices/${id}/config`)).body;

describe('the document of a device', () => {
  test('is site < group < device, merged', async () => {
    await put('site.json', {
      config: {
        calls: { talkFor: '5 min', ringFor: '20 s' },
        media: { codecs: ['PCMA', 'PCMU'] },
        log: { level: 'debug' },
      },
    });
    await put('groups/doors.json', { config: { calls: { ringFor: '40 s' }, media: { codecs: ['opus'] }, log: null } });
    await put('devices/front.json', { group: 'doors', config: { device: { name: 'Front' } } });
    await put('devices/back.json', { config: {} });
    const base = await serve();
    expect(await documentOf(base)).toEqual({
      calls: { talkFor: '5 min', ringFor: '40 s' },
      media: { codecs: ['opus'] },
      device: { name: 'Front' },
    });
    expect(await documentOf(base, 'back')).toMatchObject({ calls: { ringFor: '20 s' } });
  });

  test('is empty where nothing is said', async () => {
    await put('devices/front.json', {});
    expect(await documentOf(await serve())).toEqual({});
  });

  test('follows an edit at once, and its ETag with it', async () => {
    await put('devices/front.json', { config: { device: { name: 'A' } } });
    const base = await serve();
    const url = `${base}/v1/devices/front/config`;
    const first = await ask(url);
    expect((await ask(url, { headers: { 'if-none-match': first.etag! } })).status).toBe(304);
    await put('site.json', { config: { device: { location: 'Gate' } } });
    const second = await ask(url, { headers: { 'if-none-match': first.etag! } });
    expect(second).toMatchObject({ status: 200, body: { device: { name: 'A', location: 'Gate' } } });
    expect(second.etag).not.toBe(first.etag);
  });

  test('has an ETag of its content: order and blanks do not count', async () => {
    await put('devices/front.json', '{"config":{"log":{"level":"info"},"device":{"name":"A","location":"B"}}}');
    await put(
      'devices/back.json',
      '{ "config": { "device": { "location": "B", "name": "A" }, "log": { "level": "info" } } }',
    );
    const base = await serve();
    const etags = await Promise.all(
      ['front', 'back'].map(async id => (await ask(`${base}/v1/devices/${id}/config`)).etag),
    );
    expect(etags[0]).toBe(etags[1]);
  });

  test.each(['*', 'W/"%"', '"x", "%"'])('is not sent again to If-None-Match: %s', async form => {
    await put('devices/front.json', {});
    const url = `${await serve()}/v1/devices/front/config`;
    const { etag } = await ask(url);
    expect(await ask(url, { headers: { 'if-none-match': form.replace('"%"', etag!) } })).toEqual({
      status: 304,
      etag,
      body: undefined,
    });
  });

  test('answers HEAD with the same fields and no body', async () => {
    await put('devices/front.json', {});
    const url = `${await serve()}/v1/devices/front/config`;
    const { etag } = await ask(url);
    expect(await ask(url, { method: 'HEAD' })).toEqual({ status: 200, etag, body: undefined });
  });
});

describe('a request that cannot be answered', () => {
  test.each([
    ['/v1/devices/nobody/config', 404, 'there is no device "nobody"'],
    ['/v1/devices/Front/config', 404, 'there is no device "Front"'],
    ['/', 404, 'there is /v1/devices and /v1/devices/{id}/config'],
    ['/v1/devices/front', 404, 'there is /v1/devices and /v1/devices/{id}/config'],
  ])('%s', async (where, status, error) => {
    await put('devices/front.json', {});
    expect(await ask(`${await serve()}${where}`)).toMatchObject({ status, body: { error } });
  });

  test('by method', async () => {
    expect(await ask(`${await serve()}/v1/devices`, { method: 'PUT', body: '{}' })).toMatchObject({ status: 405 });
  });

  test.each([
    '/v1/devices/../secret/config',
    '/v1/devices/..%2fsecret/config',
    '/v1/devices/%2e%2e/config',
    '/v1/devices/..\\secret/config',
    '/v1/devices/front.json%00/config',
    '//etc/passwd',
    '/../../../etc/passwd',
  ])('never leads out of the folder: %s', async target => {
    await put('secret.json', { config: { device: { name: 'canary' } } });
    await put('devices/front.json', {});
    const { hostname, port } = new URL(await serve());
    // Straight from node:http: fetch would tidy the path up before sending it.
    const [status, body] = await new Promise<[number, string]>((resolve, reject) => {
      request({ hostname, port, path: target }, response => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', chunk => (text += chunk))
          .on('end', () => resolve([response.statusCode!, text]));
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
    expect(body).not.toContain('canary');
  });
});

test.each(['../secret', '..', '.', '', 'a/b', 'a\\b', 'a\u0000', 'A', 'x'.repeat(64)])(
  '%j is no device to the folder',
  async id => {
    await put('secret.json', {});
    expect(await new DocumentFolder(path).find(id)).toEqual({ is: 'unknown' });
  },
);

describe('a layer that is broken', () => {
  test.each([
    ['site.json', '{"config": ', 'site.json is not JSON'],
    ['site.json', { config: [] }, 'site.json: config is not an object'],
    ['site.json', { device: {} }, 'site.json has a member "device"; it may have config'],
    ['groups/doors.json', { group: 'x' }, 'groups/doors.json has a member "group"; it may have config'],
    ['devices/front.json', { group: '../devices' }, 'devices/front.json: "../devices" is not the name of a group'],
    [
      'devices/front.json',
      { group: 'gates' },
      'devices/front.json names the group gates, but there is no groups/gates.json',
    ],
    ['devices/front.json', { token: '' }, 'devices/front.json: token is not a string'],
    ['devices/front.json', '[]', 'devices/front.json is not a JSON object'],
  ])('is a 500 that names the file: %s %j', async (name, content, error) => {
    await put('groups/doors.json', {});
    await put('devices/front.json', { group: 'doors' });
    await put(name, content);
    expect(await ask(`${await serve()}/v1/devices/front/config`)).toMatchObject({ status: 500, body: { error } });
  });
});

describe('a token', () => {
  const url = async () => `${await serve()}/v1/devices/front/config`;
  beforeEach(() => put('devices/front.json', { token: 'let-me-in', config: { device: { name: 'Front' } } }));

  test.each([
    [{}],
    [{ authorization: 'Bearer wrong' }],
    [{ authorization: 'Basic let-me-in' }],
    [{ authorization: 'let-me-in' }],
    [{ authorization: 'Bearer ' }],
  ])('that is wrong or absent is refused: %j', async headers => {
    expect(await ask(await url(), { headers })).toMatchObject({
      status: 401,
      etag: null,
      body: { error: 'device front must present its token' },
    });
  });

  test('that is right is let in, and is not part of the document', async () => {
    expect(await ask(await url(), { headers: { authorization: 'Bearer let-me-in' } })).toMatchObject({
      status: 200,
      body: { device: { name: 'Front' } },
    });
  });
});

describe('the inventory', () => {
  beforeEach(async () => {
    await put('groups/doors.json', {});
    await put('devices/front.json', { group: 'doors', token: 't' });
    await put('devices/back.json', '{');
    await put('devices/notes.txt', 'not a device');
  });

  test('tells who exists, what each is offered, and what it was last heard to run', async () => {
    const base = await serve();
    await ask(`${base}/v1/devices/front/config`, {
      headers: {
        authorization: 'Bearer t',
        'porter-revision': 'abc',
        'porter-refused': 'xyz',
        'user-agent': 'porter/1',
      },
    });
    await ask(`${base}/v1/devices/stranger/config`);
    const { body } = await ask(`${base}/v1/devices`);
    expect(body).toEqual({
      devices: [
        { id: 'back' },
        {
          id: 'front',
          group: 'doors',
          offered: expect.stringMatching(/^[0-9a-f]{16}$/),
          lastSeen: '2026-01-01T00:00:00.000Z',
          revision: 'abc',
          refused: 'xyz',
          userAgent: 'porter/1',
        },
      ],
    });
  });

  test('is closed to what a proxy passes on', async () => {
    const base = await serve();
    expect((await ask(`${base}/v1/devices`, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(403);
    expect((await ask(`${base}/v1/devices`, { headers: { forwarded: 'for=192.0.2.1' } })).status).toBe(403);
  });

  test('opens to the administrator alone where there is one', async () => {
    const base = await serve({ adminToken: 'boss' });
    expect((await ask(`${base}/v1/devices`)).status).toBe(403);
    expect(
      (await ask(`${base}/v1/devices`, { headers: { authorization: 'Bearer boss', forwarded: 'x' } })).status,
    ).toBe(200);
  });
});

test('a fleet is checked as a whole, device by device', async () => {
  await put('site.json', { config: { calls: { talkFor: '5 min' } } });
  await put('groups/bad.json', { config: { calls: { talkFor: 'long' } } });
  await put('devices/a.json', { group: 'bad', token: 't' });
  await put('devices/b.json', { config: { device: { id: 'a' } }, token: 't' });
  await put('devices/c.json', { config: { buttons: { bell: { input: 'x', press: 'jump' } } } });
  await put('devices/d.json', '{');
  await put('devices/e.json', { config: { device: { id: 'e', name: 'E' } }, token: 't' });
  await put('devices/f.json', { config: { device: { name: 'F' } }, token: 't' });
  const checkAction = (text: string) => (text === 'jump' ? 'is no action' : undefined);
  expect(await checkFolder(new DocumentFolder(path), { checkAction })).toEqual({
    devices: 6,
    problems: [
      'a: calls.talkFor: "long" is not a duration; write a number and a unit such as "30 s", "5 min"',
      'b: device.id: "a" is another device',
      'c: buttons.bell.press: "jump": is no action',
      expect.stringMatching(/^d: devices\/d\.json is not JSON/),
    ],
    notes: ['c has no token: whoever reaches the server can read its passwords'],
  });
});

describe('the program', () => {
  const run = (...args: string[]) =>
    new Promise<{ code: unknown; output: string }>(resolve => {
      const main = join(import.meta.dirname, '../../../provisioning/server/main.ts');
      execFile(process.execPath, [main, ...args], (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, output: stdout + stderr }),
      );
    });

  test('--check ends with 1 where a device would refuse its document', async () => {
    await put('devices/front.json', { token: 't', config: { log: { level: 'loud' } } });
    const { code, output } = await run('--folder', path, '--check');
    expect([code, output]).toEqual([
      1,
      'front: log.level: "loud" is not one of "debug", "info", "warn", "error", "silent"\n1 device, 1 problem\n',
    ]);
  });

  test('explains itself, and what is wrong with its arguments', async () => {
    expect((await run('--help')).output).toContain('devices/<id>.json');
    expect(await run('--folder', join(path, 'absent'))).toMatchObject({
      code: 1,
      output: expect.stringContaining('no such file or directory'),
    });
    expect(await run('--folder', path, '--port', '99999')).toMatchObject({
      code: 1,
      output: expect.stringContaining('a port is a number'),
    });
    expect(await run('--folder', path, '--cert', 'x')).toMatchObject({
      code: 1,
      output: expect.stringContaining('--cert and --key go together'),
    });
  });
});

/** The real client against the real server, over loopback; `checked` asks and resolves with the status that follows. */
function device(url: string, clock = new VirtualClock()) {
  const documents: unknown[] = [];
  let told: (status: ProvisioningStatus) => void = () => {};
  const client = new ProvisioningClient(
    { url, deviceId: 'front', token: 't', intervalMs: 3_600_000, timeoutMs: 10_000, userAgent: 'porter/1' },
    {
      clock,
      wallClock: () => 0,
      random: seeded(1),
      log: silentLog,
      store: new ConfigStore('/state', new TornFiles()),
      fetch,
      onDocument(document) {
        documents.push(document);
        return { accepted: true };
      },
      onStatus: status => told(status),
    },
  );
  stops.push(() => client.stop());
  client.start();
  async function checked(): Promise<ProvisioningStatus> {
    let status: ProvisioningStatus | undefined;
    told = next => {
      status = next;
    };
    client.checkNow();
    while (status === undefined) {
      clock.advance(0);
      await new Promise(setImmediate);
    }
    return status;
  }
  return { documents, checked };
}

describe('device and server together', () => {
  test('a document, then 304, then an edit, then a broken layer', async () => {
    await put('devices/front.json', { token: 't', config: { device: { name: 'One' } } });
    const base = await serve();
    const { documents, checked } = device(base);
    expect((await checked()).is).toBe('applied');
    expect((await checked()).is).toBe('unchanged');
    await put('devices/front.json', { token: 't', config: { device: { name: 'Two' } } });
    expect((await checked()).is).toBe('applied');
    await put('site.json', '{');
    expect(await checked()).toEqual({ is: 'unreachable', why: 'the server has a fault; see its log (500)' });
    expect(documents).toEqual([{ device: { name: 'One' } }, { device: { name: 'Two' } }]);
    expect((await ask(`${base}/v1/devices`)).body.devices[0]).toMatchObject({ id: 'front', userAgent: 'porter/1' });
  });

  test('a certificate that nobody vouches for is not believed', async () => {
    const pem = await readFile(join(import.meta.dirname, 'self-signed.pem'));
    await put('devices/front.json', {});
    const base = await serve({ tls: { cert: pem, key: pem } });
    expect(base).toMatch(/^https:/);
    const { documents, checked } = device(base);
    expect(await checked()).toMatchObject({
      is: 'unreachable',
      why: expect.stringContaining('self-signed certificate'),
    });
    expect(documents).toEqual([]);
  });

  test('nobody there', async () => {
    const { checked } = device('http://127.0.0.1:1');
    expect(await checked()).toMatchObject({ is: 'unreachable', why: expect.stringMatching(/ECONNREFUSED|bad port/) });
  });
});
