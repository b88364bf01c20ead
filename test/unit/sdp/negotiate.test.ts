/** Offer and answer: RFC 3264, with its examples of §10 where an intercom can have them. */
import { describe, expect, test } from 'vitest';
import {
  acceptAnswer,
  type Capabilities,
  makeAnswer,
  makeOffer,
  type Negotiated,
} from '../../../firmware/sdp/negotiate.ts';
import type { Local } from '../../../firmware/sdp/our-line.ts';
import { parseSdp } from '../../../firmware/sdp/parse.ts';
import { printSdp } from '../../../firmware/sdp/print.ts';
import type { Direction, SessionDescription } from '../../../firmware/sdp/types.ts';

const ALL: Capabilities = { codecs: ['opus', 'PCMA', 'PCMU'], ptimeMs: 20, telephoneEvent: true, opusFec: true };
const PLAIN: Capabilities = { codecs: ['PCMU', 'PCMA'], ptimeMs: 20, telephoneEvent: true, opusFec: false };
const US: Local = { host: '192.0.2.1', rtpPort: 4000, sessionId: '77', version: 1 };
const THEM: Local = { host: '192.0.2.2', rtpPort: 5000, sessionId: '88', version: 1 };

function parsed(text: string): SessionDescription {
  const session = parseSdp(text);
  if ('malformed' in session) throw new Error(session.malformed);
  return session;
}

/** A description with these lines after the head. */
const sdp = (...lines: string[]) =>
  parsed(['v=0', 'o=- 1 1 IN IP4 192.0.2.2', 's=-', 'c=IN IP4 192.0.2.2', 't=0 0', ...lines].join('\r\n'));

const lineOf = (session: SessionDescription) =>
  session.media.map(({ type, port, formats }) => `${type} ${port} ${formats.join(' ')}`);

function answered(offer: SessionDescription, capabilities = ALL, direction: Direction = 'sendrecv') {
  const result = makeAnswer(offer, capabilities, US, direction);
  if ('refused' in result) throw new Error(result.refused);
  return result;
}

function accepted(offer: SessionDescription, answer: SessionDescription): Negotiated {
  const result = acceptAnswer(offer, answer);
  if ('refused' in result) throw new Error(result.refused);
  return result;
}

describe('our offer', () => {
  test('with everything', () => {
    expect(
      printSdp(makeOffer(ALL, US, 'sendrecv'))
        .trimEnd()
        .split('\r\n'),
    ).toEqual([
      'v=0',
      'o=- 77 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 4000 RTP/AVP 96 8 0 97 101',
      'a=rtpmap:96 opus/48000/2',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:97 telephone-event/48000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:96 useinbandfec=1;stereo=0;sprop-stereo=0',
      'a=fmtp:97 0-15',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
    ]);
  });

  test('has keys at 8000 beside Opus alone, for telephones that know no others', () => {
    const offer = makeOffer({ ...ALL, codecs: ['opus'] }, US, 'sendrecv');
    expect(lineOf(offer)).toEqual(['audio 4000 96 97 101']);
    const answer = sdp('m=audio 5000 RTP/AVP 96 101', 'a=rtpmap:96 opus/48000/2', 'a=rtpmap:101 telephone-event/8000');
    expect(acceptAnswer(offer, answer)).toMatchObject({ codec: { name: 'opus' }, telephoneEvent: 101 });
  });

  test('in our order, without what we cannot', () => {
    const offer = makeOffer({ ...PLAIN, telephoneEvent: false }, US, 'recvonly');
    expect(lineOf(offer)).toEqual(['audio 4000 0 8']);
    expect(offer.media[0]!.direction).toBe('recvonly');
  });

  test('from an IPv6 address', () => {
    expect(printSdp(makeOffer(PLAIN, { ...US, host: '2001:db8::1' }, 'sendrecv'))).toContain(
      'c=IN IP6 2001:db8::1\r\n',
    );
  });

  test('inside a call keeps the places of the m-lines, and the meaning of payload types (RFC 3264 §8)', () => {
    const theirs = sdp(
      'm=video 6000 RTP/AVP 96',
      'm=audio 5000 RTP/AVP 97 96 0',
      'a=rtpmap:97 opus/48000/2',
      'a=rtpmap:96 telephone-event/48000',
    );
    const { answer } = answered(theirs);
    const offer = makeOffer(ALL, { ...US, version: 2 }, 'sendonly', answer);
    // PCMA and PCMU come back as ours, events at 8000 are new.
    expect(lineOf(offer)).toEqual(['video 0 96', 'audio 4000 97 8 0 96 101']);
    expect(offer.origin).toMatchObject({ sessionId: '77', version: '2' });
  });

  test('inside a call gives no payload type two meanings', () => {
    const theirs = sdp('m=audio 5000 RTP/AVP 8 96', 'a=rtpmap:96 telephone-event/8000');
    const { answer } = answered(theirs);
    const types = makeOffer(ALL, US, 'sendrecv', answer).media[0]!.formats;
    expect(new Set(types).size).toBe(types.length);
    expect(types).toEqual(['97', '8', '0', '98', '96']);
  });
});

