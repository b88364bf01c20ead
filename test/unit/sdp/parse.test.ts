/** Reading and printing SDP: RFC 4566 §5, RFC 3605, and what real peers write. */
import { describe, expect, test } from 'vitest';
import { MAX_FORMATS, MAX_MEDIA, MAX_SDP_BYTES, MAX_SDP_LINES, parseSdp } from '../../../firmware/sdp/parse.ts';
import { parseParameters, rtpMapOf } from '../../../firmware/sdp/payloads.ts';
import { printSdp } from '../../../firmware/sdp/print.ts';
import type { SessionDescription } from '../../../firmware/sdp/types.ts';

const lines = (...text: string[]) => `${text.join('\r\n')}\r\n`;

function parsed(text: string | Uint8Array): SessionDescription {
  const session = parseSdp(text);
  if ('malformed' in session) throw new Error(session.malformed);
  return session;
}

/** The example of RFC 4566 §5. */
const RFC_4566 = lines(
  'v=0',
  'o=jdoe 2890844526 2890842807 IN IP4 10.47.16.5',
  's=SDP Seminar',
  'i=A Seminar on the session description protocol',
  'u=http://www.example.com/seminars/sdp.pdf',
  'e=j.doe@example.com (Jane Doe)',
  'c=IN IP4 224.2.17.12/127',
  't=2873397496 2873404696',
  'a=recvonly',
  'm=audio 49170 RTP/AVP 0',
  'm=video 51372 RTP/AVP 99',
  'a=rtpmap:99 h263-1998/90000',
);

/** As Asterisk answers. */
const ASTERISK = lines(
  'v=0',
  'o=- 3855 3 IN IP4 192.0.2.10',
  's=Asterisk',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 14822 RTP/AVP 8 0 107 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:107 opus/48000/2',
  'a=fmtp:107 useinbandfec=1; maxaveragebitrate=24000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=maxptime:150',
  'a=rtcp:14900 IN IP4 192.0.2.10',
  'a=rtcp-mux',
  'a=sendrecv',
  'a=ssrc:1234 cname:abc',
);

test('reads the example of RFC 4566', () => {
  expect(parsed(RFC_4566)).toMatchObject({
    origin: { username: 'jdoe', sessionId: '2890844526', version: '2890842807', host: '10.47.16.5' },
    name: 'SDP Seminar',
    host: '224.2.17.12',
    direction: 'recvonly',
    media: [
      { type: 'audio', port: 49170, protocol: 'RTP/AVP', formats: ['0'] },
      {
        type: 'video',
        port: 51372,
        formats: ['99'],
        rtpMaps: new Map([[99, { name: 'h263-1998', clockRate: 90000, channels: 1 }]]),
      },
    ],
  });
});

test('reads all that a call needs', () => {
  const [audio] = parsed(ASTERISK).media;
  expect(audio).toEqual({
    type: 'audio',
    port: 14822,
    protocol: 'RTP/AVP',
    formats: ['8', '0', '107', '101'],
    rtpMaps: new Map([
      [8, { name: 'PCMA', clockRate: 8000, channels: 1 }],
      [0, { name: 'PCMU', clockRate: 8000, channels: 1 }],
      [107, { name: 'opus', clockRate: 48000, channels: 2 }],
      [101, { name: 'telephone-event', clockRate: 8000, channels: 1 }],
    ]),
    formatParameters: new Map([
      [107, 'useinbandfec=1; maxaveragebitrate=24000'],
      [101, '0-16'],
    ]),
    ptime: 20,
    maxptime: 150,
    rtcpPort: 14900,
    rtcpMux: true,
    direction: 'sendrecv',
    attributes: [['ssrc', '1234 cname:abc']],
  });
});

test('a connection address belongs to the m-line above it', () => {
  const text = lines('v=0', 'c=IN IP4 192.0.2.1', 'm=audio 1 RTP/AVP 0', 'm=audio 2 RTP/AVP 0', 'c=IN IP4 192.0.2.2');
  const { host, media } = parsed(text);
  expect([host, ...media.map(medium => medium.host)]).toEqual(['192.0.2.1', undefined, '192.0.2.2']);
});

