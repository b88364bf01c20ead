import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { RpcClient } from '../../../firmware/rpc/client.ts';
import {
  CONNECTION_LIMIT,
  LINE_LIMIT_BYTES,
  SocketServer,
  UNREAD_LIMIT_BYTES,
} from '../../../firmware/rpc/socket-server.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

let folder: string;
let path: string;
let device: SimpleDevice;
const cleanUp: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porter-'));
  path = join(folder, 'porter.sock');
  device = new SimpleDevice();
});

afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
  rmSync(folder, { recursive: true });
});

function newServer(at = path) {
  const server = new SocketServer({
    path: at,
    clock: systemClock,
    log: silentLog,
    offered: { device, settings: () => [] },
  });
  cleanUp.push(() => server.stop());
  return server;
}

async function serve() {
  const server = newServer();
  await server.start();
  return server;
}

async function client(clock = systemClock as VirtualClock | typeof systemClock) {
  const made = new RpcClient(path, clock);
  cleanUp.push(() => made.close());
  await made.connect();
  return made;
}

/** A bare connection: sends what it is told and collects lines until the other side ends. */
async function raw(): Promise<{ socket: Socket; ended: Promise<unknown[]>; line(): Promise<unknown> }> {
  const socket = connect(path);
  socket.on('error', () => {});
  cleanUp.push(() => socket.destroy());
  let text = '';
  let heard = () => {};
  socket.on('data', chunk => {
    text += chunk;
    heard();
  });
  const take = () => {
    const at = text.indexOf('\n');
    if (at < 0) return undefined;
    const line = text.slice(0, at);
    text = text.slice(at + 1);
    return JSON.parse(line);
  };
  const ended = new Promise<unknown[]>(resolve => {
    socket.on('close', () => {
      const lines: unknown[] = [];
      for (let line = take(); line !== undefined; line = take()) lines.push(line);
      resolve(lines);
    });
  });
  const line = async () => {
    for (;;) {
      const got = take();
      if (got !== undefined) return got;
      await new Promise<void>(resolve => {
        heard = resolve;
      });
    }
  };
  await new Promise(resolve => socket.once('connect', resolve));
  return { socket, ended, line };
}

const request = (id: number, method: string, params?: unknown) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;

/** Leaves a socket file that nobody listens at, as a killed device does. */
async function leaveStaleSocket() {
  const dead = createServer();
  await new Promise<void>(resolve => dead.listen(`${path}.dead`, resolve));
  renameSync(`${path}.dead`, path);
  await new Promise(resolve => dead.close(resolve));
  expect(statSync(path).isSocket()).toBe(true);
}

describe('serves', () => {
  test('a request, over a file that only its owner may open', async () => {
    await serve();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await (await client()).call('status')).toEqual(device.status());
  });

  test('the permissions do not depend on the umask, nor change it', async () => {
    const before = process.umask(0o000);
    cleanUp.push(() => process.umask(before));
    await serve();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0o000);
  });

  test('requests in order, however they are cut', async () => {
    await serve();
    const { socket, line } = await raw();
    const text = [1, 2, 3].map(id => request(id, 'names')).join('');
    socket.write(text.slice(0, 30));
    socket.write(text.slice(30));
    for (const id of [1, 2, 3]) expect(await line()).toMatchObject({ id, result: { doors: ['main'] } });
  });

  test('a flood of requests, all of them', async () => {
    await serve();
    const asking = await client();
    const answers = await Promise.all(Array.from({ length: 500 }, () => asking.call('names')));
    expect(answers).toHaveLength(500);
  });

  test('whoever closes its own side at once, as `echo … | nc -U` does, and ends', async () => {
    await serve();
    const { socket, ended } = await raw();
    socket.end(`\n${request(1, 'names')}${request(2, 'perform', { action: 'press front' })}`);
    expect(await ended).toMatchObject([{ id: 1 }, { id: 2, result: { done: true } }]);
  });

  test('events, to whom asked for them', async () => {
    await serve();
    const [follower, other] = [await client(), await client()];
    const heard = new Promise(resolve => {
      follower.onNotification = (method, params) => resolve([method, params]);
    });
    other.onNotification = () => expect.unreachable();
    expect(await follower.call('events')).toEqual({ following: true });
    // Asking again replaces: each event still comes once.
    await follower.call('events');
    expect(device.listeners).toBe(1);
    await other.call('perform', { action: 'press front' });
    expect(await heard).toEqual(['event', expect.objectContaining({ source: 'button', type: 'pressed' })]);
  });

  test('nobody before it is started, although the path is taken', async () => {
    const server = newServer();
    await server.claim();
    const asking = await client();
    let done = false;
    const answer = asking.call('perform', { action: 'open main' }).finally(() => {
      done = true;
    });
    for (let probe = 0; probe < 20; probe++)
      await expect(newServer().claim()).rejects.toMatchObject({ code: 'in use' });
    expect([done, device.performed]).toEqual([false, []]);
    await server.start();
    expect(await answer).toEqual({ done: true });
  });
});

