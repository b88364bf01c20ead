/** What must hold of any description: read, answered and accepted without a throw, and what is agreed makes sense. */
import {
  acceptAnswer,
  type Capabilities,
  makeAnswer,
  makeOffer,
  type Negotiated,
} from '../../../firmware/sdp/negotiate.ts';
import { parseSdp } from '../../../firmware/sdp/parse.ts';
import { printSdp } from '../../../firmware/sdp/print.ts';

export const ALL: Capabilities = { codecs: ['opus', 'PCMA', 'PCMU'], ptimeMs: 20, telephoneEvent: true, opusFec: true };
export const US = { host: '192.0.2.1', rtpPort: 4000, sessionId: '77', version: 1 };
const ours = makeOffer(ALL, US, 'sendrecv');

const within = (value: number, least: number, most: number) => value >= least && value <= most;

function sensible(negotiated: Negotiated) {
  const { remote, codec, telephoneEvent = 0, direction } = negotiated;
  const good =
    ['sendrecv', 'sendonly', 'recvonly', 'inactive'].includes(direction) &&
    within(remote.rtpPort, 1, 65535) &&
    within(remote.rtcpPort, 1, 65535) &&
    [10, 20, 40, 60].includes(codec.ptimeMs) &&
    within(codec.payloadType, 0, 127) &&
    within(telephoneEvent, 0, 127);
  if (!good) throw new Error(`not sensible: ${JSON.stringify(negotiated)}`);
}

export function checkSdp(bytes: Uint8Array): 'malformed' | 'refused' | 'answered' {
  const session = parseSdp(bytes);
  if ('malformed' in session) return 'malformed';
  // Printing what was read gives something that reads the same.
  const printed = printSdp(session);
  const again = parseSdp(printed);
  if ('malformed' in again) throw new Error(`printed description refused: ${again.malformed}`);
  if (printSdp(again) !== printed) throw new Error('printed description changes');
  const accepted = acceptAnswer(ours, session);
  if (!('refused' in accepted)) sensible(accepted);
  const result = makeAnswer(session, ALL, US, 'sendrecv');
  if ('refused' in result) return 'refused';
  sensible(result.negotiated);
  if (result.answer.media.length !== session.media.length) throw new Error('m-lines are missing');
  if ('malformed' in parseSdp(printSdp(result.answer))) throw new Error('our answer is malformed');
  // An offer of ours inside such a call can be made, and gives no payload type two meanings.
  const formats = makeOffer(ALL, US, 'sendrecv', result.answer).media.find(({ port }) => port !== 0)!.formats;
  if (new Set(formats).size !== formats.length) throw new Error(`two meanings: ${formats.join(' ')}`);
  return 'answered';
}
