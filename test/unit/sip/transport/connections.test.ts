/** Connections by the virtual clock: opened, used again, kept alive, given up, and never too many. */
import { describe, expect, test } from 'vitest';
import type { Hop } from '../../../../firmware/sip/hop.ts';
import {
  connectLimitMs,
  idleLimitMs,
  messageLimitMs,
  pingLeastMs,
  pingMostMs,
  pongLimitMs,
  waitingLimitBytes,
} from '../../../../firmware/sip/transport/connection.ts';
import { connectionLimit, perHostLimit, silentLimit } from '../../../../firmware/sip/transport/connections.ts';
import { allOpenings, Doorkeeper, hostOpenings, openerLimit } from '../../../../firmware/sip/transport/doorkeeper.ts';
import { LossyNetwork, presets } from '../../../sim/lossy-network.ts';
import { seeded } from '../../../sim/seeded.ts';
import { RawEnd, StreamNetwork } from '../../../sim/stream-network.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

const us = { host: '192.0.2.1', port: 5060 };
const server: Hop = { host: '192.0.2.9', port: 5060, transport: 'tcp' };
const text = (name: string) => `OPTIONS sip:a@b SIP/2.0\r\nSubject: ${name}\r\nContent-Length: 0\r\n\r\n`;

function scene() {
  const clock = new VirtualClock();
  const network = new StreamNetwork(clock);
  const wires = network.host(us, new LossyNetwork(clock, seeded(1), presets.perfect), seeded(2));
  const heard: { subject: string; from: Hop }[] = [];
  const lost: Hop[] = [];
  const errors: string[] = [];
  wires.attach(
    (bytes, from) => void heard.push({ subject: /Subject: (.*)/.exec(Buffer.from(bytes).toString())![1]!, from }),
    to => void lost.push(to),
  );
  const peers: RawEnd[] = [];
  network.listen(server, (_, stream) => {
    const end = new RawEnd();
    end.stream = stream;
    peers.push(end);
    return end;
  });
  const send = (name: string, to: Hop = server) => {
    wires.transport.send(Buffer.from(text(name)), to, ({ message }) => errors.push(message));
    clock.advance(10);
  };
  const visitor = (host = '192.0.2.50') => network.raw(host, { ...us, transport: 'tcp' });
  return { clock, network, wires, heard, lost, errors, peers, send, visitor };
}

describe('to a server', () => {
  test('one connection serves every request, and what the server sends comes in by it', () => {
    const { send, peers, heard, clock, wires } = scene();
    send('one');
    send('two');
    expect(peers.map(peer => peer.text)).toEqual([text('one') + text('two')]);
    peers[0]!.say(text('three'));
    clock.advance(10);
    expect(heard).toEqual([{ subject: 'three', from: { ...server, connection: expect.any(Number) } }]);
    expect(wires.connections.size).toBe(1);
  });

  test('another transport, port or TLS domain is another connection', () => {
    const { send, network } = scene();
    for (const domain of ['a.example', 'b.example']) send('x', { ...server, transport: 'tls', domain });
    send('x', { ...server, port: 5070 });
    send('x');
    expect(network.asked).toEqual([
      '192.0.2.1 -> tls 192.0.2.9:5060',
      '192.0.2.1 -> tls 192.0.2.9:5060',
      '192.0.2.1 -> tcp 192.0.2.9:5070',
      '192.0.2.1 -> tcp 192.0.2.9:5060',
    ]);
  });

  test('one that refuses is told at once, one that says nothing after 4 s', () => {
    const { send, errors, network, clock, wires } = scene();
    send('x', { ...server, port: 5070 });
    expect(errors).toEqual(['192.0.2.9:5070 refuses TCP connections']);
    network.moods.set('tcp 192.0.2.9:5080', 'swallows');
    send('x', { ...server, port: 5080 });
    clock.advance(connectLimitMs - 20);
    expect(errors.length).toBe(1);
    clock.advance(20);
    expect(errors[1]).toBe('no connection in time');
    expect(wires.connections.size).toBe(0);
  });

  test('a request whose answer cannot come any more fails when the connection breaks, an old one does not', () => {
    const { send, errors, network, clock } = scene();
    send('old');
    clock.advance(33_000);
    send('young');
    network.breakAll();
    clock.advance(1);
    expect(errors).toEqual(['connection reset']);
  });

  test('the next request after a break opens a new one', () => {
    const { send, peers, network } = scene();
    send('one');
    network.breakAll();
    send('two');
    expect(peers.map(peer => peer.text)).toEqual([text('one'), text('two')]);
  });

  test('ten silent minutes close it', () => {
    const { send, clock, peers, wires, lost } = scene();
    send('one');
    clock.advance(idleLimitMs - 1_000);
    expect(peers[0]!.closed).toBe(false);
    send('two');
    clock.advance(idleLimitMs + 1_000);
    expect(peers[0]!.closed).toBe(true);
    expect(wires.connections.size).toBe(0);
    expect(lost).toEqual([]);
    expect(clock.armed).toEqual([]);
  });

  test('a server that does not read is given up before it fills the memory', () => {
    const { send, network, errors, wires } = scene();
    send('one');
    network.reads = false;
    let sent = 0;
    while (wires.connections.size > 0 && sent < 10_000) {
      send('more');
      sent++;
    }
    expect(sent * text('more').length).toBeLessThan(waitingLimitBytes + 2 * text('more').length);
    expect(errors.at(-1)).toBe('the peer does not read');
  });
});

