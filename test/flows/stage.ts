/** Where ladders are drawn: the device at the front, a desk, a third, and words for what a scripted far end says. */
import { expect } from 'vitest';
import type { Request } from '../../firmware/sip/message/message.ts';
import { LossyNetwork, presets } from '../sim/lossy-network.ts';
import { ScriptedPeer } from '../sim/scripted-peer.ts';
import { seeded } from '../sim/seeded.ts';
import { Phone, type PhoneOptions, sdp } from '../sim/sip-phone.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { Ladder } from './ladder.ts';

export const front = { host: '192.0.2.20', port: 5060 };
export const desk = { host: '192.0.2.10', port: 5060 };
export const carol = { host: '192.0.2.30', port: 5060 };
export const names = { '192.0.2.20:5060': 'front', '192.0.2.10:5060': 'desk', '192.0.2.30:5060': 'carol' };
export const account = {
  aor: 'sip:front@192.0.2.10',
  displayName: 'Front door',
  expiresMs: 300_000,
  password: 'secret',
};

/** `hosts`: printed address → the name in the ladder. */
export function stage(hosts: Readonly<Record<string, string>> = names) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const ladder = new Ladder(clock, network, hosts);
  const golden = (file: string, title: string) =>
    expect(ladder.print(title)).toMatchFileSnapshot(`${import.meta.dirname}/${file}.flow`);
  const door = (options: Partial<PhoneOptions> = {}) =>
    new Phone(clock, network, { address: front, account, ...options });
  return { clock, network, golden, door };
}

export function twoPhones() {
  const { clock, network, golden, door } = stage();
  const telephone = new Phone(clock, network, { address: desk, seed: 2, account: { aor: 'sip:desk@192.0.2.10' } });
  return { clock, network, golden, door: door(), telephone };
}

/** A far end that a script plays: it answers an INVITE as `answer` says, anything else but ACK with 200. */
export function farEnd(
  network: LossyNetwork,
  {
    address = desk,
    tag = 'peer',
    answer,
  }: { address?: typeof desk; tag?: string; answer?: (invite: Request) => void } = {},
) {
  const peer = new ScriptedPeer(network, address);
  const contact = `<sip:desk@${address.host}>`;
  let sequence = 0;
  peer.onRequest = request => {
    if (request.method === 'INVITE' && answer !== undefined) answer(request);
    else if (request.method === 'INVITE') accept(request);
    else if (request.method !== 'ACK') peer.reply(request, 200, { tag });
  };
  const accept = (invite: Request, body = 'answer') =>
    peer.reply(invite, 200, { headers: [['Contact', contact]], body: sdp(body), tag });
  /** A request of its own in the dialog that an INVITE of the device has made. */
  const say = (method: string, more: readonly string[] = [], body = '') => {
    const { headers } = peer.requests('INVITE')[0]!;
    const where = /<([^>]*)>/.exec(headers.get('Contact')!)![1];
    // An ACK has the number of its INVITE (RFC 3261 §13.2.2.4).
    if (method !== 'ACK') sequence++;
    peer.say(
      request(`${method} ${where}`, {
        via: `${address.host}:5060;branch=z9hG4bK-${tag}-${method}-${sequence}`,
        from: `${headers.get('To')};tag=${tag}`,
        to: headers.get('From')!,
        callId: headers.get('Call-ID')!,
        cseq: `${sequence} ${method}`,
        more: [
          ...(method === 'ACK' || more.some(line => line.startsWith('Contact')) ? [] : [`Contact: ${contact}`]),
          ...more,
        ],
        body,
      }),
      front,
    );
  };
  return { peer, accept, say, contact };
}

interface Parts {
  via: string;
  from: string;
  to: string;
  callId: string;
  cseq: string;
  more?: readonly string[];
  body?: string;
}

/** A request as text. `start`: method and Request-URI. */
export function request(start: string, { via, from, to, callId, cseq, more = [], body = '' }: Parts): string {
  const type =
    body === '' || more.some(line => line.startsWith('Content-Type')) ? [] : ['Content-Type: application/sdp'];
  const lines = [
    `${start} SIP/2.0`,
    `Via: SIP/2.0/UDP ${via}`,
    'Max-Forwards: 70',
    `From: ${from}`,
    `To: ${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq}`,
    ...more,
    ...type,
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\n')}\n\n${body}`;
}

/** An INVITE to the device out of the blue. `parts` go over what is usual. */
export const invite = (parts: Partial<Parts> = {}) =>
  request('INVITE sip:front@192.0.2.20', {
    via: '192.0.2.30:5060;branch=z9hG4bK-invite',
    from: '<sip:carol@192.0.2.30>;tag=carol',
    to: '<sip:front@192.0.2.10>',
    callId: 'call-of-carol',
    cseq: '1 INVITE',
    body: 'offer',
    ...parts,
    more: ['Contact: <sip:carol@192.0.2.30>', ...(parts.more ?? [])],
  });
