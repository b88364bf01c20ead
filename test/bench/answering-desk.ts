/** SIP and media of the project alone in a process, for many calls at once: answers each and speaks. Its card wakes it once a packet. Run by `audio-calls.ts` with its order. */
import { realDesk } from '../desk/real-desk.ts';

const order: { port: number; rtpPorts: { from: number; to: number }; microphone: string; codecs: ('opus' | 'PCMA')[] } =
  JSON.parse(process.argv[2]!);
const desk = realDesk({
  ...{ ...order, host: '127.0.0.1', periodMs: 20, user: 'porter', realm: 'bench', callers: [], passwords: {} },
  onCall: call => call.answer(),
  onEvent() {},
});
desk.start();
process.stdout.write('ready\n');
