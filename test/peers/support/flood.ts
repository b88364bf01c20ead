/**
 * A process that floods a device with one kind of message and tells what came back, as JSON on standard output.
 * Arguments: kind, host and port to flood, seconds.
 */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { floodSource } from './flood-kinds.ts';

/** Datagrams a second: several times what one core can answer. */
const datagramsPerS = 8_000;
/** Connections opened a second. */
const connectionsPerS = 200;
/** Connections that are held open at one time. */
const heldLimit = 200;
const tickMs = 10;

const [kind = '', host = '', port = '', seconds = '1'] = process.argv.slice(2);
const target = { host, port: Number(port) };
const tally = { sent: 0, statuses: {} as Record<string, number>, retryAfter: 0, closed: 0 };

let number = 0;
const inviteTo = (user: string) => message('INVITE', `sip:${user}@${target.host}:${target.port}`);
const kinds: Record<string, () => Buffer> = {
  'INVITE for us': () => inviteTo('front'),
  'INVITE for nobody': () => inviteTo(`${100 + (number % 900)}`),
  REGISTER: () => message('REGISTER', `sip:${target.host}`, `sip:100@${target.host}`),
  OPTIONS: () => message('OPTIONS', `sip:front@${target.host}`),
  garbage: () => Buffer.alloc(200 + (number++ % 1_000), 0x80 | (number & 0x7f)),
};

function message(method: string, uri: string, to = uri): Buffer {
  const id = `${process.pid}-${number++}`;
  return Buffer.from(
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${floodSource}:5099;rport;branch=z9hG4bK${id}`,
      `From: <sip:flood@${floodSource}>;tag=${id}`,
      `To: <${to}>`,
      `Call-ID: ${id}`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:flood@${floodSource}:5099>`,
      'Max-Forwards: 70',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
}

function floodDatagrams(make: () => Buffer) {
  const socket = createSocket('udp4');
  socket.on('message', bytes => {
    const text = bytes.toString('latin1');
    const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 'other';
    tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
    if (/^Retry-After: \d+\r$/m.test(text)) tally.retryAfter++;
  });
  socket.bind(0, floodSource);
  const timer = setInterval(() => {
    for (let count = 0; count < (datagramsPerS * tickMs) / 1_000; count++) {
      socket.send(make(), target.port, target.host);
      tally.sent++;
    }
  }, tickMs);
  return () => {
    clearInterval(timer);
    socket.close();
  };
}

/** Opened, begun, and left so. */
function floodConnections(begin: Buffer) {
  const held: Socket[] = [];
  const timer = setInterval(() => {
    for (let count = 0; count < (connectionsPerS * tickMs) / 1_000; count++) {
      const socket = connect({ ...target, localAddress: floodSource });
      socket.on('error', () => {});
      socket.on('close', () => tally.closed++);
      socket.on('connect', () => socket.write(begin));
      tally.sent++;
      held.push(socket);
      if (held.length > heldLimit) held.shift()!.destroy();
    }
  }, tickMs);
  return () => {
    clearInterval(timer);
    for (const socket of held) socket.destroy();
  };
}

const begins: Record<string, Buffer> = {
  'half-open TCP': Buffer.from('INVITE sip:front@example.org SIP/2.0\r\nVia: '),
  // The first bytes of a ClientHello that never goes on.
  'slow TLS': Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
};

const make = kinds[kind];
const stop = make === undefined ? floodConnections(begins[kind]!) : floodDatagrams(make);
setTimeout(() => {
  stop();
  process.stdout.write(JSON.stringify(tally), () => process.exit(0));
}, 1_000 * Number(seconds));
