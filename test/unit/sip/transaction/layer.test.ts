/** The transaction layer: whose message this is, and what happens above its limits. */

import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../../firmware/lib/log.ts';
import { newCounters } from '../../../../firmware/sip/counters.ts';
import { makeRequest } from '../../../../firmware/sip/dialog/request.ts';
import { parseMessage } from '../../../../firmware/sip/message/parse.ts';
import { serverTransactionLimit, TransactionLayer } from '../../../../firmware/sip/transaction/layer.ts';
import { seeded } from '../../../sim/seeded.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';
import { request, stage } from '../stage.ts';

const us = { host: '192.0.2.1', port: 5060 };
const them = { host: '192.0.2.2', port: 5060 };

function layer() {
  const clock = new VirtualClock();
  const sent: string[] = [];
  const counters = newCounters();
  const transport = {
    localFor: () => us,
    send: (bytes: Uint8Array) => void sent.push(new TextDecoder().decode(bytes)),
  };
  const environment = { clock, random: seeded(1), log: silentLog, transport, counters, product: 'porter/test' };
  const served: string[] = [];
  const acks: string[] = [];
  const transactions = new TransactionLayer(environment, {
    onRequest: ({ request: { method } }) => void served.push(method),
    onAck: ack => void acks.push(ack.headers.get('CSeq')!),
  });
  const receive = (text: string) => transactions.receive(new TextEncoder().encode(text.replaceAll('\n', '\r\n')), them);
  return { clock, sent, counters, transactions, served, acks, receive };
}

const statuses = (sent: readonly string[]) => sent.map(text => Number(text.split(' ', 2)[1]));

function options() {
  return makeRequest({
    method: 'OPTIONS',
    uri: 'sip:192.0.2.2',
    from: '<sip:a@192.0.2.1>;tag=a',
    to: '<sip:192.0.2.2>',
    callId: 'x',
    sequence: 1,
    account: undefined,
  });
}

describe('an INVITE', () => {
  test('that is not answered at once is told 100, and so is a copy of it (§17.2.1)', () => {
    const { receive, sent, served } = layer();
    receive(request());
    receive(request());
    expect(served).toEqual(['INVITE']);
    expect(statuses(sent)).toEqual([100, 100]);
  });

  test('that is answered at once is told nothing else', () => {
    const { peer, say } = stage();
    say(request({ more: 'Require: frob' }));
    expect(peer.statuses).toEqual([420]);
  });
});

describe('responses', () => {
  /** Answers what was sent first, after a change. */
  function answering(change: (text: string) => string) {
    const { transactions, sent, receive, counters, clock } = layer();
    const heard: number[] = [];
    transactions.request(options(), them, { onResponse: ({ status }) => void heard.push(status), onFailure() {} });
    const via = /Via: (.*)\r\n/.exec(sent[0]!)![1]!;
    receive(
      change(
        `SIP/2.0 200 OK\nVia: ${via}\nFrom: <sip:a@192.0.2.1>;tag=a\nTo: <sip:192.0.2.2>;tag=b\nCall-ID: x\nCSeq: 1 OPTIONS\n\n`,
      ),
    );
    clock.advance(60_000);
    return { heard, strays: counters.strayMessages, left: transactions.size };
  }

  test('find their transaction by branch and method (§17.1.3)', () => {
    expect(answering(text => text)).toEqual({ heard: [200], strays: 0, left: 0 });
  });

  test.each([
    ['another branch', (text: string) => text.replace('branch=z9hG4bK', 'branch=z9hG4bKx')],
    ['another method in CSeq', (text: string) => text.replace('1 OPTIONS', '1 BYE')],
    ['a second Via (§8.1.3.3)', (text: string) => text.replace('\nFrom', '\nVia: SIP/2.0/UDP x;branch=z9hG4bKy\nFrom')],
    ['no branch', (text: string) => text.replace(/;branch=[^;]*/, '')],
  ])('with %s are strays', (_, change) => {
    expect(answering(change)).toEqual({ heard: [], strays: 1, left: 0 });
  });
});

describe('requests', () => {
  test('with the branch of another sender are other transactions (§17.2.3)', () => {
    const { receive, served } = layer();
    const first = request({ method: 'OPTIONS' });
    receive(first);
    receive(first.replace('UDP 192.0.2.2;', 'UDP 192.0.2.3;').replace('call-1', 'call-2'));
    receive(first);
    expect(served).toEqual(['OPTIONS', 'OPTIONS']);
  });

  test('of RFC 2543, without the magic cookie, find their transaction and their ACK', () => {
    const { receive, served, acks, transactions, clock } = layer();
    const old = request({ branch: '1' });
    receive(old);
    receive(old);
    expect(served).toEqual(['INVITE']);
    receive(request({ branch: '1', sequence: 2, callId: 'call-2' }));
    expect(served).toEqual(['INVITE', 'INVITE']);
    receive(request({ method: 'ACK', branch: '1', to: '<sip:user@192.0.2.1>;tag=ours' }));
    // It belongs to the INVITE that waits for an answer, and not to a dialog.
    expect(acks).toEqual([]);
    expect(transactions.size).toBe(2);
    clock.advance(1_000);
  });

  test('an ACK with a branch of its own goes to the dialog', () => {
    const { receive, acks } = layer();
    receive(request({ method: 'ACK', branch: 'z9hG4bK-other' }));
    expect(acks).toEqual(['1 ACK']);
  });

  test(`above ${serverTransactionLimit} transactions are answered 503 and forgotten`, () => {
    const { receive, served, sent, transactions, counters, clock } = layer();
    for (let index = 0; index <= serverTransactionLimit; index++) {
      receive(request({ branch: `z9hG4bK-${index}`, callId: `call-${index}` }));
    }
    expect(served.length).toBe(serverTransactionLimit);
    expect(transactions.size).toBe(serverTransactionLimit);
    expect(counters.rejectedRequests).toBe(1);
    expect(statuses(sent).at(-1)).toBe(503);
    expect(sent.at(-1)).toContain('Retry-After: 10');
    transactions.stop();
    expect(clock.idle).toBe(true);
  });

  test('a stateless refusal has the same tag in every copy (§8.2.7)', () => {
    const { receive, sent } = layer();
    const bad = request({ method: 'OPTIONS' }).replace('Max-Forwards: 70', 'Max-Forwards: 256');
    receive(bad);
    receive(bad);
    expect(statuses(sent)).toEqual([400, 400]);
    expect(sent[0]).toBe(sent[1]);
  });
});

describe('CANCEL', () => {
  test('is answered with the tag that its INVITE is answered with (§9.2)', () => {
    const { say, peer } = stage();
    say(request({ branch: 'z9hG4bK-1' }));
    say(request({ method: 'CANCEL', branch: 'z9hG4bK-1' }));
    const tags = peer.responses().filter(({ status }) => status !== 100);
    expect(tags.map(({ status }) => status)).toEqual([180, 200, 487]);
    expect(new Set(tags.map(({ headers }) => headers.get('To'))).size).toBe(1);
  });
});

test('what is sent can be read back', () => {
  const { transactions, sent } = layer();
  transactions.request(options(), them, { onResponse() {}, onFailure() {} });
  expect(parseMessage(new TextEncoder().encode(sent[0]!))).toMatchObject({ kind: 'request', method: 'OPTIONS' });
});