describe('our answer', () => {
  /** RFC 3264 §10.1: audio in three codecs and two videos. */
  const ALICE = sdp(
    'm=audio 49170 RTP/AVP 0 8 97',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:97 iLBC/8000',
    'm=video 51372 RTP/AVP 31 32',
    'a=rtpmap:31 H261/90000',
    'a=rtpmap:32 MPV/90000',
  );

  test('takes the audio and refuses the video (§10.1)', () => {
    const { answer, negotiated } = answered(ALICE, PLAIN);
    expect(lineOf(answer)).toEqual(['audio 4000 0', 'video 0 31']);
    expect(negotiated).toEqual({
      direction: 'sendrecv',
      remote: { host: '192.0.2.2', rtpPort: 49170, rtcpPort: 49171 },
      codec: { name: 'PCMU', payloadType: 0, ptimeMs: 20 },
      onHold: false,
    });
  });

  test('takes our preference among what is offered', () => {
    expect(answered(ALICE, { ...PLAIN, codecs: ['opus', 'PCMA', 'PCMU'] }).negotiated.codec.name).toBe('PCMA');
  });

  test('uses the payload types of the offer, and events at the clock of the codec (RFC 4733)', () => {
    const offer = sdp(
      'm=audio 5000 RTP/AVP 8 111 110 126',
      'a=rtpmap:111 OPUS/48000/2',
      'a=fmtp:111 useinbandfec=1',
      'a=rtpmap:110 telephone-event/48000',
      'a=rtpmap:126 telephone-event/8000',
    );
    const opus = answered(offer);
    expect(lineOf(opus.answer)).toEqual(['audio 4000 111 110']);
    expect(opus.negotiated).toMatchObject({
      codec: { name: 'opus', payloadType: 111, fec: true },
      telephoneEvent: 110,
    });
    const pcma = answered(offer, PLAIN);
    expect(lineOf(pcma.answer)).toEqual(['audio 4000 8 126']);
    expect(pcma.negotiated.telephoneEvent).toBe(126);
    expect(pcma.negotiated.codec).not.toHaveProperty('fec');
  });

  test('a peer with Opus and events at 8000 only keeps its keys', () => {
    const offer = sdp('m=audio 5000 RTP/AVP 107 101', 'a=rtpmap:107 opus/48000/2', 'a=rtpmap:101 telephone-event/8000');
    const { answer, negotiated } = answered(offer);
    expect(negotiated.telephoneEvent).toBe(101);
    expect(printSdp(answer)).toContain('a=rtpmap:101 telephone-event/8000\r\n');
  });

  test('has no events where either side has none', () => {
    const without = sdp('m=audio 5000 RTP/AVP 0');
    expect(answered(without).negotiated).not.toHaveProperty('telephoneEvent');
    const offer = sdp('m=audio 5000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000');
    const { answer, negotiated } = answered(offer, { ...PLAIN, telephoneEvent: false });
    expect(negotiated).not.toHaveProperty('telephoneEvent');
    expect(lineOf(answer)).toEqual(['audio 4000 0']);
  });

  test('corrects errors only where both want it', () => {
    const offer = (fec: string) =>
      sdp('m=audio 5000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', `a=fmtp:96 useinbandfec=${fec}`);
    expect(answered(offer('0')).negotiated.codec.fec).toBe(false);
    expect(answered(offer('1')).negotiated.codec.fec).toBe(true);
    expect(answered(offer('1'), { ...ALL, opusFec: false }).negotiated.codec.fec).toBe(false);
  });

  test('takes the first usable audio and refuses the others', () => {
    const offer = sdp(
      'm=audio 5000 RTP/SAVP 0',
      'm=audio 5002 RTP/AVP 9',
      'm=audio 5004 RTP/AVP 8',
      'm=audio 5006 RTP/AVP 0',
    );
    const { answer, negotiated } = answered(offer);
    expect(lineOf(answer)).toEqual(['audio 0 0', 'audio 0 9', 'audio 4000 8', 'audio 0 0']);
    expect(answer.media[0]!.protocol).toBe('RTP/SAVP');
    expect(negotiated.remote.rtpPort).toBe(5004);
  });

  test('sends where the medium says, not the session; RTCP where RFC 3605 says', () => {
    const offer = sdp('m=audio 5000 RTP/AVP 0', 'c=IN IP4 198.51.100.7', 'a=rtcp:5555');
    expect(answered(offer).negotiated.remote).toEqual({ host: '198.51.100.7', rtpPort: 5000, rtcpPort: 5555 });
    const six = sdp('m=audio 65535 RTP/AVP 0', 'c=IN IP6 2001:db8::9');
    expect(answered(six).negotiated.remote).toEqual({ host: '2001:db8::9', rtpPort: 65535, rtcpPort: 65535 });
  });

  describe('RTP and RTCP on one port (RFC 5761)', () => {
    const offer = sdp('m=audio 5000 RTP/AVP 0', 'a=rtcp-mux');

    test('is accepted where it is offered and wanted here', () => {
      const { answer, negotiated } = answered(offer, { ...ALL, rtcpMux: true });
      expect(printSdp(answer)).toContain('a=rtcp-mux\r\n');
      expect(negotiated.rtcpMux).toBe(true);
    });

    test('is not where it is not', () => {
      for (const { answer, negotiated } of [
        answered(offer),
        answered(sdp('m=audio 5000 RTP/AVP 0'), { ...ALL, rtcpMux: true }),
      ]) {
        expect(printSdp(answer)).not.toContain('rtcp-mux');
        expect(negotiated.rtcpMux).toBeUndefined();
      }
    });

    test('is offered, and used only when the answer has it', () => {
      const ours = makeOffer({ ...ALL, rtcpMux: true }, US, 'sendrecv');
      expect(printSdp(ours)).toContain('a=rtcp-mux\r\n');
      expect(acceptAnswer(ours, offer)).toMatchObject({ rtcpMux: true });
      expect(acceptAnswer(ours, sdp('m=audio 5000 RTP/AVP 0'))).not.toHaveProperty('rtcpMux');
      expect(acceptAnswer(makeOffer(ALL, US, 'sendrecv'), offer)).not.toHaveProperty('rtcpMux');
    });
  });

  describe('comfort noise (RFC 3389)', () => {
    const noisy = { ...ALL, comfortNoise: true };

    test('is offered beside codecs of its clock only', () => {
      expect(lineOf(makeOffer(noisy, US, 'sendrecv'))[0]).toMatch(/^audio 4000 96 8 0 .*13/);
      expect(lineOf(makeOffer({ ...noisy, codecs: ['opus'] }, US, 'sendrecv'))[0]).not.toContain(' 13');
    });

    test('is accepted where it is offered and wanted', () => {
      const offer = sdp('m=audio 5000 RTP/AVP 0 13');
      expect(lineOf(answered(offer, noisy).answer)).toEqual(['audio 4000 0 13']);
      expect(lineOf(answered(offer).answer)).toEqual(['audio 4000 0']);
      expect(lineOf(answered(sdp('m=audio 5000 RTP/AVP 0'), noisy).answer)).toEqual(['audio 4000 0']);
    });
  });

  describe('reports on quality (RFC 3611 §5)', () => {
    const offer = sdp('m=audio 5000 RTP/AVP 0', 'a=rtcp-xr:rcvr-rtt=all:60 stat-summary=loss,dup voip-metrics');
    const reporting = { ...ALL, extendedReports: true };

    test('are answered for where they are offered and wanted here, with the part that is done', () => {
      const { answer, negotiated } = answered(offer, reporting);
      expect(printSdp(answer)).toContain('a=rtcp-xr:rcvr-rtt=all voip-metrics\r\n');
      expect(negotiated).toMatchObject({ voipMetrics: true, receiverTimes: 'all' });
      expect(answered(offer).negotiated.voipMetrics).toBeUndefined();
      expect(printSdp(answered(sdp('m=audio 5000 RTP/AVP 0'), reporting).answer)).not.toContain('xr');
    });

    test.each([
      ['voip-metrics', 'voip-metrics'],
      ['rcvr-rtt=sender', 'rcvr-rtt=sender'],
      ['voip-metrics rcvr-rtt=all:24', 'rcvr-rtt=all voip-metrics'],
      ['rcvr-rtt=none stat-summary', undefined],
      ['rcvr-rtt', undefined],
    ])('are as narrow as the peer wants them: %s', (wanted, said) => {
      const { answer } = answered(sdp('m=audio 5000 RTP/AVP 0', `a=rtcp-xr:${wanted}`), reporting);
      expect(answer.media[0]!.attributes.find(([name]) => name === 'rtcp-xr')?.[1]).toBe(said);
    });

    test('are offered, and sent only when the answer wants them', () => {
      const ours = makeOffer(reporting, US, 'sendrecv');
      expect(acceptAnswer(ours, offer)).toMatchObject({ voipMetrics: true, receiverTimes: 'all' });
      expect(acceptAnswer(ours, sdp('m=audio 5000 RTP/AVP 0', 'a=rtcp-xr:stat-summary'))).not.toHaveProperty(
        'voipMetrics',
      );
    });
  });

  describe('is refused, and says why', () => {
    const cases: [string, SessionDescription, RegExp][] = [
      ['no media', sdp(), /no audio/],
      ['only video', sdp('m=video 5000 RTP/AVP 31'), /no audio/],
      ['audio that is off', sdp('m=audio 0 RTP/AVP 0'), /port 0/],
      ['no common codec', sdp('m=audio 5000 RTP/AVP 9 18'), /none of opus, PCMA, PCMU/],
      ['encryption', sdp('m=audio 5000 RTP/SAVP 0'), /RTP\/SAVP is offered, and encryption is switched off/],
      ['WebRTC', sdp('m=audio 5000 UDP/TLS/RTP/SAVPF 0'), /not supported/],
      ['no address', parsed('v=0\r\nm=audio 5000 RTP/AVP 0'), /no connection address/],
      [
        'a name for an address',
        parsed('v=0\r\nc=IN IP4 pbx.example.org\r\nm=audio 5000 RTP/AVP 0'),
        /pbx\.example\.org/,
      ],
      ['Opus at a clock it has not', sdp('m=audio 5000 RTP/AVP 96', 'a=rtpmap:96 opus/8000'), /none of/],
    ];
    test.each(cases)('%s', (_, offer, why) => {
      expect(makeAnswer(offer, ALL, US, 'sendrecv')).toEqual({ refused: expect.stringMatching(why) });
    });
  });
});

