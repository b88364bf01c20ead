/** One user agent and one peer that says what the test writes, on a perfect network. */
import { LossyNetwork, presets } from '../../sim/lossy-network.ts';
import { ScriptedPeer } from '../../sim/scripted-peer.ts';
import { seeded } from '../../sim/seeded.ts';
import { Phone, type PhoneOptions } from '../../sim/sip-phone.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

export const phoneAddress = { host: '192.0.2.1', port: 5060 };
export const peerAddress = { host: '192.0.2.2', port: 5060 };

export function stage(options: Partial<PhoneOptions> = {}) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const phone = new Phone(clock, network, { address: phoneAddress, ...options });
  const peer = new ScriptedPeer(network, peerAddress);
  const say = (text: string) => {
    peer.say(text, phoneAddress);
    clock.advance(10);
  };
  return { clock, network, phone, peer, say, userAgent: phone.userAgent };
}

export interface Line {
  method?: string;
  uri?: string;
  branch?: string;
  from?: string;
  to?: string;
  callId?: string;
  sequence?: number;
  /** Further lines. */
  more?: string;
  body?: string;
}

/** A request of the peer, sound but for what is given. */
export function request(line: Line = {}): string {
  const {
    method = 'INVITE',
    uri = 'sip:user@192.0.2.1',
    branch = `z9hG4bK-${method === 'ACK' ? 'invite' : method.toLowerCase()}`,
    from = '"Peer" <sip:peer@192.0.2.2>;tag=p1',
    to = '<sip:user@192.0.2.1>',
    callId = 'call-1',
    sequence = 1,
    more = '',
    body = '',
  } = line;
  const contact = method === 'INVITE' ? 'Contact: <sip:peer@192.0.2.2>\n' : '';
  const type = body === '' ? '' : 'Content-Type: application/sdp\n';
  return `${method} ${uri} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.2;branch=${branch}
Max-Forwards: 70
From: ${from}
To: ${to}
Call-ID: ${callId}
CSeq: ${sequence} ${method}
${contact}${more === '' ? '' : `${more.trim()}\n`}${type}Content-Length: ${body.length}

${body}`;
}