test('what is printed is read back, and printed the same', () => {
  for (const text of [RFC_4566, ASTERISK]) {
    const session = parsed(text);
    expect(parsed(printSdp(session))).toEqual(session);
    expect(printSdp(parsed(printSdp(session)))).toBe(printSdp(session));
  }
});

test('prints in the order of RFC 4566 §5', () => {
  expect(
    printSdp({
      origin: { username: '-', sessionId: '1', version: '2', host: '2001:db8::1' },
      name: '',
      host: '2001:db8::1',
      attributes: [['tool', 'porter']],
      media: [
        {
          type: 'audio',
          port: 4000,
          protocol: 'RTP/AVP',
          formats: ['96'],
          host: '192.0.2.1',
          rtpMaps: new Map([[96, { name: 'opus', clockRate: 48000, channels: 2 }]]),
          formatParameters: new Map([[96, 'useinbandfec=1']]),
          ptime: 20,
          direction: 'sendonly',
          attributes: [['lonely']],
        },
      ],
    }),
  ).toBe(
    lines(
      'v=0',
      'o=- 1 2 IN IP6 2001:db8::1',
      's=-',
      'c=IN IP6 2001:db8::1',
      't=0 0',
      'a=tool:porter',
      'm=audio 4000 RTP/AVP 96',
      'c=IN IP4 192.0.2.1',
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 useinbandfec=1',
      'a=ptime:20',
      'a=sendonly',
      'a=lonely',
    ),
  );
});

describe('tolerates', () => {
  const short = ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 'c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 0'];
  const cases: [string, string][] = [
    ['neither s= nor t=', lines(...short)],
    ['bare LF', short.join('\n')],
    ['bare CR', short.join('\r')],
    ['no line end at the end', short.join('\r\n')],
    ['blank lines and blanks at the ends', short.map(line => `${line} \r\n\r\n`).join('')],
    ['no o=', lines('v=0', 'c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 0')],
    ['lines of a kind it does not know', lines(...short, 'b=AS:64', 'k=clear:x', 'x=?')],
    ['several blanks between fields', lines('v=0', 'c=IN  IP4   192.0.2.1', 'm=audio  4000 RTP/AVP  0')],
  ];
  test.each(cases)('%s', (_, text) => {
    const session = parsed(text);
    expect(session.host).toBe('192.0.2.1');
    expect(session.media).toMatchObject([{ type: 'audio', port: 4000, formats: ['0'] }]);
  });

  test('bytes as well as text, and bytes that are no UTF-8', () => {
    expect(parsed(new TextEncoder().encode(ASTERISK))).toEqual(parsed(ASTERISK));
    const bytes = new TextEncoder().encode(ASTERISK.replace('s=Asterisk', 's=?'));
    bytes[bytes.indexOf('?'.charCodeAt(0))] = 0xff;
    expect(parsed(bytes).media).toHaveLength(1);
  });

  test('attributes whose value is of no use: kept, and without effect', () => {
    const odd = ['ptime:0', 'ptime:x', 'ptime:5000', 'rtcp:0', 'rtcp:70000', 'rtcp:x', 'fmtp:x', 'fmtp:200 x', 'fmtp'];
    const [audio] = parsed(lines('v=0', 'm=audio 4000 RTP/AVP 0', ...odd.map(text => `a=${text}`))).media;
    expect(audio!.attributes).toHaveLength(odd.length);
    expect(audio).not.toHaveProperty('ptime');
    expect(audio).not.toHaveProperty('rtcpPort');
    expect(audio!.formatParameters.size).toBe(0);
  });

  test('m-lines that are no RTP, with formats that are no numbers', () => {
    const [image] = parsed(lines('v=0', 'm=image 5000 udptl t38')).media;
    expect(image).toMatchObject({ type: 'image', protocol: 'udptl', formats: ['t38'] });
  });
});

