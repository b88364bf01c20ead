/** Descriptions that a seed has spoiled: reading, answering and accepting never throw, and what is agreed makes sense. */
import { expect, test } from 'vitest';
import {
  acceptAnswer,
  type Capabilities,
  makeAnswer,
  makeOffer,
  type Negotiated,
} from '../../firmware/sdp/negotiate.ts';
import { parseSdp } from '../../firmware/sdp/parse.ts';
import { printSdp } from '../../firmware/sdp/print.ts';
import { seeded } from '../sim/seeded.ts';
import { spoil } from '../sim/spoil.ts';

const ROUNDS = 20_000;
const ALL: Capabilities = { codecs: ['opus', 'PCMA', 'PCMU'], ptimeMs: 20, telephoneEvent: true, opusFec: true };
const US = { host: '192.0.2.1', rtpPort: 4000, sessionId: '77', version: 1 };

const OFFERS = [
  printSdp(makeOffer(ALL, { ...US, host: '192.0.2.2' }, 'sendrecv')),
  [
    'v=0',
    'o=- 3855 3 IN IP6 2001:db8::10',
    's=Asterisk',
    'c=IN IP6 2001:db8::10',
    't=0 0',
    'a=sendonly',
    'm=video 6000 RTP/AVP 99',
    'a=rtpmap:99 H264/90000',
    'm=audio 14822 RTP/AVP 8 107 101',
    'a=rtpmap:107 opus/48000/2',
    'a=fmtp:107 useinbandfec=1; maxaveragebitrate=24000',
    'a=rtpmap:101 telephone-event/8000',
    'a=rtcp:14900 IN IP6 2001:db8::10',
    'a=ptime:20',
    '',
  ].join('\r\n'),
].map(text => new TextEncoder().encode(text));

const within = (value: number, least: number, most: number) => value >= least && value <= most;

/** `expect` costs more than all that is tested here, so it is asked only about what is wrong. */
function sensible(negotiated: Negotiated) {
  const { remote, codec, telephoneEvent = 0, direction } = negotiated;
  const good =
    ['sendrecv', 'sendonly', 'recvonly', 'inactive'].includes(direction) &&
    within(remote.rtpPort, 1, 65535) &&
    within(remote.rtcpPort, 1, 65535) &&
    [10, 20, 40, 60].includes(codec.ptimeMs) &&
    within(codec.payloadType, 0, 127) &&
    within(telephoneEvent, 0, 127);
  if (!good) expect.fail(`not sensible: ${JSON.stringify(negotiated)}`);
}

test(`${ROUNDS} spoiled descriptions, as offers and as answers`, () => {
  const random = seeded(1);
  const ours = makeOffer(ALL, US, 'sendrecv');
  const counts = { malformed: 0, refused: 0, answered: 0 };
  for (let i = 0; i < ROUNDS; i++) {
    const session = parseSdp(spoil(OFFERS[i % OFFERS.length]!, random));
    if ('malformed' in session) {
      counts.malformed++;
      continue;
    }
    // Printing what was read gives something that reads the same.
    const again = parseSdp(printSdp(session));
    if ('malformed' in again) throw new Error(`round ${i}: ${again.malformed}`);
    if (printSdp(again) !== printSdp(session)) expect(printSdp(again)).toBe(printSdp(session));

    const accepted = acceptAnswer(ours, session);
    if (!('refused' in accepted)) sensible(accepted);
    const result = makeAnswer(session, ALL, US, 'sendrecv');
    if ('refused' in result) {
      counts.refused++;
      continue;
    }
    counts.answered++;
    sensible(result.negotiated);
    if (result.answer.media.length !== session.media.length) expect.fail(`round ${i}: m-lines are missing`);
    if ('malformed' in parseSdp(printSdp(result.answer))) expect.fail(`round ${i}: our answer is malformed`);
    // An offer of ours inside such a call can be made, and gives no payload type two meanings.
    const formats = makeOffer(ALL, US, 'sendrecv', result.answer).media.find(({ port }) => port !== 0)!.formats;
    if (new Set(formats).size !== formats.length) expect.fail(`round ${i}: ${formats.join(' ')}`);
  }
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(ROUNDS / 100);
});

test(`${ROUNDS / 10} texts of noise`, () => {
  const random = seeded(2);
  const letters = 'vosctma=:0189 /-\r\n.audioRTPAVP';
  for (let i = 0; i < ROUNDS / 10; i++) {
    const text = Array.from(
      { length: Math.floor(random.next() * 200) },
      () => letters[random.uint32() % letters.length],
    );
    const session = parseSdp(`v=0\n${text.join('')}`);
    if (!('malformed' in session)) makeAnswer(session, ALL, US, 'sendrecv');
  }
});
