/** How much each source may send, what is answered 503 and what is dropped, and who goes first all the same. */
import { describe, expect, test } from 'vitest';
import {
  Admission,
  type AdmissionParts,
  refusals,
  strangerInvites,
  strangerOthers,
  trustedInvites,
} from '../../../../firmware/sip/admission/admission.ts';
import { Sources, sourceInvites, sourceLimit, sourceOthers } from '../../../../firmware/sip/admission/sources.ts';
import type { IgnoredMessages } from '../../../../firmware/sip/contracts.ts';
import { newCounters } from '../../../../firmware/sip/counters.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

const pbx = '192.0.2.2';
const invite = Buffer.from('INVITE sip:front@192.0.2.1 SIP/2.0\r\nCall-ID: new\r\n\r\n');
const options = Buffer.from('OPTIONS sip:front@192.0.2.1 SIP/2.0\r\n\r\n');
const bye = Buffer.from('BYE sip:front@192.0.2.1 SIP/2.0\r\nCall-ID: running\r\n\r\n');
const ack = Buffer.from('ACK sip:front@192.0.2.1 SIP/2.0\r\n\r\n');
const ok = Buffer.from('SIP/2.0 200 OK\r\n\r\n');

function gate(changes: Partial<AdmissionParts> = {}) {
  const clock = new VirtualClock();
  const counters = newCounters();
  const told: IgnoredMessages[] = [];
  const admission = new Admission({
    clock,
    counters,
    trusts: host => host === pbx,
    isOfCall: bytes => Buffer.from(bytes).includes('running'),
    tell: ignored => void told.push(ignored),
    ...changes,
  });
  const send = (bytes: Uint8Array, host: string) => admission.admit(bytes, { host, port: 5060 });
  /** How many of so many are let in, answered 503, dropped. */
  const flood = (bytes: Uint8Array, hosts: (index: number) => string, count: number) => {
    const tally = { admit: 0, refuse: 0, drop: 0 };
    for (let index = 0; index < count; index++) tally[send(bytes, hosts(index))]++;
    return tally;
  };
  return { clock, counters, told, admission, send, flood };
}
const one = () => '198.51.100.1';
const many = (index: number) => `198.51.${100 + (index >> 8)}.${index & 255}`;

describe('at once', () => {
  test('one stranger may begin so many calls; then it hears 503 as long as there is time, then nothing', () => {
    const { flood, counters } = gate();
    const tally = flood(invite, one, 1_000);
    // Half of the answers are left to those we know.
    expect(tally).toEqual({
      admit: sourceInvites.burst,
      refuse: refusals.burst / 2,
      drop: 1_000 - sourceInvites.burst - refusals.burst / 2,
    });
    expect(counters.overloadDrops).toBe(tally.drop);
  });

  test('many strangers together may begin so many calls', () => {
    expect(gate().flood(invite, many, 1_000).admit).toBe(strangerInvites.burst);
  });

  test('one stranger, and many, may ask so much else', () => {
    expect(gate().flood(options, one, 1_000).admit).toBe(sourceOthers.burst);
    expect(gate().flood(options, many, 1_000).admit).toBe(strangerOthers.burst);
  });

  test('an ACK and a response too many are never answered', () => {
    for (const bytes of [ack, ok]) expect(gate().flood(bytes, one, 1_000).refuse).toBe(0);
  });

  test('garbage is dropped unread and counted, whoever sends it', () => {
    const { flood, counters } = gate();
    expect(flood(Buffer.from('\x16\x03\x01'), () => pbx, 1_000).drop).toBe(1_000);
    expect(counters.malformedMessages).toBe(1_000);
  });

  test('a trusted source has its own measure, and its excess is answered while there is time', () => {
    const { flood } = gate();
    expect(flood(invite, () => pbx, trustedInvites.burst + 100)).toEqual({
      admit: trustedInvites.burst,
      refuse: refusals.burst,
      drop: 100 - refusals.burst,
    });
  });
});

describe('while strangers flood', () => {
  test('a trusted source gets through', () => {
    const { flood, send } = gate();
    flood(invite, many, 10_000);
    flood(options, many, 10_000);
    expect([invite, options, ok].map(bytes => send(bytes, pbx))).toEqual(['admit', 'admit', 'admit']);
  });

  test('what names a running call gets through, from any address', () => {
    const { flood, send } = gate();
    flood(options, many, 10_000);
    flood(options, one, 10_000);
    expect(send(bye, one())).toBe('admit');
    expect(send(bye, '203.0.113.9')).toBe('admit');
    expect(send(options, '203.0.113.9')).not.toBe('admit');
  });

  test('who was asked may answer for 40 s, and may do nothing else', () => {
    const { flood, send, admission, clock } = gate();
    admission.asks('203.0.113.9');
    flood(options, many, 10_000);
    expect(send(ok, '203.0.113.9')).toBe('admit');
    expect(send(options, '203.0.113.9')).not.toBe('admit');
    clock.advance(40_000);
    flood(options, many, 10_000);
    expect(send(ok, '203.0.113.9')).toBe('drop');
  });
});

test('in the long run a stranger may begin 20 calls a second', () => {
  const { flood, clock } = gate();
  let admitted = 0;
  for (let second = 0; second < 20; second++) {
    for (let tenth = 0; tenth < 10; tenth++) {
      admitted += flood(invite, one, 100).admit;
      clock.advance(100);
    }
  }
  expect(admitted).toBeGreaterThan(19 * sourceInvites.perSecond);
  expect(admitted).toBeLessThanOrEqual(20 * sourceInvites.perSecond + sourceInvites.burst);
});

test('a clock that jumps back locks nobody out', () => {
  let nowMs = 1_000_000;
  const clock = new VirtualClock();
  clock.now = () => nowMs;
  const { flood } = gate({ clock });
  flood(invite, one, 1_000);
  nowMs -= 900_000;
  flood(invite, one, 1);
  nowMs += 10_000;
  expect(flood(invite, one, 1_000).admit).toBe(sourceInvites.burst);
});

test('a source is told of once a minute, with how much was ignored; all together six times', () => {
  const { flood, told, clock } = gate();
  flood(options, one, 1_000);
  expect(told).toEqual([{ source: one(), why: 'too many messages', messages: 1 }]);
  clock.advance(30_000);
  flood(options, one, 1_000);
  expect(told).toHaveLength(1);
  clock.advance(30_000);
  flood(options, one, 1_000);
  expect(told).toHaveLength(2);
  expect(told[1]!.messages).toBeGreaterThan(1_500);
  flood(options, many, 100_000);
  expect(told.length).toBeLessThanOrEqual(12);
});

test('so many sources are remembered; the one that was silent for longest begins anew', () => {
  const sources = new Sources(new VirtualClock());
  const first = sources.at('192.0.2.1');
  const second = sources.at('192.0.2.2');
  sources.at('192.0.2.1');
  for (let index = 0; index < sourceLimit - 1; index++) sources.at(many(index));
  expect(sources.size).toBe(sourceLimit);
  expect(sources.at('192.0.2.1')).toBe(first);
  expect(sources.at('192.0.2.2')).not.toBe(second);
});