describe('direction (§6.1, §8.4)', () => {
  /** Offered, ours, answered, peer on hold. */
  const cases: [Direction, Direction, Direction, boolean][] = [
    ['sendrecv', 'sendrecv', 'sendrecv', false],
    ['sendrecv', 'sendonly', 'sendonly', false],
    ['sendrecv', 'recvonly', 'recvonly', false],
    ['sendrecv', 'inactive', 'inactive', false],
    ['sendonly', 'sendrecv', 'recvonly', true],
    ['sendonly', 'sendonly', 'inactive', true],
    ['sendonly', 'recvonly', 'recvonly', true],
    ['sendonly', 'inactive', 'inactive', true],
    ['recvonly', 'sendrecv', 'sendonly', false],
    ['recvonly', 'sendonly', 'sendonly', false],
    ['recvonly', 'recvonly', 'inactive', false],
    ['recvonly', 'inactive', 'inactive', false],
    ['inactive', 'sendrecv', 'inactive', true],
    ['inactive', 'sendonly', 'inactive', true],
    ['inactive', 'recvonly', 'inactive', true],
    ['inactive', 'inactive', 'inactive', true],
  ];
  test.each(cases)('offered %s, ours %s: %s', (theirs, ours, agreed, onHold) => {
    const offer = sdp('m=audio 5000 RTP/AVP 0', `a=${theirs}`);
    const { answer, negotiated } = answered(offer, PLAIN, ours);
    expect(answer.media[0]!.direction).toBe(agreed);
    expect(negotiated).toMatchObject({ direction: agreed, onHold });
  });

  test('of the session counts where the medium has none', () => {
    expect(answered(sdp('a=inactive', 'm=audio 5000 RTP/AVP 0')).negotiated.direction).toBe('inactive');
    expect(answered(sdp('a=inactive', 'm=audio 5000 RTP/AVP 0', 'a=sendrecv')).negotiated.direction).toBe('sendrecv');
  });

  test('the hold of RFC 2543: nothing is sent to 0.0.0.0', () => {
    const offer = sdp('m=audio 5000 RTP/AVP 0', 'c=IN IP4 0.0.0.0');
    expect(answered(offer).negotiated).toMatchObject({ direction: 'recvonly', onHold: true });
    expect(answered(sdp('m=audio 5000 RTP/AVP 0', 'c=IN IP4 0.0.0.0', 'a=inactive')).negotiated.direction).toBe(
      'inactive',
    );
  });

  test('in an answer to ours', () => {
    const offer = makeOffer(PLAIN, US, 'sendrecv');
    const held = accepted(offer, sdp('m=audio 5000 RTP/AVP 0', 'a=sendonly'));
    expect(held).toMatchObject({ direction: 'recvonly', onHold: true });
    const quiet = accepted(makeOffer(PLAIN, US, 'sendonly'), sdp('m=audio 5000 RTP/AVP 0', 'a=recvonly'));
    expect(quiet).toMatchObject({ direction: 'sendonly', onHold: false });
    // A peer that forgets to mirror cannot make us send more than we offered.
    const careless = accepted(makeOffer(PLAIN, US, 'recvonly'), sdp('m=audio 5000 RTP/AVP 0'));
    expect(careless.direction).toBe('recvonly');
  });
});

