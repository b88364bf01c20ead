/**
 * A telephone exchange in one process: begins calls at a steady rate, whatever becomes of them, and times what comes
 * back. It knows only what its calls need of SIP, so that what it costs itself is little, and the same for every callee.
 * Run by `calling.ts`: its order is its first argument, its results are printed as JSON.
 */
import { createSocket } from 'node:dgram';

export interface Order {
  host: string;
  /** Called in turn, one call each: whatever disturbs the machine disturbs all. */
  callees: readonly { port: number; user: string }[];
  /** Of each callee. */
  callsPerSecond: number;
  calls: number;
  /** Answered by itself and hung up at once; or it rings and is cancelled. */
  kind: 'answered' | 'rings';
}

/** Of one callee. */
export interface Outcome {
  /** From the INVITE to the first 180, and to the first 200, of each call that got so far. Milliseconds. */
  to180: number[];
  to200: number[];
  /** Calls that did not go through all of their steps, and what was answered instead. */
  failed: number;
  why: Record<string, number>;
  /** Sent again by either side. */
  retransmissions: number;
}

/** RFC 3261 §17: T1, and 64 times that. */
const T1_MS = 500;
const GIVE_UP_MS = 8_000;
const TICK_MS = 1;

interface Call {
  index: number;
  port: number;
  outcome: Outcome;
  startedMs: number;
  /** What it waits for now, and what it would say again. */
  waitsFor: 'INVITE' | 'BYE' | 'CANCEL';
  last: string;
  againMs: number;
  pauseMs: number;
  branch: string;
  rang: boolean;
  finalSeen: boolean;
  to: string;
  target: string;
}

const order: Order = JSON.parse(process.argv[2]!);
const outcomes = order.callees.map((): Outcome => ({ to180: [], to200: [], failed: 0, why: {}, retransmissions: 0 }));
const calls = new Map<string, Call>();
const run = `${process.pid}`;
const socket = createSocket({
  type: 'udp4',
  recvBufferSize: 4 * 2 ** 20,
  lookup: (host, _options, found) => found(null, host, 4),
});
socket.on('message', receive);
socket.bind(0, order.host, () => begin());

function begin() {
  const { length: callees } = order.callees;
  const callsPerSecond = order.callsPerSecond * callees;
  const wanted = order.calls * callees;
  const firstMs = performance.now();
  let begun = 0;
  const tick = setInterval(() => {
    const nowMs = performance.now();
    for (; begun < wanted && nowMs >= firstMs + (begun * 1000) / callsPerSecond; begun++) invite(begun);
    for (const [id, call] of calls) chase(id, call, nowMs);
    if (begun < wanted || calls.size > 0) return;
    clearInterval(tick);
    socket.close();
    process.stdout.write(JSON.stringify(outcomes));
  }, TICK_MS);
}

function chase(id: string, call: Call, nowMs: number) {
  if (nowMs - call.startedMs > GIVE_UP_MS) return fail(id, call, `nothing after ${call.waitsFor}`);
  if (nowMs < call.againMs) return;
  call.pauseMs *= 2;
  call.againMs = nowMs + call.pauseMs;
  call.outcome.retransmissions++;
  send(call, call.last);
}

function fail(id: string, { outcome }: Call, why: string) {
  calls.delete(id);
  outcome.failed++;
  outcome.why[why] = (outcome.why[why] ?? 0) + 1;
}

const send = ({ port }: Call, text: string) => socket.send(text, port, order.host);

function say(call: Call, text: string, waitsFor: Call['waitsFor']) {
  call.waitsFor = waitsFor;
  call.last = text;
  call.pauseMs = T1_MS;
  call.againMs = performance.now() + T1_MS;
  send(call, text);
}

