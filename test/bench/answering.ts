/** The user agent alone in a process: answers at once whoever asks for it, with a description that never changes, and rings for others. Run by `sip-calls.ts` with a port. */
import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { systemRandom } from '../../firmware/lib/random.ts';
import type { CallHandler } from '../../firmware/sip/contracts.ts';
import { systemResolve } from '../../firmware/sip/locate/system.ts';
import { UdpSocket } from '../../firmware/sip/transport/udp.ts';
import { UserAgent } from '../../firmware/sip/user-agent.ts';

const host = '127.0.0.1';
const port = Number(process.argv[2]);
const lines = [
  'v=0',
  `o=- 1 1 IN IP4 ${host}`,
  's=-',
  `c=IN IP4 ${host}`,
  't=0 0',
  'm=audio 9 RTP/AVP 8',
  'a=sendrecv',
  '',
];
const body = { contentType: 'application/sdp', bytes: Buffer.from(lines.join('\r\n')) };
const handler: CallHandler = {
  onProgress() {},
  onAnswered() {},
  onOffer: (_, answer) => answer.refuse(488),
  onReoffered() {},
  onRefresh: () => body,
  onEnded() {},
};
const socket = new UdpSocket({ host, port });
const userAgent = new UserAgent(
  { clock: systemClock, wallClock, random: systemRandom, log: silentLog, resolve: systemResolve, transport: socket },
  {
    accounts: [{ id: 'own', aor: `sip:porter@${host}:${port}`, register: false, expiresMs: 300_000 }],
    product: 'Porter',
    maxCalls: 1_000,
    ringLimitMs: 60_000,
    maxRedirects: 0,
  },
  {
    onInvite: ({ call, header }) => {
      if (header('Call-Info').length > 0) call.accept(body);
      else call.ring();
      return handler;
    },
    onRegistration() {},
  },
);
socket.start(
  (bytes, from) => userAgent.receive(bytes, from),
  why => {
    throw new Error(why);
  },
);
userAgent.start();
