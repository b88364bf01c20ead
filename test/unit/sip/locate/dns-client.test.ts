/** Name servers on loopback that are silent, forge, cut, fail or answer, and what is asked next. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../../firmware/lib/clock.ts';
import { systemRandom } from '../../../../firmware/lib/random.ts';
import { DnsClient } from '../../../../firmware/sip/locate/dns-client.ts';
import type { Found, Srv } from '../../../../firmware/sip/locate/services.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const asked = '_sip._udp.example.test';
/** The question once more, and one SRV record with `port` that is good for 60 s. */
function answerTo(query: Buffer, port: number, flags = 0x8180): Buffer {
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(port === 0 ? 0 : 1, 6);
  const data = Buffer.from([0, 1, 0, 2, port >> 8, port & 0xff, 1, 97, 0]);
  const record = Buffer.concat([Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, data.length]), data]);
  return Buffer.concat([head, query.subarray(12), ...(port === 0 ? [] : [record])]);
}

type Says = (query: Buffer, say: (bytes: Buffer) => void) => void;

async function nameServer(says: Says, overTcp?: Says): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => says(query, bytes => socket.send(bytes, port, address)));
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  stops.push(() => socket.close());
  const { port } = socket.address();
  if (overTcp !== undefined) {
    const server = createServer(stream => {
      stream.on('error', () => {});
      stream.on('data', bytes => {
        overTcp(bytes.subarray(2), answer => {
          // In two pieces.
          stream.write(Buffer.concat([Buffer.from([answer.length >> 8]), Buffer.from([answer.length & 0xff])]));
          stream.write(answer);
        });
      });
    });
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
    stops.push(() => void server.close());
  }
  return `127.0.0.1:${port}`;
}

const ask = (...servers: string[]) => {
  const client = new DnsClient({ clock: systemClock, random: systemRandom, servers: () => servers });
  return new Promise<Found<Srv>>(resolve => client.srv(asked, resolve));
};
const found = (port: number) => ({ records: [{ priority: 1, weight: 2, port, target: 'a' }], ttlMs: 60_000 });

const silent: Says = () => {};
const well: Says = (query, say) => say(answerTo(query, 5070));

test('an answer is believed for as long as it says', async () => {
  expect(await ask(await nameServer(well))).toEqual(found(5070));
});

test.each<[string, Says]>([
  ['is silent', silent],
  ['has failed', (query, say) => say(answerTo(query, 0, 0x8182))],
  ['refuses', (query, say) => say(answerTo(query, 0, 0x8185))],
])('where a server %s the next one is asked', async (_, says) => {
  expect(await ask(await nameServer(says), await nameServer(well))).toEqual(found(5070));
});

test('a forged answer is passed over, and the true one taken', async () => {
  const server = await nameServer((query, say) => {
    const forged = answerTo(query, 6666);
    forged[0]! ^= 0xff;
    say(forged);
    say(Buffer.from('nonsense'));
    say(answerTo(query, 5070));
  });
  expect(await ask(server)).toEqual(found(5070));
});

test('an answer that was cut is asked for again over TCP', async () => {
  const server = await nameServer((query, say) => say(answerTo(query, 0, 0x8380)), well);
  expect(await ask(server)).toEqual(found(5070));
});

test('where nobody listens over TCP the next server is asked', async () => {
  const cut = await nameServer((query, say) => say(answerTo(query, 0, 0x8380)));
  expect(await ask(cut, await nameServer(well))).toEqual(found(5070));
});

test('that there is no such name is an answer', async () => {
  expect(await ask(await nameServer((query, say) => say(answerTo(query, 0, 0x8183))))).toEqual({
    records: [],
    ttlMs: 30_000,
  });
});

test('where all have failed it says who', async () => {
  const server = await nameServer((query, say) => say(answerTo(query, 0, 0x8182)));
  expect(await ask(server)).toEqual({ why: 'DNS: the name server 127.0.0.1 has failed (2)' });
});

test('without name servers nobody is asked', async () => {
  expect(await ask()).toEqual({ why: 'DNS: no name server is known' });
});

test('a name server that is no address is none', async () => {
  expect(await ask('not an address', await nameServer(well))).toEqual(found(5070));
});
