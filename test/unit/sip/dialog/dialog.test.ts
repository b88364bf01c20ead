/** Dialog state: tags, route set, numbers and target (RFC 3261 §12). */
import { describe, expect, test } from 'vitest';
import { Dialog } from '../../../../firmware/sip/dialog/dialog.ts';
import { DialogTable } from '../../../../firmware/sip/dialog/table.ts';
import { isMalformed, type Request, type Response } from '../../../../firmware/sip/message/message.ts';
import { parseMessage } from '../../../../firmware/sip/message/parse.ts';
import { makeResponse, type Reply } from '../../../../firmware/sip/transaction/reply.ts';
import { type Line, request } from '../stage.ts';

function read(line: Line = {}): Request {
  const message = parseMessage(new TextEncoder().encode(request(line).replaceAll('\n', '\r\n')));
  if (isMalformed(message) || message.kind !== 'request') throw new Error('the test wrote nonsense');
  return message;
}

const answer = (invite: Request, reply: Reply = {}): Response => makeResponse(invite, 200, 'uas', reply);

describe("the callee's side", () => {
  const dialog = () => Dialog.ofInvite(read({ sequence: 7 }), 'ours');

  test('has the tags of both, and the peer in To of its requests', () => {
    const bye = dialog().request('BYE');
    expect(dialog()).toMatchObject({ callId: 'call-1', localTag: 'ours', remoteTag: 'p1' });
    expect(bye.uri).toBe('sip:peer@192.0.2.2');
    expect(bye.headers.get('From')).toBe('<sip:user@192.0.2.1>;tag=ours');
    expect(bye.headers.get('To')).toBe('"Peer" <sip:peer@192.0.2.2>;tag=p1');
    expect(bye.headers.get('CSeq')).toBe('1 BYE');
  });

  test('takes requests of growing numbers, gaps allowed (§12.2.2)', () => {
    const one = dialog();
    expect([7, 8, 20, 20, 9].map(sequence => one.accepts(read({ sequence })))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  test('without Contact goes to where From says (RFC 2543)', () => {
    const invite = read({ from: '<sip:old@192.0.2.2>' });
    invite.headers.remove('Contact');
    expect(Dialog.ofInvite(invite, 'ours').nextHop).toBe('sip:old@192.0.2.2');
  });
});

describe("the caller's side", () => {
  const invite = read({ sequence: 3 });

  test('goes on from the number of its INVITE; an ACK repeats it', () => {
    const dialog = Dialog.ofResponse(invite, answer(invite, { headers: [['Contact', '<sip:far@192.0.2.9>']] }));
    expect(dialog.request('ACK', 3).headers.get('CSeq')).toBe('3 ACK');
    expect(dialog.request('BYE').headers.get('CSeq')).toBe('4 BYE');
    expect(dialog.request('INVITE').headers.get('CSeq')).toBe('5 INVITE');
    expect(dialog.nextHop).toBe('sip:far@192.0.2.9');
  });

  test('moves its target with a new Contact, and only with one that can be read (§12.2.1.2)', () => {
    const dialog = Dialog.ofResponse(invite, answer(invite, { headers: [['Contact', '<sip:far@192.0.2.9>']] }));
    dialog.refreshTarget(answer(invite, { headers: [['Contact', '<sip:moved@192.0.2.9>']] }));
    dialog.refreshTarget(answer(invite));
    dialog.refreshTarget(answer(invite, { headers: [['Contact', '"<']] }));
    expect(dialog.request('BYE').uri).toBe('sip:moved@192.0.2.9');
  });

  test.each([
    // RFC 3261 §16.12.1.1: both routers are loose.
    ['<sip:p2;lr>, <sip:p1;lr>', 'sip:far@192.0.2.9', ['<sip:p1;lr>', '<sip:p2;lr>'], 'sip:p1;lr'],
    // The first is strict: the Request-URI is its own, the target comes last.
    ['<sip:p2;lr>, <sip:p1>', 'sip:p1', ['<sip:p2;lr>', '<sip:far@192.0.2.9>'], 'sip:p1'],
    // Only the last is strict: that is for the router before it to see to.
    ['<sip:p2>, <sip:p1;lr>', 'sip:far@192.0.2.9', ['<sip:p1;lr>', '<sip:p2>'], 'sip:p1;lr'],
    ['', 'sip:far@192.0.2.9', [], 'sip:far@192.0.2.9'],
  ])('Record-Route %s', (recordRoute, uri, routes, nextHop) => {
    const response = answer(invite, { headers: [['Contact', '<sip:far@192.0.2.9>']] });
    if (recordRoute !== '') response.headers.set('Record-Route', recordRoute);
    const dialog = Dialog.ofResponse(invite, response);
    const bye = dialog.request('BYE');
    expect(bye.uri).toBe(uri);
    expect(bye.headers.all('Route')).toEqual(routes);
    expect(dialog.nextHop).toBe(nextHop);
  });
});

test('a dialog is found by Call-ID and both tags, and not when one differs', () => {
  const table = new DialogTable();
  const owner = { onRequest() {}, onAck() {} };
  const dialog = Dialog.ofInvite(read(), 'ours');
  table.add(dialog, owner);
  const to = '<sip:user@192.0.2.1>;tag=ours';
  expect(table.find(read({ method: 'BYE', to }))).toBe(owner);
  expect(table.find(read({ method: 'BYE' }))).toBeUndefined();
  expect(table.find(read({ method: 'BYE', to, callId: 'call-2' }))).toBeUndefined();
  expect(table.find(read({ method: 'BYE', to, from: '<sip:peer@192.0.2.2>;tag=p2' }))).toBeUndefined();
  table.remove(dialog);
  expect(table.size).toBe(0);
});
