/** A DNS server on loopback that knows a few records: RFC 1035 §4, SRV of RFC 2782, NAPTR of RFC 3403. */
import { createSocket } from 'node:dgram';

export type Rdata =
  | { srv: [priority: number, weight: number, port: number, target: string] }
  | { naptr: [order: number, preference: number, flags: string, service: string, replacement: string] };

/** `SRV _sip._udp.example.test` → its records; no such key: NXDOMAIN. A string is served as an error. */
export type Records = Readonly<Record<string, readonly Rdata[] | 'SERVFAIL'>>;

const types: Readonly<Record<number, string>> = { 33: 'SRV', 35: 'NAPTR' };
const NOERROR = 0;
const SERVFAIL = 2;
const NXDOMAIN = 3;

export async function startDnsServer(records: Records): Promise<{ address: string; stop(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => socket.send(answer(query, records), port, address));
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${socket.address().port}`, stop: () => void socket.close() };
}

function answer(query: Buffer, records: Records): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const found = records[`${types[type]} ${labels.join('.').toLowerCase()}`];
  const code = found === undefined ? NXDOMAIN : found === 'SERVFAIL' ? SERVFAIL : NOERROR;
  const answers = Array.isArray(found) ? (found as readonly Rdata[]) : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  // A response, recursion desired and available.
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  return Buffer.concat([header, question, ...answers.map(data => record(type, data))]);
}

function record(type: number, data: Rdata): Buffer {
  const bytes =
    'srv' in data
      ? Buffer.concat([numbers(...(data.srv.slice(0, 3) as number[])), name(data.srv[3])])
      : Buffer.concat([
          numbers(data.naptr[0], data.naptr[1]),
          ...[data.naptr[2], data.naptr[3], ''].map(text => Buffer.from([text.length, ...Buffer.from(text)])),
          name(data.naptr[4]),
        ]);
  // The name of the question, its type, class IN, TTL of 60 s, and the length of what follows.
  const head = Buffer.concat([Buffer.from([0xc0, 0x0c]), numbers(type, 1, 0, 60, bytes.length)]);
  return Buffer.concat([head, bytes]);
}

const numbers = (...values: number[]) => Buffer.from(values.flatMap(value => [value >> 8, value & 0xff]));

const name = (text: string) =>
  Buffer.concat([
    ...text
      .split('.')
      .filter(label => label !== '')
      .map(label => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