describe('packet time', () => {
  const asking = (...attributes: string[]) => sdp('m=audio 5000 RTP/AVP 0', ...attributes.map(a => `a=${a}`));
  const cases: [string[], number][] = [
    [[], 20],
    [['ptime:30'], 30],
    [['ptime:55'], 50],
    [['ptime:40'], 40],
    [['ptime:10'], 10],
    [['ptime:5'], 10],
    [['ptime:200'], 60],
    [['maxptime:10'], 10],
    [['ptime:60', 'maxptime:40'], 40],
  ];
  test.each(cases)('asked %j, sent %i ms', (attributes, ptimeMs) => {
    expect(answered(asking(...attributes), PLAIN).negotiated.codec.ptimeMs).toBe(ptimeMs);
  });

  test('is one that Opus can have', () => {
    const offer = sdp('m=audio 5000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', 'a=ptime:30');
    expect(answered(offer).negotiated.codec.ptimeMs).toBe(20);
  });

  test('ours is asked for, whatever theirs is', () => {
    expect(answered(asking('ptime:40'), PLAIN).answer.media[0]!.ptime).toBe(20);
  });
});

describe('silence', () => {
  const SPARING: Capabilities = { ...ALL, comfortNoise: true, silenceSuppression: true };
  const silence = (capabilities: Capabilities, ...lines: string[]) =>
    answered(sdp(...lines), capabilities).negotiated.codec.silence ?? false;

  test('is spared where both have comfort noise', () => {
    expect(silence(SPARING, 'm=audio 5000 RTP/AVP 8 13')).toBe(true);
    expect(silence(SPARING, 'm=audio 5000 RTP/AVP 8')).toBe(false);
    expect(silence({ ...SPARING, comfortNoise: false }, 'm=audio 5000 RTP/AVP 8 13')).toBe(false);
    expect(silence({ ...SPARING, silenceSuppression: false }, 'm=audio 5000 RTP/AVP 8 13')).toBe(false);
    const offer = makeOffer(SPARING, US, 'sendrecv');
    const of = (line: string) => acceptAnswer(offer, sdp(line), SPARING);
    expect(of('m=audio 5000 RTP/AVP 0 13')).toMatchObject({ codec: { name: 'PCMU', silence: true } });
    expect(of('m=audio 5000 RTP/AVP 0')).not.toHaveProperty('codec.silence');
  });

  test.each([
    ['', true],
    ['a=fmtp:96 usedtx=1', true],
    ['a=fmtp:96 usedtx=0', false],
  ])('is spared by Opus itself, unless the peer says no: %j', (line, spared) => {
    const lines = ['m=audio 5000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', ...(line === '' ? [] : [line])];
    expect(silence(SPARING, ...lines)).toBe(spared);
  });
});

