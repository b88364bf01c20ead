/** What a packet costs in processor time: SRTP and each codec, beside the library in C that does the same. */
import koffi from 'koffi';
import type { Decoder, Encoder } from '../../firmware/audio/codecs/codec.ts';
import { g711Decoder, g711Encoder } from '../../firmware/audio/codecs/g711.ts';
import { g722Decoder, g722Encoder } from '../../firmware/audio/codecs/g722.ts';
import { loadLibopus } from '../../firmware/audio/codecs/libopus.ts';
import { loadOpusWasm } from '../../firmware/audio/codecs/opus-wasm.ts';
import { SrtpReceiver, SrtpSender } from '../../firmware/rtp/srtp/srtp.ts';
import { type SuiteName, suites } from '../../firmware/rtp/srtp/suite.ts';
import type { Benchmark } from './benchmark.ts';
import { loadLibsrtp } from './libsrtp.ts';
import { type Peer, type Sheet, Unavailable } from './sheet.ts';
import { speech } from './speech.ts';
import { speeds } from './speed.ts';

const PACKET_MS = 20;
const OPUS = { bitrate: 24_000, complexity: 5, fec: true, expectedLoss: 10 };
const LONGEST_SAMPLES = 5_760;
/** A packet of G.711: header and payload. Bytes. */
const PLAIN_BYTES = 172;
const TRAILER_BYTES = 32;
const SUITES = {
  AES_CM_128_HMAC_SHA1_80: 'rtp_default',
  AES_256_CM_HMAC_SHA1_80: 'aes_cm_256_hmac_sha1_80',
  AEAD_AES_128_GCM: 'aes_gcm_128_16_auth',
  AEAD_AES_256_GCM: 'aes_gcm_256_16_auth',
} as const satisfies Partial<Record<SuiteName, string>>;

type Work = () => number;

export const audioCost: Benchmark = {
  name: 'audio-cost',
  title: 'µs per packet of SRTP and of each codec, beside C',
  how:
    'The same work in a loop on one thread, ours and theirs in turn within each of 7 rounds, by processor time; packets of 20 ms of speech, ' +
    `SRTP packets of ${PLAIN_BYTES} bytes, new sequence numbers, roll-overs included. The libraries in C are called through ` +
    'koffi, whose way there and back (about half a microsecond a call) is in their figures, as it would be for a device ' +
    'that used them. Our Opus is libopus itself where it is installed, so WebAssembly, its stand-in, is set beside it. ' +
    'Opus at 16 kHz, 24 kbit/s, complexity 5, in-band FEC.',
  async run(sheet, _bench, { seconds }) {
    await protection(sheet, seconds);
    await telephony(sheet, seconds);
    await opus(sheet, seconds);
  },
};

/** Microseconds for each call; the first is ours. */
async function compare(sheet: Sheet, name: string, lanes: readonly (readonly [string, Work])[], seconds: number) {
  const rates = await speeds(
    lanes.map(([, work]) => work),
    seconds,
  );
  const [ours, ...others] = rates.map(values => values.map(rate => 1e6 / rate));
  const peers: Peer[] = others.map((values, at) => ({ name: lanes[at + 1]![0], values }));
  sheet.add(name, 'µs', ours!, { peers });
}

async function protection(sheet: Sheet, seconds: number) {
  const theirs = loadLibsrtp();
  for (const [suite, policy] of Object.entries(SUITES) as [keyof typeof SUITES, string][]) {
    const { keyBytes, saltBytes } = suites[suite];
    const key = Buffer.alloc(keyBytes, 7);
    const salt = Buffer.alloc(saltBytes, 9);
    const secret = Buffer.concat([key, salt]);
    const sender = new SrtpSender({ suite, key, salt });
    const receiver = new SrtpReceiver({ suite, key, salt });
    const both = (
      protect: (packet: Uint8Array, length: number) => number,
      open: (packet: Uint8Array) => number,
    ): Work => {
      const packet = Buffer.alloc(PLAIN_BYTES + TRAILER_BYTES);
      packet[0] = 0x80;
      let sequence = 0;
      return () => {
        sequence = (sequence + 1) & 0xffff;
        packet.writeUInt16BE(sequence, 2);
        return open(packet.subarray(0, protect(packet, PLAIN_BYTES)));
      };
    };
    const ours = both(
      (packet, length) => sender.protect(packet, length),
      packet => {
        const opened = receiver.open(packet);
        if (typeof opened === 'string') throw new Error(`our own packet is ${opened}`);
        return opened.length;
      },
    );
    const name = `SRTP ${suite}, out and in`;
    if (theirs === undefined) await compare(sheet, name, [['ours', ours]], seconds);
    else {
      const open = theirs.receiver(policy, secret);
      const other = both(theirs.sender(policy, secret), packet => open(packet, packet.length));
      await compare(
        sheet,
        name,
        [
          ['ours', ours],
          ['libsrtp2', other],
        ],
        seconds,
      );
    }
  }
}

