/** Calls between two user agents: what each side's controller is told, in order. */
import { describe, expect, test } from 'vitest';
import { LossyNetwork, presets } from '../../../sim/lossy-network.ts';
import { seeded } from '../../../sim/seeded.ts';
import { Phone, type PhoneOptions, sdp } from '../../../sim/sip-phone.ts';
import { VirtualClock } from '../../../sim/virtual-clock.ts';

function world({ caller = {}, callee = {} }: { caller?: Partial<PhoneOptions>; callee?: Partial<PhoneOptions> } = {}) {
  const clock = new VirtualClock();
  const network = new LossyNetwork(clock, seeded(1), presets.perfect);
  const alice = new Phone(clock, network, { address: { host: '192.0.2.1', port: 5060 }, seed: 1, ...caller });
  const bob = new Phone(clock, network, { address: { host: '192.0.2.2', port: 5060 }, seed: 2, ...callee });
  return { clock, network, alice, bob };
}

const target = 'sip:bob@192.0.2.2';

describe('a call', () => {
  test('rings, is answered, and ends when the caller hangs up', () => {
    const { clock, alice, bob } = world();
    alice.dial(target);
    clock.advance(1_000);
    bob.call!.accept(sdp('answer'));
    clock.advance(1_000);
    expect(alice.call!.state).toBe('confirmed');
    expect(bob.call!.state).toBe('confirmed');
    alice.call!.hangUp();
    clock.advance(100);
    expect(alice.heard).toEqual(['progress 180', 'answered answer', 'ended by us']);
    expect(bob.heard).toEqual(['invite offer', 'answered', 'ended by them']);
    expect([alice.userAgent.alive.calls, bob.userAgent.alive.calls]).toEqual([0, 0]);
    clock.advance(60_000);
    expect(clock.armed).toEqual([]);
  });
});
