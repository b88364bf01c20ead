import { describe, expect, test } from 'vitest';
import type { Effective } from '../../../firmware/config/layers.ts';
import { type Caller, handle, type Offered } from '../../../firmware/rpc/methods.ts';
import { seeded } from '../../sim/seeded.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';

const settings: Effective[] = [
  { path: 'sip.accounts.main.uri', value: 'sip:door@example.org', origin: 'local', secret: false },
  { path: 'sip.accounts.main.password', value: 'hunter2', origin: 'provisioned', secret: true },
  { path: 'mqtt.password', value: undefined, origin: 'default', secret: true },
];

function rig(caller: Partial<Caller> = {}) {
  const device = new SimpleDevice();
  const offered: Offered = { device, settings: () => settings };
  const answers: unknown[] = [];
  const ask = (request: unknown) => {
    answers.length = 0;
    const text = typeof request === 'string' ? request : JSON.stringify(request);
    handle(text, offered, { origin: 'cli', ...caller }, answer => answers.push(answer));
    return answers;
  };
  return { device, ask };
}

const request = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: '2.0', id, method, params });

test('status', () => {
  const { device, ask } = rig();
  expect(ask(request('status'))).toEqual([{ jsonrpc: '2.0', id: 1, result: device.status() }]);
});

test('audio.graph', () => {
  const { ask } = rig();
  expect(ask(request('audio.graph'))).toMatchObject([
    { result: { ways: { 0: ['capture 16 kHz', 'gain 0 dB', 'microphone'] } } },
  ]);
});

test('names', () => {
  const { device, ask } = rig();
  expect(ask(request('names', {}, 'a'))).toEqual([{ jsonrpc: '2.0', id: 'a', result: device.names() }]);
});

describe('perform', () => {
  test('carries out the action, in the name of who asks', () => {
    const { device, ask } = rig({ origin: 'mqtt' });
    expect(ask(request('perform', { action: 'open main' }))).toEqual([
      { jsonrpc: '2.0', id: 1, result: { done: true } },
    ]);
    expect(device.performed).toEqual([{ action: { do: 'open', door: 'main' }, origin: 'mqtt' }]);
  });

  test('an unknown name is a refusal that says which exist', () => {
    const result = { done: false, code: 'unknown name', why: 'there is no door "side"; there is main' };
    expect(rig().ask(request('perform', { action: 'open side' }))).toEqual([{ jsonrpc: '2.0', id: 1, result }]);
  });

  test('text that is no action is a refusal too, and nothing is done', () => {
    const { device, ask } = rig();
    expect(ask(request('perform', { action: 'fly' }))).toMatchObject([
      { result: { done: false, code: 'bad request' } },
    ]);
    expect(device.performed).toEqual([]);
  });

  test('what the caller may not ask for is not done', () => {
    const { device, ask } = rig({ refuse: ({ do: verb }) => (verb === 'open' ? 'not from there' : undefined) });
    const result = { done: false, code: 'not allowed', why: 'not from there' };
    expect(ask(request('perform', { action: 'open main' }))).toMatchObject([{ result }]);
    expect(ask(request('perform', { action: 'press front' }))).toMatchObject([{ result: { done: true } }]);
    expect(device.performed).toHaveLength(1);
  });
});

test('settings are shown with their origin, and no secret with its value', () => {
  const [answer] = rig().ask(request('config.show')) as [{ result: Effective[] }];
  expect(answer.result.map(({ path, value, origin }) => [path, value, origin])).toEqual([
    ['sip.accounts.main.uri', 'sip:door@example.org', 'local'],
    ['sip.accounts.main.password', '(hidden)', 'provisioned'],
    ['mqtt.password', undefined, 'default'],
  ]);
  expect(JSON.stringify(answer)).not.toContain('hunter2');
});

describe('events', () => {
  test('are told from the answer on, until the caller goes', () => {
    const told: unknown[] = [];
    let end = () => {};
    const { device, ask } = rig({
      follow: begin => {
        end = begin(
          (method, params) => told.push([method, params]),
          () => true,
        );
      },
    });
    device.tell('button', 'pressed', { button: 'front' });
    expect(ask(request('events'))).toMatchObject([{ result: { following: true } }]);
    device.tell('door', 'opened', { door: 'main' });
    end();
    device.tell('door', 'closed', { door: 'main' });
    expect(told).toEqual([['event', expect.objectContaining({ seq: 2, source: 'door', type: 'opened' })]]);
    expect(device.listeners).toBe(0);
  });

  test('cannot be followed where nothing can', () => {
    expect(rig().ask(request('events'))).toMatchObject([{ result: { following: false } }]);
  });
});