test.each([
  ['maxaveragebitrate=12000', 12_000],
  ['maxaveragebitrate=5', undefined],
  ['maxaveragebitrate=many', undefined],
  ['useinbandfec=1', undefined],
])('Opus with %s', (parameters, maxBitrate) => {
  const offer = sdp('m=audio 5000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', `a=fmtp:96 ${parameters}`);
  expect(answered(offer).negotiated.codec.maxBitrate).toBe(maxBitrate);
});

describe('their answer', () => {
  const offer = makeOffer(ALL, US, 'sendrecv');

  test('of one codec', () => {
    const answer = sdp('m=audio 5000 RTP/AVP 8 101', 'a=rtpmap:101 telephone-event/8000', 'a=ptime:20');
    expect(accepted(offer, answer)).toEqual({
      direction: 'sendrecv',
      remote: { host: '192.0.2.2', rtpPort: 5000, rtcpPort: 5001 },
      codec: { name: 'PCMA', payloadType: 8, ptimeMs: 20 },
      telephoneEvent: 101,
      onHold: false,
    });
  });

  test('of several: the first is sent, the others may come (§5.1, §10.2)', () => {
    const answer = sdp('m=audio 5000 RTP/AVP 0 96 8', 'a=rtpmap:96 opus/48000/2', 'a=fmtp:96 useinbandfec=1');
    expect(accepted(offer, answer)).toMatchObject({
      codec: { name: 'PCMU', payloadType: 0 },
      alsoReceives: [
        { name: 'opus', payloadType: 96, fec: true },
        { name: 'PCMA', payloadType: 8 },
      ],
    });
  });

  test('with numbers of its own: it is sent those, and sends ours (§6.1)', () => {
    const answer = sdp(
      'm=audio 5000 RTP/AVP 111 8 110',
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:110 telephone-event/48000',
    );
    expect(accepted(offer, answer)).toMatchObject({
      codec: { name: 'opus', payloadType: 111, heardAs: 96 },
      alsoReceives: [{ name: 'PCMA', payloadType: 8 }],
      telephoneEvent: 110,
      keysHeardAs: 97,
    });
    const same = sdp('m=audio 5000 RTP/AVP 96 101', 'a=rtpmap:96 opus/48000/2', 'a=rtpmap:101 telephone-event/8000');
    expect(accepted(offer, same)).not.toHaveProperty('keysHeardAs');
    expect(accepted(offer, same)).not.toHaveProperty('codec.heardAs');
  });

  test('without events means none', () => {
    expect(accepted(offer, sdp('m=audio 5000 RTP/AVP 0'))).not.toHaveProperty('telephoneEvent');
  });

  test('codecs that were not offered are passed over', () => {
    const plain = makeOffer(PLAIN, US, 'sendrecv');
    const answer = sdp('m=audio 5000 RTP/AVP 96 9 8', 'a=rtpmap:96 opus/48000/2');
    expect(accepted(plain, answer)).toMatchObject({ codec: { name: 'PCMA' } });
    expect(accepted(plain, answer)).not.toHaveProperty('alsoReceives');
  });

  const refusals: [string, SessionDescription, RegExp][] = [
    ['no media', sdp(), /no audio/],
    ['audio refused', sdp('m=audio 0 RTP/AVP 0'), /refused/],
    ['video in its place', sdp('m=video 5000 RTP/AVP 31'), /no audio/],
    ['no codec of ours', sdp('m=audio 5000 RTP/AVP 18'), /none of the codecs/],
    ['another protocol', sdp('m=audio 5000 UDP/TLS/RTP/SAVPF 0'), /not supported/],
    ['encryption that nobody asked for', sdp('m=audio 5000 RTP/SAVP 0'), /RTP\/SAVP without a key/],
    ['no address', parsed('v=0\r\nm=audio 5000 RTP/AVP 0'), /no connection address/],
  ];
  test.each(refusals)('%s: refused', (_, answer, why) => {
    expect(acceptAnswer(offer, answer)).toEqual({ refused: expect.stringMatching(why) });
  });
});

test('two of us always agree, and see the same call from both ends', () => {
  const orders: Capabilities['codecs'][] = [['opus'], ['PCMA'], ['PCMU', 'opus'], ['PCMA', 'PCMU', 'opus']];
  for (const offering of orders) {
    for (const answering of orders) {
      const offer = parsed(printSdp(makeOffer({ ...ALL, codecs: offering }, THEM, 'sendrecv')));
      const result = makeAnswer(offer, { ...ALL, codecs: answering }, US, 'sendrecv');
      const common = answering.find(name => offering.includes(name));
      if (common === undefined) {
        expect(result).toHaveProperty('refused');
        continue;
      }
      if ('refused' in result) throw new Error(result.refused);
      const theirs = accepted(offer, parsed(printSdp(result.answer)));
      expect(theirs.codec).toEqual(result.negotiated.codec);
      expect(theirs.codec.name).toBe(common);
      expect(theirs.telephoneEvent).toBe(result.negotiated.telephoneEvent);
      expect(theirs.telephoneEvent).toBe(common === 'opus' ? 97 : 101);
    }
  }
});