describe('is malformed', () => {
  const cases: [string, string][] = [
    ['nothing at all', ''],
    ['text that is no SDP', 'hello'],
    ['no v=', lines('m=audio 4000 RTP/AVP 0')],
    ['version 1', lines('v=1')],
    ['a line without =', lines('v=0', 'nonsense')],
    ['an upper-case line', lines('v=0', 'M=audio 4000 RTP/AVP 0')],
    ['o= cut short', lines('v=0', 'o=- 1 1 IN IP4')],
    ['c= without address', lines('v=0', 'c=IN IP4')],
    ['c= of another network', lines('v=0', 'c=ATM NSAP 47.0091')],
    ['c= of another address type', lines('v=0', 'c=IN IP5 1')],
    ['m= without formats', lines('v=0', 'm=audio 4000 RTP/AVP')],
    ['m= without anything', lines('v=0', 'm=')],
    ['a port that is no number', lines('v=0', 'm=audio x RTP/AVP 0')],
    ['a port below nothing', lines('v=0', 'm=audio -1 RTP/AVP 0')],
    ['a port beyond 65535', lines('v=0', 'm=audio 65536 RTP/AVP 0')],
    ['a payload type beyond 127', lines('v=0', 'm=audio 4000 RTP/AVP 128')],
    ['a payload type that is no number', lines('v=0', 'm=audio 4000 RTP/AVP PCMU')],
    ['rtpmap without clock rate', lines('v=0', 'm=audio 4000 RTP/AVP 96', 'a=rtpmap:96 opus')],
    ['rtpmap beyond any clock rate', lines('v=0', 'm=audio 4000 RTP/AVP 96', `a=rtpmap:96 opus/${'9'.repeat(40)}`)],
    ['rtpmap of no payload type', lines('v=0', 'm=audio 4000 RTP/AVP 96', 'a=rtpmap:x opus/48000')],
    ['too many bytes', lines('v=0', `s=${'x'.repeat(MAX_SDP_BYTES)}`)],
    ['too many lines', 'a=x\n'.repeat(MAX_SDP_LINES)],
    ['too many media', lines('v=0', ...new Array<string>(MAX_MEDIA + 1).fill('m=audio 4000 RTP/AVP 0'))],
    ['too many formats', lines('v=0', `m=audio 4000 RTP/AVP ${'0 '.repeat(MAX_FORMATS + 1)}`)],
  ];
  test.each(cases)('%s', (_, text) => {
    expect(parseSdp(text)).toEqual({ malformed: expect.stringMatching(/./) });
  });

  test('and says why without repeating all of it', () => {
    const session = parseSdp(lines('v=0', `m=${'x'.repeat(9_000)}`));
    expect(session).toMatchObject({ malformed: expect.stringMatching(/^m="x+…"$/) });
    expect('malformed' in session && session.malformed.length).toBeLessThan(60);
  });
});

test('static payload types need no rtpmap (RFC 3551 §6), and an rtpmap overrules them', () => {
  const [audio] = parsed(lines('v=0', 'm=audio 4000 RTP/AVP 0 8 9 13 3 35', 'a=rtpmap:3 PCMA/8000')).media;
  expect([0, 8, 9, 13, 3, 35].map(type => rtpMapOf(audio!, type)?.name)).toEqual([
    'PCMU',
    'PCMA',
    'G722',
    'CN',
    'PCMA',
    undefined,
  ]);
  // RFC 3551 §4.5.2: an old error that nobody may mend.
  expect(rtpMapOf(audio!, 9)?.clockRate).toBe(8000);
});

test('format parameters, with every way of writing blanks', () => {
  expect(parseParameters('useinbandfec=1;stereo=0 ; MaxPtime = 40;cbr')).toEqual(
    new Map([
      ['useinbandfec', '1'],
      ['stereo', '0'],
      ['maxptime', '40'],
      ['cbr', ''],
    ]),
  );
  expect(parseParameters(undefined)).toEqual(new Map());
});
