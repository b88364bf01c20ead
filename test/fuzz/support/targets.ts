/** What is fuzzed: where the inputs of each kind come from, and what must hold of every one. */
import type { Random } from '../../../firmware/lib/random.ts';
import { answerChallenge } from '../../../firmware/sip/digest/client.ts';
import { parseDigest } from '../../../firmware/sip/digest/parameters.ts';
import { DigestServer } from '../../../firmware/sip/digest/server.ts';
import { bindingRefusal, bindingRequest, bindingSuccess, isStun, parseStun } from '../../../firmware/sip/flow/stun.ts';
import { parseCSeq } from '../../../firmware/sip/message/cseq.ts';
import { parseNameAddress, printNameAddress } from '../../../firmware/sip/message/name-addr.ts';
import { parseVia, printVia } from '../../../firmware/sip/message/via.ts';
import { type Frame, FrameReader } from '../../../firmware/sip/transport/framing.ts';
import { seeded } from '../../sim/seeded.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { checkMessage, checkStable, checkUri } from './check-message.ts';
import { checkSdp } from './check-sdp.ts';
import { descriptions, digests, messages, uris } from './corpus.ts';
import { rtcp, rtp, srtcp, srtp } from './media.ts';
import { below, mutated, pick } from './mutate.ts';
import { pages } from './pages.ts';
import { oggOpus, wav } from './sound-files.ts';
import { userAgent } from './user-agent.ts';

export interface Target {
  name: string;
  /** Of all inputs, in parts. */
  share: number;
  /** Whether the same input does the same work again: what is slow once may only have been interrupted. */
  repeatable: boolean;
  input(random: Random): Buffer;
  /** Throws where something is wrong. In a word how it ended: inputs are of use only while they reach every end. */
  feed(bytes: Buffer, random: Random): string;
  /** Nothing must be left. */
  finish?(): void;
}

const message: Target = {
  name: 'messages',
  share: 5,
  repeatable: true,
  input: random => mutated(random, messages),
  feed: bytes => checkMessage(bytes),
};

const show = (frame: Frame) =>
  frame.is === 'message' ? Buffer.from(frame.bytes).toString('latin1') : frame.is === 'fault' ? frame.why : frame.is;

/** Three messages one behind the other, of which some are spoiled, and pings between them. */
function stream(random: Random): Buffer {
  const parts = [0, 1, 2].map(() => (random.next() < 0.5 ? pick(random, messages) : mutated(random, messages)));
  return Buffer.concat(parts.flatMap(part => (random.next() < 0.2 ? [Buffer.from('\r\n\r\n'), part] : [part])));
}

const streams: Target = {
  name: 'streams',
  share: 3,
  repeatable: true,
  input: stream,
  feed(bytes, random) {
    const whole = new FrameReader().push(bytes);
    const reader = new FrameReader();
    let count = 0;
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + below(random, random.next() < 0.1 ? 3 : 2_000);
      for (const frame of reader.push(Buffer.from(bytes.subarray(at, at + size)))) {
        if (whole[count] === undefined || show(frame) !== show(whole[count]!))
          throw new Error(`frame ${count} differs`);
        count++;
      }
      at += size;
    }
    if (count !== whole.length) throw new Error(`${whole.length} frames whole, ${count} in pieces`);
    return whole.at(-1)?.is ?? 'nothing';
  },
};

const values: Target = {
  name: 'values',
  share: 8,
  repeatable: true,
  input: random => mutated(random, uris),
  feed(bytes) {
    const text = bytes.toString('utf8');
    checkUri(text);
    checkStable(text, parseVia, printVia);
    checkStable(text, parseNameAddress, printNameAddress);
    const number = parseCSeq(text);
    return 'kind' in parseNameAddress(text) ? ('kind' in number ? 'malformed' : 'CSeq') : 'address';
  },
};

const descriptionBytes = descriptions.map(text => Buffer.from(text));

const sdp: Target = {
  name: 'sdp',
  share: 3,
  repeatable: true,
  input: random => mutated(random, descriptionBytes),
  feed: bytes => checkSdp(bytes),
};

const password = { password: 'zanzibar' };
const newServer = () =>
  new DigestServer(
    {
      realm: 'example.org',
      algorithms: ['SHA-256', 'MD5'],
      nonceLifetimeMs: 60_000,
      secretOf: name => (name === 'bob' ? password : undefined),
    },
    new VirtualClock(),
    seeded(3),
  );

/** Inputs to one server: its table of nonces fills, and who watches memory would see that. */
const serverInputs = 2_000;
let server = newServer();
let served = 0;

const digest: Target = {
  name: 'digest',
  share: 2,
  repeatable: true,
  /** Now and then one that is right, or was before somebody touched it. */
  input(random) {
    if (++served % serverInputs === 0) server = newServer();
    if (random.next() < 0.5) return mutated(random, digests);
    const challenges = server.challenges();
    const answer = answerChallenge({
      challenges,
      method: 'INVITE',
      uri: 'sip:bob@example.org',
      username: 'bob',
      password: random.next() < 0.8 ? password.password : 'guess',
      cnonce: random.token(4),
      nonceCount: 1 + below(random, 3),
    });
    return random.next() < 0.5 ? Buffer.from(answer!.header) : mutated(random, [Buffer.from(answer!.header)]);
  },
  feed(bytes) {
    const value = bytes.toString('utf8');
    parseDigest(value);
    const answer = answerChallenge({
      challenges: [value],
      method: 'REGISTER',
      uri: 'sip:example.org',
      username: 'bob',
      password: password.password,
      cnonce: '0a4f113b',
      nonceCount: 1,
      body: bytes,
    });
    if (answer !== undefined && parseDigest(answer.header) === undefined) throw new Error('our answer is no digest');
    const verdict = server.verify([value], 'INVITE', bytes);
    if (verdict.is === 'ok' && verdict.username !== 'bob') throw new Error(`${verdict.username} was let in`);
    if (verdict.is === 'ok' || verdict.is === 'stale') return verdict.is;
    return answer === undefined ? verdict.is : 'challenge';
  },
};

const id = '0123456789abcdef01234567';
/** A request with one bit more: nobody answers it (RFC 8489 §5). */
const indication = Buffer.from(bindingRequest(id));
indication.writeUInt16BE(0x0011, 0);
const bindings = [
  indication,
  bindingRequest(id),
  bindingSuccess(id, { host: '192.0.2.1', port: 5060 }),
  bindingSuccess(id, { host: '2001:db8::1', port: 5060 }),
  bindingRefusal(id, [1, 2, 3]),
];

const stun: Target = {
  name: 'stun',
  share: 2,
  repeatable: true,
  input(random) {
    const bytes = mutated(random, bindings);
    // Half of them with the length that they have, to come further.
    if (bytes.length >= 20 && random.next() < 0.5) bytes.writeUInt16BE((bytes.length - 20) & 0xffff, 2);
    return bytes;
  },
  feed(bytes) {
    const parsed = parseStun(bytes);
    if (parsed !== undefined && !isStun(bytes)) throw new Error('read, though it is none');
    if (parsed !== undefined && parsed.id.length !== 24) throw new Error('an id of another length');
    return parsed?.is ?? 'none';
  },
};

export const targets: readonly Target[] = [
  message,
  streams,
  values,
  sdp,
  digest,
  stun,
  rtp,
  rtcp,
  srtp,
  srtcp,
  ...pages,
  wav,
  oggOpus,
  userAgent,
];
