/** Tables that a peer can fill: how far, and what becomes of the rest. Those of a layer of its own are tested there. */
import { expect, test } from 'vitest';
import { silentLog } from '../../../firmware/lib/log.ts';
import { endedCallLimit } from '../../../firmware/sip/calls.ts';
import { Credentials, rememberedLimit } from '../../../firmware/sip/credentials.ts';
import { makeRequest } from '../../../firmware/sip/dialog/request.ts';
import { DnsCache, recordLimit } from '../../../firmware/sip/locate/cache.ts';
import { avoidedLimit, Locator } from '../../../firmware/sip/locate/locator.ts';
import { forkLimit } from '../../../firmware/sip/session/early-dialogs.ts';
import { waitingLimit } from '../../../firmware/sip/session/key-sender.ts';
import { lateForkLimit } from '../../../firmware/sip/session/outgoing.ts';
import { tagOf } from '../../../firmware/sip/transaction/matching.ts';
import { makeResponse } from '../../../firmware/sip/transaction/reply.ts';
import { Connection, unansweredLimit } from '../../../firmware/sip/transport/connection.ts';
import { seeded } from '../../sim/seeded.ts';
import { sdp } from '../../sim/sip-phone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { request, stage } from './stage.ts';

const contact = [['Contact', '<sip:peer@192.0.2.2>']] as const;
const answer = { headers: contact, body: sdp('answer') };

test('calls that have ended, and whose BYE nobody answers, fill the lines at last, and free them after 32 s', () => {
  const { say, peer, phone, clock, userAgent } = stage();
  const invite = (number: number) => say(request({ branch: `z9hG4bK-${number}`, callId: `call-${number}` }));
  for (let number = 0; number <= endedCallLimit; number++) {
    invite(number);
    phone.call!.accept(sdp('answer'));
    const to = peer.responses(180).at(-1)!.headers.get('To')!;
    say(request({ method: 'ACK', branch: `z9hG4bK-a${number}`, callId: `call-${number}`, to }));
    phone.call!.hangUp();
  }
  expect(userAgent.alive.calls).toBe(endedCallLimit + 1);
  invite(1_000);
  expect(peer.responses(486)).toHaveLength(1);
  clock.advance(33_000);
  invite(1_001);
  expect(phone.call!.state).toBe('ringing');
});

test('an INVITE that forks without end has so many early dialogs', () => {
  const { peer, phone, clock, say } = stage();
  phone.dial('sip:peer@192.0.2.2');
  clock.advance(10);
  const [invite] = peer.requests('INVITE');
  for (let fork = 0; fork < 2 * forkLimit; fork++) peer.reply(invite!, 180, { headers: contact, tag: `fork-${fork}` });
  clock.advance(10);
  const own = tagOf(invite!.headers.get('From'));
  const asked = (fork: number) => {
    say(
      request({
        method: 'OPTIONS',
        uri: 'sip:user@192.0.2.1',
        branch: `z9hG4bK-${fork}`,
        callId: invite!.headers.get('Call-ID')!,
        from: `<sip:peer@192.0.2.2>;tag=fork-${fork}`,
        to: `<sip:user@192.0.2.1>;tag=${own}`,
      }),
    );
    return peer.statuses.at(-1);
  };
  expect([asked(0), asked(forkLimit - 1), asked(forkLimit)]).toEqual([200, 200, 481]);
});

test('so many forks that answer late are acknowledged and ended', () => {
  const { peer, phone, clock } = stage();
  peer.onRequest = received => {
    if (received.method === 'BYE') peer.reply(received, 200);
  };
  phone.dial('sip:peer@192.0.2.2');
  clock.advance(10);
  const [invite] = peer.requests('INVITE');
  for (let fork = 0; fork < 3 * lateForkLimit; fork++) peer.reply(invite!, 200, { ...answer, tag: `fork-${fork}` });
  clock.advance(10);
  expect(peer.requests('ACK')).toHaveLength(1 + lateForkLimit);
  expect(peer.requests('BYE')).toHaveLength(lateForkLimit);
  expect(phone.call!.state).toBe('confirmed');
});