describe('a bad client', () => {
  test('that sends no JSON is told so and may go on', async () => {
    await serve();
    const { socket, line } = await raw();
    socket.write(`GET / HTTP/1.1\n${request(1, 'names')}`);
    expect(await line()).toMatchObject({ id: null, error: { code: -32700 } });
    expect(await line()).toMatchObject({ id: 1, result: {} });
  });

  test('that sends a line without end is told so and dropped', async () => {
    const server = await serve();
    const { socket, ended } = await raw();
    socket.write('x'.repeat(LINE_LIMIT_BYTES + 1));
    expect(await ended).toMatchObject([{ error: { code: -32000, message: expect.stringContaining('65536 bytes') } }]);
    expect(await (await client()).call('names')).toEqual(device.names());
    expect(server.connections).toBe(1);
  });

  test('that does not read is dropped, and its listener with it', async () => {
    const server = await serve();
    const { socket, line } = await raw();
    socket.write(request(1, 'events'));
    await line();
    socket.pause();
    // More than the kernel holds for it and than we hold for it.
    const fact = 'x'.repeat(10_000);
    for (let told = 0; device.listeners > 0 && told < 1000; told++) device.tell('device', 'noise', { fact });
    expect(device.listeners).toBe(0);
    expect(server.connections).toBe(0);
    expect(UNREAD_LIMIT_BYTES).toBeLessThan(1000 * 10_000);
  });

  test('that reads gets answers of any length, one after the other', async () => {
    const long = 'x'.repeat(2 * UNREAD_LIMIT_BYTES);
    const setting = { path: 'device.name', value: long, origin: 'local', secret: false } as const;
    const server = new SocketServer({
      path,
      clock: systemClock,
      log: silentLog,
      offered: { device, settings: () => [setting] },
    });
    cleanUp.push(() => server.stop());
    await server.start();
    const one = await client();
    const answers = await Promise.all(Array.from({ length: 8 }, () => one.call('config.show')));
    expect(answers).toEqual(Array.from({ length: 8 }, () => [setting]));
  });

  test('too many: one beyond the limit is told so, and the others go on', async () => {
    const server = await serve();
    const clients = [];
    for (let index = 0; index < CONNECTION_LIMIT; index++) clients.push(await client());
    await Promise.all(clients.map(one => one.call('names')));
    expect(server.connections).toBe(CONNECTION_LIMIT);
    const { ended } = await raw();
    expect(await ended).toMatchObject([{ error: { message: '16 clients are connected already' } }]);
    expect(await clients[0]!.call('names')).toEqual(device.names());
  });

  test('that is gone when the answer comes disturbs nobody', async () => {
    const server = await serve();
    let answer = () => {};
    const asked = new Promise<void>(resolve => {
      device.freshStatus = done => {
        answer = () => done(device.status());
        resolve();
      };
    });
    const { socket, ended } = await raw();
    socket.write(request(1, 'status'));
    await asked;
    socket.destroy();
    await ended;
    answer();
    expect(await (await client()).call('names')).toEqual(device.names());
    expect(server.connections).toBe(1);
  });
});