describe('that peers reach us by', () => {
  const kept = { ...server, keep: true };

  test('is pinged within two minutes, and stays', () => {
    const { send, clock, peers } = scene();
    send('REGISTER', kept);
    clock.advance(pingMostMs);
    expect(peers[0]!.text).toBe(`${text('REGISTER')}\r\n\r\n`);
    clock.advance(20 * idleLimitMs);
    expect(peers[0]!.closed).toBe(false);
  });

  test('is lost when a server that used to answer pings no longer does', () => {
    const { send, clock, peers, lost } = scene();
    send('REGISTER', kept);
    clock.advance(pingMostMs);
    peers[0]!.say('\r\n');
    clock.advance(pingLeastMs - pongLimitMs);
    expect(lost).toEqual([]);
    clock.advance(pingMostMs);
    expect(lost).toEqual([server]);
    expect(clock.armed).toEqual([]);
  });

  test('is pinged as often as the registrar wants, and lost at the first silence where it has promised to answer', () => {
    const { send, clock, peers, lost, wires } = scene();
    send('REGISTER', kept);
    wires.connections.keepAlive(server, { longestMs: 5_000, answers: true });
    clock.advance(5_000);
    peers[0]!.say('\r\n');
    clock.advance(1_000);
    expect(lost).toEqual([]);
    clock.advance(5_000 + pongLimitMs);
    expect(lost).toEqual([server]);
    expect(clock.armed).toEqual([]);
  });

  test('is not pinged where the configuration says so', () => {
    const { send, clock, peers, wires } = scene();
    send('REGISTER', kept);
    wires.connections.keepAlive(server, { longestMs: 0, answers: true });
    clock.advance(3_600_000);
    expect(peers[0]!.text).toBe(text('REGISTER'));
    expect(peers[0]!.closed).toBe(false);
  });

  test('is lost with the address of ours that it went out from', () => {
    const { send, wires, lost, network } = scene();
    send('REGISTER', kept);
    network.localHost = '192.0.2.1';
    wires.connections.addressesGone(['192.0.2.77']);
    expect(lost).toEqual([]);
    wires.connections.addressesGone(['192.0.2.1']);
    expect(lost).toEqual([server]);
  });

  test('is lost when it breaks', () => {
    const { send, network, lost } = scene();
    send('REGISTER', kept);
    network.breakAll();
    expect(lost).toEqual([server]);
  });
});

describe('from a peer', () => {
  test('its ping is answered, and its message told with the connection it came by', () => {
    const { visitor, clock, heard, send } = scene();
    const peer = visitor();
    peer.say(`\r\n\r\n${text('hello')}`);
    clock.advance(10);
    expect(peer.text).toBe('\r\n');
    const [{ subject, from }] = heard as [(typeof heard)[0]];
    expect(subject).toBe('hello');
    send('answer', from);
    expect(peer.text).toBe(`\r\n${text('answer')}`);
  });

  test('an answer goes to the port of Via on a new connection where the first is gone (§18.2.2)', () => {
    const { visitor, clock, heard, send, peers } = scene();
    const peer = visitor(server.host);
    peer.say(text('hello'));
    clock.advance(10);
    peer.stream.close();
    clock.advance(10);
    send('answer', { ...heard[0]!.from, port: server.port });
    expect(peers.map(({ text: written }) => written)).toEqual([text('answer')]);
  });

  test('a request of ours does not go back on it: what Via says of an address proves nothing (RFC 5923 §9)', () => {
    const { visitor, clock, send, peers, heard } = scene();
    visitor(server.host).say(text('hello'));
    clock.advance(10);
    const { connection: _connection, ...address } = heard[0]!.from;
    send('request', { ...address, port: server.port });
    expect(peers.length).toBe(1);
  });

  test('a request of ours to the very end of it goes by it: linphone names that end in Contact and listens nowhere', () => {
    const { visitor, clock, send, heard, network } = scene();
    const phone = visitor();
    phone.say(text('hello'));
    clock.advance(10);
    const { connection: _connection, ...end } = heard[0]!.from;
    send('bye', end);
    expect(phone.text).toBe(text('bye'));
    // Over TLS it would be somebody without a certificate.
    send('secret', { ...end, transport: 'tls', domain: end.host });
    expect(phone.text).toBe(text('bye'));
    expect(network.asked.at(-1)).toContain('tls');
  });

  test.each([
    ['nothing', ''],
    ['only keep-alives', '\r\n\r\n'],
    ['half a message', 'OPTIONS sip:a@b SIP/2.0\r\n'],
  ])('one that brings %s is closed after 10 s', (_, written) => {
    const { visitor, clock, wires } = scene();
    const peer = visitor();
    peer.say(written);
    clock.advance(messageLimitMs - 100);
    expect(wires.connections.size).toBe(1);
    clock.advance(200);
    expect(peer.closed).toBe(true);
    expect(wires.connections.size).toBe(0);
    expect(clock.armed).toEqual([]);
  });

  test('one that drips a message byte by byte has 10 s for the whole of it', () => {
    const { visitor, clock, wires } = scene();
    const peer = visitor();
    peer.say(text('whole'));
    clock.advance(60_000);
    expect(wires.connections.size).toBe(1);
    for (const letter of text('dripping').slice(0, 30)) {
      peer.say(letter);
      clock.advance(messageLimitMs / 20);
    }
    expect(peer.closed).toBe(true);
  });

  test('one that is not SIP is closed at once', () => {
    const { visitor, clock } = scene();
    const peer = visitor();
    peer.say('\x16\x03\x01');
    clock.advance(10);
    expect(peer.closed).toBe(true);
  });
});

