/** Whose name counts, and that of who does not tell it (RFC 3323, RFC 3325). */
import { expect, test } from 'vitest';
import { callerMatches } from '../../../firmware/controller/auto-answer.ts';
import { whoCalls } from '../../../firmware/controller/who-calls.ts';
import type { IncomingInvite, Party } from '../../../firmware/sip/contracts.ts';

const from: Party = { uri: 'sip:boss@192.0.2.9', displayName: 'The boss' };
const asserted: Party = { uri: 'sip:desk@example.org', displayName: 'Desk' };
const authenticated: Party = { uri: 'sip:guard@example.org' };

function calls(known: Partial<Pick<IncomingInvite, 'asserted' | 'authenticated'>>, trusted: boolean, privacy?: string) {
  const invite = {
    call: { remote: from },
    asserted: undefined,
    authenticated: undefined,
    ...known,
    header: (name: string) => (name === 'Privacy' && privacy !== undefined ? [privacy] : []),
  } as unknown as IncomingInvite;
  return whoCalls(invite, trusted);
}

test('the network is believed where it is the network that speaks', () => {
  expect(calls({ asserted }, true)).toEqual({ remote: asserted, isTrusted: true });
  expect(calls({ asserted }, false)).toEqual({ remote: from, isTrusted: false });
  expect(calls({}, true)).toEqual({ remote: from, isTrusted: true });
});

test('a password proves its user, not the From beside it', () => {
  expect(calls({ authenticated }, false)).toEqual({
    remote: { uri: 'sip:guard@example.org', displayName: 'The boss' },
    isTrusted: true,
  });
  expect(calls({ authenticated, asserted }, false).remote.uri).toBe('sip:guard@example.org');
  expect(calls({ authenticated, asserted }, true).remote.uri).toBe('sip:desk@example.org');
});

test.each(['id', 'user', 'header', 'ID', 'none;id', 'session; user ;critical', 'history, id'])(
  'who asks for privacy %j is nobody',
  privacy => {
    const { remote } = calls({ asserted, authenticated }, true, privacy);
    expect(remote).toEqual({ uri: 'sip:anonymous@anonymous.invalid', displayName: 'Anonymous' });
  },
);

test.each(['none', 'session', 'critical', 'history', '', 'ident'])('privacy %j hides no name', privacy => {
  expect(calls({ asserted }, true, privacy).remote).toEqual(asserted);
});

test.each(['*@*', '*@anonymous.invalid', 'anonymous@anonymous.invalid', 'tel:*'])('nobody is not %j', pattern => {
  expect(callerMatches(pattern, 'sip:anonymous@anonymous.invalid')).toBe(false);
  expect(callerMatches('*', 'sip:anonymous@anonymous.invalid')).toBe(true);
});

test.each([
  ['tel:+4930*', 'tel:+49-30-123', true],
  ['tel:+49(30)123', 'tel:+4930123;ext=4', true],
  ['tel:+4930123', 'tel:+49301234', false],
  ['tel:+4930*', 'sip:+4930123@pbx.example:5070', true],
  ['tel:+4930*', 'sip:4930123@pbx.example', false],
  ['tel:4711', 'tel:4711;phone-context=pbx.example', true],
  // A user part without + is a name, whoever gave it.
  ['tel:4711', 'sip:4711@anywhere.example', false],
  ['tel:+4930*', 'sip:desk@pbx.example', false],
  ['*@pbx.example', 'tel:+4930123', false],
])('the pattern %s on %s: %s', (pattern, uri, matches) => {
  expect(callerMatches(pattern, uri)).toBe(matches);
});
