/** libsrtp2 through koffi: protects and opens packets in place. The suites that it is asked for are named in srtp.h. */
import koffi from 'koffi';

/** srtp.h: any SSRC that comes in, or goes out. */
const ANY_INBOUND = 2;
const ANY_OUTBOUND = 3;

export interface Libsrtp {
  /** `policy` as in `srtp_crypto_policy_set_…`. Returns what changes the first `length` bytes in place: the new length. */
  sender(policy: string, secret: Buffer): (packet: Uint8Array, length: number) => number;
  receiver(policy: string, secret: Buffer): (packet: Uint8Array, length: number) => number;
}

/** Undefined where it is not installed. */
export function loadLibsrtp(): Libsrtp | undefined {
  let library: ReturnType<typeof koffi.load>;
  try {
    library = koffi.load('libsrtp2.so.1');
  } catch {
    return undefined;
  }
  const part = {
    cipher: 'uint32',
    keyBytes: 'int',
    auth: 'uint32',
    authBytes: 'int',
    tagBytes: 'int',
    services: 'int',
  };
  const Part = koffi.struct(part);
  const Policy = koffi.struct({
    ...{ ssrcType: 'int', ssrc: 'uint32', rtp: Part, rtcp: Part, key: 'uint8_t *', keys: 'void *' },
    ...{ keyCount: 'unsigned long', ekt: 'void *', windowSize: 'unsigned long', allowRepeats: 'int' },
    ...{ headers: 'void *', headerCount: 'int', next: 'void *' },
  });
  const init = library.func('srtp_init', 'int', []);
  const create = library.func('srtp_create', 'int', [koffi.out(koffi.pointer('void *')), koffi.pointer(Policy)]);
  const calls = (name: string) => library.func(name, 'int', ['void *', 'uint8_t *', koffi.inout(koffi.pointer('int'))]);
  const protect = calls('srtp_protect');
  const unprotect = calls('srtp_unprotect');
  if (init() !== 0) throw new Error('libsrtp2 does not start');

  const session = (ssrcType: number, policy: string, key: Buffer): unknown => {
    const set = library.func(`srtp_crypto_policy_set_${policy}`, 'void', [koffi.out(koffi.pointer(Part))]);
    const rtp = {};
    set(rtp);
    const made: unknown[] = [null];
    const rest = { keys: null, keyCount: 0, ekt: null, windowSize: 128, headers: null, headerCount: 0, next: null };
    // Repeats, so that one packet can be protected over and over.
    const status = create(made, { ssrcType, ssrc: 0, rtp, rtcp: rtp, key, allowRepeats: 1, ...rest });
    if (status !== 0) throw new Error(`libsrtp2 refuses ${policy}: ${status}`);
    return made[0];
  };
  const user = (call: typeof protect, state: unknown) => {
    const length = [0];
    return (packet: Uint8Array, bytes: number): number => {
      length[0] = bytes;
      const status: number = call(state, packet, length);
      if (status !== 0) throw new Error(`libsrtp2 fails: ${status}`);
      return length[0]!;
    };
  };
  return {
    sender: (policy, secret) => user(protect, session(ANY_OUTBOUND, policy, secret)),
    receiver: (policy, secret) => user(unprotect, session(ANY_INBOUND, policy, secret)),
  };
}