/** Speech in packets of one rate. */
function packetsAt(rate: 8_000 | 16_000): Int16Array[] {
  const samples = rate === 16_000 ? speech() : speech().filter((_, index) => index % 2 === 0);
  const size = (rate * PACKET_MS) / 1000;
  const count = Math.floor(samples.length / size);
  return Array.from({ length: count }, (_, at) => samples.slice(at * size, (at + 1) * size));
}

/** Each packet in turn, round and round. */
function inTurn<Packet>(packets: readonly Packet[], work: (packet: Packet) => number): Work {
  let next = 0;
  return () => work(packets[next++ % packets.length]!);
}

const encoding = (encoder: Encoder, packets: readonly Int16Array[]): Work => {
  const into = new Uint8Array(1_440);
  return inTurn(packets, packet => encoder.encode(packet, into));
};

const decoding = (decoder: Decoder, payloads: readonly Uint8Array[]): Work => {
  const into = new Int16Array(LONGEST_SAMPLES);
  return inTurn(payloads, payload => decoder.decode(payload, into) + into[7]!);
};

const encodedBy = (encoder: Encoder, packets: readonly Int16Array[]): Uint8Array[] => {
  const into = new Uint8Array(1_440);
  return packets.map(packet => into.slice(0, encoder.encode(packet, into)));
};

/** G.711 and G.722 beside libspandsp. */
async function telephony(sheet: Sheet, seconds: number) {
  const library = spandsp();
  for (const name of ['PCMA', 'G722'] as const) {
    const packets = packetsAt(name === 'PCMA' ? 8_000 : 16_000);
    const make = () => (name === 'PCMA' ? g711Encoder(name) : g722Encoder());
    const payloads = encodedBy(make(), packets);
    const decoder = name === 'PCMA' ? g711Decoder(name) : g722Decoder();
    const lane = (work: Work | undefined) => (work === undefined ? [] : [['libspandsp', work] as const]);
    const into = new Uint8Array(1_440);
    const sound = new Int16Array(LONGEST_SAMPLES);
    const their = library?.(name);
    const encode = their && inTurn(packets, packet => their.encode(packet, into));
    const decode = their && inTurn(payloads, payload => their.decode(payload, sound) + sound[7]!);
    await compare(sheet, `${name} encoded`, [['ours', encoding(make(), packets)], ...lane(encode)], seconds);
    await compare(sheet, `${name} decoded`, [['ours', decoding(decoder, payloads)], ...lane(decode)], seconds);
  }
}

/** g711.h and g722.h of spandsp 0.0.6. Undefined where it is not installed. */
function spandsp() {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load('libspandsp.so.2');
  } catch {
    return undefined;
  }
  return (name: 'PCMA' | 'G722') => {
    const codec = name === 'PCMA' ? 'g711' : 'g722';
    // The rate of G.722, or the law of G.711: 0 is A-law.
    const init = name === 'PCMA' ? 'void *g711_init(void *, int)' : 'void *g722_encode_init(void *, int, int)';
    const args = name === 'PCMA' ? [null, 0] : [null, 64_000, 0];
    const make = library.func(init);
    const encoder: unknown = make(...args);
    const decoder: unknown =
      name === 'PCMA' ? make(...args) : library.func('void *g722_decode_init(void *, int, int)')(...args);
    const encode = library.func(`int ${codec}_encode(void *, void *, const void *, int)`);
    const decode = library.func(`int ${codec}_decode(void *, void *, const void *, int)`);
    return {
      encode: (samples: Int16Array, into: Uint8Array): number => encode(encoder, into, samples, samples.length),
      decode: (payload: Uint8Array, into: Int16Array): number => decode(decoder, into, payload, payload.length),
    };
  };
}

async function opus(sheet: Sheet, seconds: number) {
  const native = loadLibopus(16_000);
  const wasm = await loadOpusWasm(16_000);
  if (native === undefined || wasm === undefined) {
    return sheet.unavailable('Opus', new Unavailable('libopus or libopus-wasm is not on this machine').message);
  }
  const packets = packetsAt(16_000);
  const payloads = encodedBy(native.encoder(OPUS), packets);
  const encoded = [
    ['wasm', encoding(wasm.encoder(OPUS), packets)],
    ['libopus', encoding(native.encoder(OPUS), packets)],
  ] as const;
  await compare(sheet, 'Opus by WebAssembly, encoded', encoded, seconds);
  const decoded = [
    ['wasm', decoding(wasm.decoder(), payloads)],
    ['libopus', decoding(native.decoder(), payloads)],
  ] as const;
  await compare(sheet, 'Opus by WebAssembly, decoded', decoded, seconds);
}
