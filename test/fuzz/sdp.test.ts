/** Descriptions that a seed has spoiled: reading, answering and accepting never throw, and what is agreed makes sense. */
import { expect, test } from 'vitest';
import { makeAnswer, makeOffer } from '../../firmware/sdp/negotiate.ts';
import { parseSdp } from '../../firmware/sdp/parse.ts';
import { printSdp } from '../../firmware/sdp/print.ts';
import { seeded } from '../sim/seeded.ts';
import { spoil } from '../sim/spoil.ts';
import { ALL, checkSdp, US } from './support/check-sdp.ts';

const ROUNDS = 20_000;

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

test(`${ROUNDS} spoiled descriptions, as offers and as answers`, () => {
  const random = seeded(1);
  const counts = { malformed: 0, refused: 0, answered: 0 };
  for (let i = 0; i < ROUNDS; i++) counts[checkSdp(spoil(OFFERS[i % OFFERS.length]!, random))]++;
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
