/**
 * Calls through the user agent alone, on virtual time and a network of two arrays, and its heap on the way. Run by
 * `sip-memory.ts` with --expose-gc: its argument is the list of counts, the heap at each is printed as JSON.
 */
import { silentLog } from '../../firmware/lib/log.ts';
import { systemRandom } from '../../firmware/lib/random.ts';
import type { CallHandler } from '../../firmware/sip/contracts.ts';
import { UserAgent } from '../../firmware/sip/user-agent.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** Between two calls: 200 a second. */
const EVERY_MS = 5;
/** Everything that a call leaves behind is gone after this (RFC 3261 §17: 64 times T1, and what follows). */
const SETTLE_MS = 120_000;
const body = { contentType: 'application/sdp', bytes: Buffer.from('v=0\r\n') };
const peer = { host: '192.0.2.2', port: 5060 };

const handler: CallHandler = {
  onProgress() {},
  onAnswered() {},
  onOffer: (_, answer) => answer.refuse(488),
  onReoffered() {},
  onRefresh: () => body,
  onEnded() {},
};

const clock = new VirtualClock();
let sent: Buffer[] = [];
const userAgent = new UserAgent(
  {
    clock,
    wallClock: () => clock.now(),
    random: systemRandom,
    log: silentLog,
    resolve: (_host, _port, done) => done([]),
    transport: {
      localFor: () => ({ host: '192.0.2.1', port: 5060 }),
      send: bytes => void sent.push(Buffer.from(bytes)),
    },
  },
  {
    accounts: [{ id: 'own', aor: 'sip:front@192.0.2.1', register: false, expiresMs: 300_000 }],
    product: 'Porter',
    maxCalls: 8,
    ringLimitMs: 60_000,
    maxRedirects: 0,
  },
  {
    onInvite: ({ call }) => {
      call.ring();
      call.accept(body);
      return handler;
    },
    onRegistration() {},
  },
);

function message(method: string, index: number, sequence: number, toTag: string, more = '', content = '') {
  const text =
    `${method} sip:front@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK-${index}-${method};rport\r\n` +
    `Max-Forwards: 70\r\nFrom: "Bench" <sip:bench@192.0.2.2>;tag=from-${index}\r\nTo: <sip:front@192.0.2.1>${toTag}\r\n` +
    `Call-ID: call-${index}@192.0.2.2\r\nCSeq: ${sequence} ${method}\r\nContact: <sip:bench@192.0.2.2>\r\n${more}` +
    `Content-Length: ${content.length}\r\n\r\n${content}`;
  userAgent.receive(Buffer.from(text), peer);
}

function call(index: number) {
  message('INVITE', index, 1, '', 'Content-Type: application/sdp\r\n', 'v=0\r\n');
  const answer = sent.at(-1)!.toString();
  if (!answer.startsWith('SIP/2.0 200')) throw new Error(`call ${index} was answered ${answer.split('\r\n')[0]}`);
  const toTag = `;tag=${/^To:.*;tag=(.*)\r$/m.exec(answer)![1]}`;
  message('ACK', index, 1, toTag);
  message('BYE', index, 2, toTag);
  if (!sent.at(-1)!.toString().startsWith('SIP/2.0 200')) throw new Error(`call ${index} was not hung up`);
  sent = [];
  clock.advance(EVERY_MS);
}

const counts: number[] = JSON.parse(process.argv[2]!);
const heaps: number[] = [];
userAgent.start();
let index = 0;
for (const count of counts) {
  while (index < count) call(index++);
  clock.advance(SETTLE_MS);
  const { transactions, calls } = userAgent.alive;
  if (transactions + calls > 0) throw new Error(`${transactions} transactions and ${calls} calls are left`);
  globalThis.gc!();
  globalThis.gc!();
  heaps.push(process.memoryUsage().heapUsed);
}
process.stdout.write(JSON.stringify(heaps));
process.exit(0);