function request(call: Call, method: string, sequence: number, more: readonly string[] = [], body = '') {
  return [
    `${method} ${call.target} SIP/2.0`,
    `Via: SIP/2.0/UDP ${order.host}:${socket.address().port};branch=${call.branch};rport`,
    'Max-Forwards: 70',
    `From: "Bench" <sip:bench@${order.host}>;tag=${run}-${call.index}`,
    `To: ${call.to}`,
    `Call-ID: ${run}-${call.index}`,
    `CSeq: ${sequence} ${method}`,
    ...more,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

function invite(index: number) {
  const { host, callees, kind } = order;
  const { port, user } = callees[index % callees.length]!;
  const call: Call = {
    index,
    port,
    outcome: outcomes[index % callees.length]!,
    startedMs: 0,
    waitsFor: 'INVITE',
    last: '',
    againMs: 0,
    pauseMs: 0,
    branch: `z9hG4bK-${run}-${index}-1`,
    rang: false,
    finalSeen: false,
    to: `<sip:${user}@${host}:${port}>`,
    target: `sip:${user}@${host}:${port}`,
  };
  calls.set(`${run}-${index}`, call);
  const sdp = `v=0\r\no=- 1 1 IN IP4 ${host}\r\ns=-\r\nc=IN IP4 ${host}\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n`;
  const more = [
    `Contact: <sip:bench@${host}:${socket.address().port}>`,
    ...(kind === 'answered' ? [`Call-Info: <sip:${host}>;answer-after=0`] : []),
    'Content-Type: application/sdp',
  ];
  const text = request(call, 'INVITE', 1, more, sdp);
  call.startedMs = performance.now();
  say(call, text, 'INVITE');
}

function receive(bytes: Buffer) {
  const nowMs = performance.now();
  const text = bytes.toString('latin1');
  // Nothing here should make them send a request.
  if (!text.startsWith('SIP/2.0 ')) return;
  const id = /^Call-ID:\s*(\S+)/im.exec(text)?.[1] ?? '';
  const method = /^CSeq:\s*\d+\s+(\S+)/im.exec(text)?.[1] ?? '';
  const call = calls.get(id);
  if (call === undefined) return;
  const status = Number(text.slice(8, 11));
  if (method === 'INVITE') answered(id, call, status, text, nowMs);
  else if (method === 'BYE' && call.waitsFor === 'BYE') {
    if (status === 200) calls.delete(id);
    else fail(id, call, `${status} to BYE`);
  } else if (method === 'CANCEL' && status !== 200) fail(id, call, `${status} to CANCEL`);
}

function answered(id: string, call: Call, status: number, text: string, nowMs: number) {
  const { outcome } = call;
  if (status < 200) {
    // It is there: the INVITE need not be said again (RFC 3261 §17.1.1.2).
    if (call.waitsFor === 'INVITE') call.againMs = Number.POSITIVE_INFINITY;
    if (status !== 180 || call.rang) return;
    call.rang = true;
    outcome.to180.push(nowMs - call.startedMs);
    if (order.kind === 'rings') say(call, request(call, 'CANCEL', 1), 'CANCEL');
    return;
  }
  call.to = /^To:\s*(.*?)\r$/im.exec(text)?.[1] ?? call.to;
  const good = status === (order.kind === 'answered' ? 200 : 487);
  if (call.finalSeen) outcome.retransmissions++;
  else if (status === 200) outcome.to200.push(nowMs - call.startedMs);
  const first = !call.finalSeen;
  call.finalSeen = true;
  if (status >= 300) {
    send(call, request(call, 'ACK', 1));
    if (!good) fail(id, call, `${status}`);
    else calls.delete(id);
    return;
  }
  call.target = /^Contact:\s*<([^>]+)>/im.exec(text)?.[1] ?? call.target;
  call.branch = `z9hG4bK-${run}-${call.index}-2`;
  send(call, request(call, 'ACK', 1));
  if (!first) return;
  call.branch = `z9hG4bK-${run}-${call.index}-3`;
  say(call, request(call, 'BYE', 2), 'BYE');
}
