/** What inputs are made from: the torture messages, what two phones really say, and values of each kind. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LossyNetwork, presets } from '../../sim/lossy-network.ts';
import { seeded } from '../../sim/seeded.ts';
import { Phone, sdp } from '../../sim/sip-phone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const torture = join(import.meta.dirname, '../../fixtures/torture');

/** RFC 4475 and RFC 5118. */
export const tortureMessages: readonly Buffer[] = ['rfc4475', 'rfc5118'].flatMap(folder =>
  readdirSync(join(torture, folder)).map(file => readFileSync(join(torture, folder, file))),
);

/** A call from one phone to another and back, with what belongs to it. */
function conversation(): Buffer[] {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const one = new Phone(clock, network, { address: { host: '192.0.2.1', port: 5060 }, seed: 1 });
  const other = new Phone(clock, network, { address: { host: '192.0.2.2', port: 5060 }, seed: 2 });
  const said: Buffer[] = [];
  network.tap = bytes => void said.push(Buffer.from(bytes));
  one.dial('sip:user@192.0.2.2', { body: sdp(descriptions[0]!) });
  clock.advance(100);
  other.call?.accept(sdp(descriptions[0]!));
  clock.advance(100);
  one.call?.sendKey('5', 100);
  clock.advance(100);
  other.call?.reoffer(sdp(descriptions[1]!));
  clock.advance(100);
  one.call?.transfer('sip:carol@192.0.2.9');
  clock.advance(100);
  other.call?.hangUp();
  clock.advance(100);
  for (const phone of [one, other]) phone.userAgent.stop(1_000, () => {});
  clock.advance(40_000);
  return said;
}

export const descriptions: readonly string[] = [
  'v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96 8 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n',
  'v=0\r\no=- 3855 3 IN IP6 2001:db8::10\r\ns=Asterisk\r\nc=IN IP6 2001:db8::10\r\nt=0 0\r\na=sendonly\r\nm=video 6000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\nm=audio 14822 RTP/AVP 8 107 101\r\na=rtpmap:107 opus/48000/2\r\na=fmtp:107 useinbandfec=1; maxaveragebitrate=24000\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:14900 IN IP6 2001:db8::10\r\na=ptime:20\r\n',
  'v=0\no=a 0 0 IN IP4 0.0.0.0\ns= \nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 0 RTP/AVP 0\nm=audio 9/2 RTP/SAVP 0 18\na=inactive\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\n',
];

export const messages: readonly Buffer[] = [...tortureMessages, ...conversation()];

export const uris = [
  'sip:user:secret@example.org:5070;transport=tcp;lr;maddr=239.255.255.1?Subject=x&Priority=urgent',
  'sips:%61lice@[2001:db8::10]:5061',
  'sip:192.0.2.1',
  'tel:+1-201-555-0123;phone-context=example.org',
  '"Mr \\"X\\" Watson" <sip:w@bell.example.org;method=INVITE>;tag=1928;q=0.7',
  'Watson <sip:w@bell.example.org?Replaces=a%40b%3Bto-tag%3Dc>',
  'SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK87asdks7;rport=5060;received=192.0.2.207',
  'SIP / 2.0 / TLS [2001:db8::9]:5061 ; branch = z9hG4bKx ; alias',
  '4711 INVITE',
].map(text => Buffer.from(text));

export const digests = [
  'Digest realm="example.org", qop="auth,auth-int", nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5',
  'Digest realm="http-auth@example.org", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", qop=auth, charset=UTF-8',
  'Digest algorithm=SHA-512-256-sess, realm="a", nonce="b", qop="auth-int"',
  'Digest username="bob", realm="example.org", nonce="dcd98b", uri="sip:bob@example.org", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc"',
  'Digest username="bob", realm="example.org", nonce="dcd98b", uri="sip:x", response="6629fae49393a05397450978507c4ef1"',
  'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
].map(text => Buffer.from(text));
