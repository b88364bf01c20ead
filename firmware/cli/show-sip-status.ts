/** `porter sip status` for a person: each account with its server and what to do, then the ways in and the counters. Pure. */
import type { SipAccountStatus, SipStatus } from '../controller/sip-status.ts';
import { count, plain, span, wrap } from './text.ts';

const INDENT = 2;
const LABEL = 13;

/** Lines of at most 80 columns (a single longer word, such as a URI, stays whole). */
export function showSipStatus(status: SipStatus): string[] {
  const { accounts, listening, problem, connections, calls, transactions, counters } = status;
  const entries = Object.entries(accounts);
  return [
    ...(problem === undefined ? [] : wrap(problem, INDENT, '! ')),
    ...(entries.length === 0 ? ['No accounts; calls go from peer to peer.'] : []),
    ...entries.flatMap(([id, account], index) => [
      ...(index === 0 ? [] : ['']),
      `${id}  ${account.aor}`,
      ...lines(account),
    ]),
    '',
    ...part('Listening', listening.length === 0 ? ['nowhere'] : [listening.join(', ')]),
    ...part(
      'Connections',
      connections.length === 0
        ? ['none']
        : connections.map(
            ({ with: peer, openedBy, kept }) => `${peer}, opened by ${openedBy}${kept ? ', kept alive' : ''}`,
          ),
    ),
    ...part('Now', [`${count(calls, 'call')}, ${count(transactions, 'transaction')}`]),
    ...part('Messages', [
      `${counters.receivedMessages} received, ${counters.sentMessages} sent, ${counters.retransmissions} sent again`,
    ]),
    ...part('Turned away', [
      [
        `${counters.rejectedRequests} refused`,
        `${counters.malformedMessages} malformed`,
        `${counters.strayMessages} that belong to nothing`,
      ].join(', '),
      `${counters.scannerRequests} of scanners, ${counters.overloadRefusals + counters.overloadDrops} above what can be served`,
    ]),
  ].map(plain);
}

function lines(account: SipAccountStatus): string[] {
  const { registers, last, advice, otherWays = [] } = account;
  if (!registers) return text('not to register: calls go out with it, and come in by address');
  return [
    ...text(standing(account)),
    ...otherWays.flatMap(({ state, server, why }) =>
      text(`another way: ${[state, server, why].filter(Boolean).join(', ')}`),
    ),
    ...(last === undefined
      ? []
      : text(
          last.status === undefined
            ? `last try: ${last.why}, ${span(last.agoSeconds)} ago`
            : `last answer: ${last.status} ${last.why}${origin(account)}, ${span(last.agoSeconds)} ago`,
        )),
    ...(last === undefined || advice === undefined ? [] : text(`that is: ${last.meaning}`)),
    ...(advice === undefined ? [] : wrap(advice, INDENT, '! ')),
  ];
}

function standing({ state, server, registeredForSeconds, contact, expiresInSeconds, nextInSeconds }: SipAccountStatus) {
  const next = nextInSeconds === undefined ? '' : span(nextInSeconds);
  switch (state) {
    case 'registered': {
      const since = registeredForSeconds === undefined ? '' : ` for ${span(registeredForSeconds)}`;
      const until = expiresInSeconds === undefined ? '' : `, valid for ${span(expiresInSeconds)} more`;
      return `registered at ${server ?? 'its server'}${since}, as ${contact}${until}${next && `, renewed in ${next}`}`;
    }
    case 'registering':
      return 'asking its server now';
    case 'failed':
      return `NOT REGISTERED${next && `; asked again in ${next}`}`;
    case 'unregistered':
      return 'not registered';
  }
}

/** Where the server is not known from the line before, or another one answered. */
const origin = ({ last, server }: SipAccountStatus) =>
  last?.from === undefined || last.from === server ? '' : ` from ${last.from}`;

const text = (line: string) => wrap(line, INDENT, ' '.repeat(INDENT));

const part = (label: string, rows: readonly string[]) =>
  rows.flatMap((row, index) => wrap(row, LABEL, (index === 0 ? label : '').padEnd(LABEL)));
