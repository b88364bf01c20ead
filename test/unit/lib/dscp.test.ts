import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { markerOf } from '../../../firmware/lib/dscp.ts';

// What the packets then carry is seen by test/peers/tshark.test.ts.
test.each([
  ['udp4', '127.0.0.1', 4],
  ['udp6', '::', 6],
] as const)('a bound %s socket can be marked', async (type, host, family) => {
  const socket = createSocket(type);
  socket.bind(0, host);
  await once(socket, 'listening');
  expect(markerOf(46)(socket, family)).toBeUndefined();
  socket.close();
});

test('where it cannot be done the reason is told', async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  expect(markerOf(46)(socket, 6)).toBe('ENOPROTOOPT');
  socket.close();
  expect(markerOf(46)({} as typeof socket, 4)).toBe('this Node does not tell the descriptor of a socket');
});

test('0 asks for nothing', () => {
  expect(markerOf(0)({} as ReturnType<typeof createSocket>, 4)).toBeUndefined();
});