describe('of too many', () => {
  test('one address has 16 at most', () => {
    const { visitor, clock, wires } = scene();
    for (let count = 0; count < perHostLimit + 5; count++) visitor();
    clock.advance(10);
    expect(wires.connections.size).toBe(perHostLimit);
  });

  test('the one that was silent for longest makes room, and never the one that we registered by', () => {
    const { visitor, clock, wires, send, peers, lost } = scene();
    send('REGISTER', { ...server, keep: true });
    const first = visitor('192.0.2.100');
    first.say(text('hello'));
    clock.advance(10);
    for (let count = 1; count < connectionLimit + 10; count++) {
      visitor(`192.0.2.${100 + (count % 100)}`).say(text('hello'));
      clock.advance(10);
    }
    expect(wires.connections.size).toBe(connectionLimit);
    expect(first.closed).toBe(true);
    expect(peers[0]!.closed).toBe(false);
    expect(lost).toEqual([]);
  });

  test('those that have said nothing make room for one another, and never for want of a place to one that speaks', () => {
    const { visitor, clock, wires } = scene();
    const phone = visitor('192.0.2.100');
    phone.say(text('hello'));
    clock.advance(10);
    const first = visitor('198.51.100.0');
    for (let count = 1; count < 200; count++) {
      visitor(`198.51.${100 + (count >> 3)}.${count & 7}`);
      clock.advance(50);
      expect(wires.connections.size).toBeLessThanOrEqual(1 + silentLimit);
    }
    expect(first.closed).toBe(true);
    expect(phone.closed).toBe(false);
  });

  test('a connection of ours stays, where strangers who speak take all other places', () => {
    const { visitor, clock, wires, send, peers } = scene();
    send('INVITE');
    for (let count = 0; count < 2 * connectionLimit; count++) {
      visitor(`198.51.${100 + (count >> 3)}.${count & 7}`).say(text('hello'));
      clock.advance(100);
    }
    expect(wires.connections.size).toBe(connectionLimit);
    expect(peers[0]!.closed).toBe(false);
  });

  test('one address opens 5 a second in the long run, all together 20', () => {
    const { visitor, clock } = scene();
    const opened = (host: (count: number) => string, count: number) => {
      let open = 0;
      for (let number = 0; number < count; number++) {
        const peer = visitor(host(number));
        clock.advance(10);
        if (!peer.closed) open++;
        peer.stream.close();
        clock.advance(1);
      }
      return open;
    };
    expect(opened(() => '198.51.100.1', 1_000)).toBeLessThanOrEqual(hostOpenings.burst + 11 * hostOpenings.perSecond);
    expect(opened(number => `198.51.${number >> 7}.${number & 127}`, 1_000)).toBeLessThanOrEqual(
      allOpenings.burst + 11 * allOpenings.perSecond,
    );
  });

  test('so many addresses are remembered', () => {
    const doorkeeper = new Doorkeeper(new VirtualClock());
    for (let count = 0; count < 2 * openerLimit; count++) doorkeeper.admits(`198.51.${count >> 7}.${count & 127}`);
    expect(doorkeeper.size).toBe(openerLimit);
  });

  test('nothing stays armed after stop', () => {
    const { visitor, clock, wires, send } = scene();
    send('REGISTER', { ...server, keep: true });
    for (let count = 0; count < 10; count++) visitor();
    clock.advance(10);
    wires.stop();
    clock.advance(10);
    expect(clock.armed).toEqual([]);
  });
});