test('so many keys wait for a peer that answers none', () => {
  const { peer, phone, clock } = stage();
  phone.dial('sip:peer@192.0.2.2');
  clock.advance(10);
  peer.reply(peer.requests('INVITE')[0]!, 200, answer);
  clock.advance(10);
  for (let key = 0; key < 2 * waitingLimit; key++) phone.call!.sendKey('5', 100);
  const infos = () => [...new Map(peer.requests('INFO').map(info => [info.headers.get('CSeq'), info])).values()];
  peer.onRequest = received => {
    if (received.method === 'INFO') peer.reply(received, 200);
  };
  clock.advance(10);
  peer.reply(infos()[0]!, 200);
  clock.advance(1_000);
  expect(infos()).toHaveLength(1 + waitingLimit);
});

test('so many servers are remembered as failed; the one that failed longest ago is tried like any other', () => {
  const clock = new VirtualClock();
  const environment = { clock, random: seeded(1), log: silentLog, resolve: () => {}, services: undefined };
  const locator = new Locator({ ...environment, hasStreams: false });
  const server = (number: number) => ({ host: '192.0.2.2', port: 5_000 + number });
  for (let number = 0; number <= avoidedLimit; number++) locator.avoid(server(number));
  expect([0, 1, avoidedLimit].map(number => locator.isAvoided(server(number)))).toEqual([false, true, true]);
});

test('so many challenges are remembered; the one met longest ago is not answered in advance any more', () => {
  const credentials = new Credentials('user', 'secret', seeded(1));
  const from = { host: '192.0.2.2', port: 5060 };
  const options = () =>
    makeRequest({
      method: 'OPTIONS',
      uri: 'sip:192.0.2.2',
      from: '<sip:a@192.0.2.1>;tag=a',
      to: '<sip:192.0.2.2>',
      callId: 'x',
      sequence: 1,
      account: undefined,
    });
  for (let realm = 0; realm <= rememberedLimit; realm++) {
    const challenge = [['WWW-Authenticate', `Digest realm="${realm}", nonce="n"`]] as const;
    credentials.challenged(makeResponse(options(), 401, 't', { headers: challenge }), options(), from, new Map());
  }
  const next = options();
  credentials.authorize(next, from);
  const realms = next.headers.all('Authorization').map(value => /realm="(\d+)"/.exec(value)?.[1]);
  expect(realms).toEqual(Array.from({ length: rememberedLimit }, (_, index) => String(index + 1)));
});

test('so many records of one name are kept', () => {
  const cache = new DnsCache(new VirtualClock());
  const records = Array.from({ length: 10 * recordLimit }, (_, index) => index);
  const ask = () => {
    let kept = 0;
    cache.ask<number>(
      'a name',
      { limitMs: 1_000, askAgainMs: 1_000 },
      done => done({ records, ttlMs: 60_000 }),
      found => {
        kept = 'records' in found ? found.records.length : 0;
      },
    );
    return kept;
  };
  expect([ask(), ask()]).toEqual([recordLimit, recordLimit]);
});

test('so many requests are told that their connection broke: the youngest', () => {
  const clock = new VirtualClock();
  const remote = { host: '192.0.2.2', port: 5060, transport: 'tcp' } as const;
  const connection = new Connection({ clock, random: seeded(1) }, remote, true, { onMessage() {}, onGone() {} });
  connection.start({ write() {}, waitingBytes: 0, localHost: undefined, close() {} });
  connection.onOpen();
  const told: number[] = [];
  for (let number = 0; number < 2 * unansweredLimit; number++) {
    connection.send(Buffer.from('x'), () => void told.push(number));
  }
  connection.fail('broken');
  clock.advance(1);
  expect(told).toHaveLength(unansweredLimit);
  expect(told[0]).toBe(unansweredLimit);
});