describe('sip.trace', () => {
  const seen = (text: string) => ({
    atMs: 1,
    way: 'in' as const,
    local: { host: '192.0.2.10', port: 5061, transport: 'tls' as const },
    remote: { host: '192.0.2.1', port: 5061, transport: 'tls' as const, connection: 3 },
    bytes: Buffer.from(text),
  });

  test('shows each message as it stood on the wire; what a slow reader misses is counted, and nobody waits', () => {
    const told: unknown[] = [];
    let end = () => {};
    let keepsUp = true;
    const { device, ask } = rig({
      follow: begin => {
        end = begin(
          (_method, params) => told.push(params),
          () => keepsUp,
        );
      },
    });
    expect(ask(request('sip.trace'))).toMatchObject([{ result: { following: true } }]);
    device.pass(seen('one'));
    keepsUp = false;
    device.pass(seen('two'));
    device.pass(seen('three'));
    keepsUp = true;
    device.pass(seen('four'));
    device.pass(seen('five'));
    end();
    device.pass(seen('six'));
    expect(told).toEqual([
      {
        atMs: 1,
        way: 'in',
        transport: 'tls',
        local: { host: '192.0.2.10', port: 5061 },
        remote: { host: '192.0.2.1', port: 5061 },
        bytes: Buffer.from('one').toString('base64'),
      },
      expect.objectContaining({ bytes: Buffer.from('four').toString('base64'), missed: 2 }),
      expect.not.objectContaining({ missed: expect.anything() }),
    ]);
    expect(device.listeners).toBe(0);
  });

  test('is nothing for whom nothing can be followed', () => {
    const { device, ask } = rig();
    expect(ask(request('sip.trace'))).toMatchObject([{ result: { following: false } }]);
    expect(device.listeners).toBe(0);
  });
});

test('a notification is carried out and answered by nothing', () => {
  const { device, ask } = rig();
  expect(ask({ jsonrpc: '2.0', method: 'perform', params: { action: 'press front' } })).toEqual([undefined]);
  expect(device.performed).toHaveLength(1);
});

test('a method that throws is an internal error, not the end', () => {
  const { device, ask } = rig();
  device.names = () => {
    throw new Error('out of names');
  };
  expect(ask(request('names'))).toMatchObject([{ error: { code: -32603, message: 'internal error: out of names' } }]);
});

describe('refuses', () => {
  test.each([
    ['{', null, -32700, 'not JSON'],
    ['', null, -32700, 'not JSON'],
    ['[]', null, -32600, 'batches'],
    ['[{"jsonrpc":"2.0","id":1,"method":"status"}]', null, -32600, 'batches'],
    ['null', null, -32600, 'a request is an object'],
    ['7', null, -32600, 'a request is an object'],
    [request('status', undefined, {}), null, -32600, 'id is'],
    [request('status', undefined, 'x'.repeat(129)), null, -32600, 'id is'],
    [{ id: 3, method: 'status' }, 3, -32600, 'jsonrpc is "2.0"'],
    [{ jsonrpc: '2.0', id: 3, method: 5 }, 3, -32600, 'method is a string'],
    [request('fly'), 1, -32601, 'there are: status, names, perform, config.show, events'],
    [request('__proto__'), 1, -32601, 'no such method'],
    [request('constructor'), 1, -32601, 'no such method'],
    [request('status', { fresh: true }), 1, -32602, 'params'],
    [request('status', []), 1, -32602, 'params'],
    [request('perform'), 1, -32602, 'params'],
    [request('perform', {}), 1, -32602, 'params.action'],
    [request('perform', { action: 7 }), 1, -32602, 'params.action'],
    [request('perform', { action: 'answer', quietly: true }), 1, -32602, 'quietly'],
  ])('%j', (asked, id, code, words) => {
    const { device, ask } = rig();
    expect(ask(asked)).toMatchObject([
      { jsonrpc: '2.0', id, error: { code, message: expect.stringContaining(words) } },
    ]);
    expect(device.performed).toEqual([]);
  });

  test('whatever the bytes, one answer or none, and never an exception', () => {
    const random = seeded(9);
    const good = JSON.stringify(request('perform', { action: 'press front' }));
    const { ask } = rig();
    for (let round = 0; round < 3000; round++) {
      const at = random.uint32() % good.length;
      const cut = random.uint32() % 5;
      const junk = String.fromCharCode(random.uint32() % 0x250).repeat(random.uint32() % 3);
      expect(ask(good.slice(0, at) + junk + good.slice(at + cut))).toHaveLength(1);
    }
    expect(ask('['.repeat(60_000))).toMatchObject([{ error: { code: -32700 } }]);
  });
});
