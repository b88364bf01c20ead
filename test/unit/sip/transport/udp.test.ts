/** The UDP socket on the loopback interface: what it hears, what it says of itself, and why it cannot be had. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Address } from '../../../../firmware/lib/address.ts';
import { UdpSocket } from '../../../../firmware/sip/transport/udp.ts';

const open: UdpSocket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.stop();
});

function socketAt(host: string, port = 0) {
  const socket = new UdpSocket({ host, port });
  open.push(socket);
  const heard = Promise.withResolvers<{ text: string; from: Address }>();
  const failed = Promise.withResolvers<string>();
  socket.start((bytes, from) => heard.resolve({ text: new TextDecoder().decode(bytes), from }), failed.resolve);
  return { socket, heard: heard.promise, failed: failed.promise };
}

const bytes = new TextEncoder().encode('hello');
const loopback = { host: '127.0.0.1', port: 9 };

test.each(['127.0.0.1', '0.0.0.0', '::'])('%s: what one sends another hears, from where it says it is', async host => {
  const sender = socketAt(host);
  const listener = socketAt('127.0.0.1');
  sender.socket.send(bytes, listener.socket.localFor(loopback));
  expect(await listener.heard).toEqual({ text: 'hello', from: sender.socket.localFor(loopback) });
});

test('IPv6 works the same', async () => {
  const sender = socketAt('::');
  const listener = socketAt('::1');
  const to = listener.socket.localFor({ host: '::1', port: 9 });
  sender.socket.send(bytes, to);
  expect((await listener.heard).from).toEqual(sender.socket.localFor(to));
});

describe('its own address', () => {
  test('is the one it is bound to', () => {
    expect(socketAt('127.0.0.2').socket.localFor({ host: '198.51.100.1', port: 5060 }).host).toBe('127.0.0.2');
  });

  test('is the one that the kernel would send from, where it is bound to all', () => {
    const { socket } = socketAt('0.0.0.0');
    expect(socket.localFor({ host: '127.0.0.1', port: 5060 }).host).toBe('127.0.0.1');
    expect(socket.localFor({ host: '127.0.0.1', port: 5060 }).port).toBeGreaterThan(0);
  });

  test('is some address even for a place that cannot be reached', () => {
    expect(socketAt('0.0.0.0').socket.localFor({ host: '255.255.255.255', port: 5060 }).host).toMatch(/^[\d.]+$/);
  });
});

describe('a failure', () => {
  test('to get the port says whose fault it is and what to set', async () => {
    const { port } = socketAt('127.0.0.1').socket.localFor(loopback);
    expect(await socketAt('127.0.0.1', port).failed).toBe(
      `port ${port} is taken by another program: set sip.listen.port`,
    );
  });

  test('to get the address says so', async () => {
    expect(await socketAt('192.0.2.77').failed).toBe('this machine has no address 192.0.2.77: set sip.listen.host');
  });

  test('to send is told, and never thrown', async () => {
    const { socket } = socketAt('127.0.0.1');
    const error = await new Promise<Error>(resolve => socket.send(bytes, { host: '127.0.0.1', port: 0 }, resolve));
    expect(error).toBeInstanceOf(Error);
  });

  test('to send after stop is silence', () => {
    const { socket } = socketAt('127.0.0.1');
    socket.stop();
    socket.stop();
    expect(() => socket.send(bytes, loopback)).not.toThrow();
  });
});