describe('the path', () => {
  test('of a device that died is taken over', async () => {
    await leaveStaleSocket();
    await serve();
    expect(await (await client()).call('names')).toEqual(device.names());
  });

  test('of a device that runs is not: it says so, and the other goes on', async () => {
    await serve();
    await expect(newServer().start()).rejects.toMatchObject({
      name: 'SocketError',
      code: 'in use',
      message: expect.stringContaining(`another device is running: it answers at ${path}`),
    });
    expect(await (await client()).call('names')).toEqual(device.names());
  });

  test("is not taken from somebody's file", async () => {
    writeFileSync(path, 'precious');
    await expect(newServer().start()).rejects.toMatchObject({ code: 'bad path' });
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  test('is too long for a socket', async () => {
    await expect(newServer(join(folder, 'x'.repeat(120))).start()).rejects.toMatchObject({ code: 'bad path' });
  });

  test('has a folder made for it', async () => {
    const deep = join(folder, 'a/b/porter.sock');
    await newServer(deep).start();
    expect(existsSync(deep)).toBe(true);
  });

  test('cannot be made where a file is in the way', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(newServer(join(folder, 'file/porter.sock')).start()).rejects.toMatchObject({ code: 'io' });
  });

  test('may not be made where the kernel lets nobody', async () => {
    await expect(newServer('/sys/porter.sock').start()).rejects.toMatchObject({ code: 'denied' });
  });
});

test('after stop the file is gone, clients know, and nothing listens', async () => {
  const server = await serve();
  const follower = await client();
  await follower.call('events');
  device.freshStatus = () => {};
  const unanswered = follower.call('status');
  const closed = new Promise<void>(resolve => {
    follower.onClose = resolve;
  });
  const told = expect(unanswered).rejects.toMatchObject({ code: 'no answer' });
  await server.stop();
  await told;
  await closed;
  expect(existsSync(path)).toBe(false);
  expect(device.listeners).toBe(0);
  await server.stop();
  await server.start();
  expect(await (await client()).call('names')).toEqual(device.names());
});

describe('the client says what to do', () => {
  async function stranger(onLine: (socket: Socket) => void): Promise<Server> {
    const server = createServer(socket => {
      cleanUp.push(() => socket.destroy());
      socket.once('data', () => onLine(socket));
    });
    await new Promise<void>(resolve => server.listen(path, resolve));
    cleanUp.push(() => server.close());
    return server;
  }

  const noDevice = {
    name: 'ClientError',
    code: 'no device',
    message: expect.stringMatching(/^no device is running here: nothing listens at .*porter\.sock; start one with/),
  };

  test('where there is no socket', async () => {
    await expect(client()).rejects.toMatchObject(noDevice);
  });

  test('where a dead device left its socket', async () => {
    await leaveStaleSocket();
    await expect(client()).rejects.toMatchObject(noDevice);
  });

  test('where the device does not answer in time', async () => {
    await stranger(() => {});
    const clock = new VirtualClock();
    const answer = (await client(clock)).call('status');
    clock.advance(4_999);
    clock.advance(1);
    await expect(answer).rejects.toMatchObject({ code: 'no answer', message: expect.stringContaining('within 5 s') });
    expect(clock.idle).toBe(true);
  });

  test('where somebody else answers', async () => {
    await stranger(socket => socket.write('220 mail.example.org ESMTP\n'));
    await expect((await client()).call('status')).rejects.toMatchObject({ code: 'no answer' });
  });

  test('where the device refuses the request', async () => {
    await serve();
    const refused = { code: 'refused', message: expect.stringContaining('there is no such method') };
    await expect((await client()).call('fly')).rejects.toMatchObject(refused);
  });

  test('where it was never connected', async () => {
    await expect(new RpcClient(path, systemClock).call('status')).rejects.toMatchObject({ code: 'no answer' });
  });
});
