import { describe, expect, test } from 'vitest';
import { GroupPort } from '../../../firmware/media/group-port.ts';
import { SimulatedMediaNetwork } from '../../sim/media-network.ts';
import { seeded } from '../../sim/seeded.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const GROUP = { host: '239.1.1.1', port: 5_000 };

function joined() {
  const clock = new VirtualClock();
  const network = new SimulatedMediaNetwork(clock, seeded(1));
  const told: (string | undefined)[] = [];
  const state = { busy: false };
  const port = new GroupPort(GROUP, {
    clock,
    random: seeded(2),
    network: network.multicast('192.0.2.1'),
    onPacket: () => {},
    isBusy: () => state.busy,
    onChange: why => told.push(why),
  });
  port.start();
  return { clock, network, port, told, state };
}

describe('membership', () => {
  test('is said anew every 30 to 60 s, but not while packets come', () => {
    const { clock, network, state } = joined();
    clock.advance(600_000);
    expect(network.renewals).toBeGreaterThanOrEqual(10);
    expect(network.renewals).toBeLessThanOrEqual(20);
    const before = network.renewals;
    state.busy = true;
    clock.advance(600_000);
    expect(network.renewals).toBe(before);
  });

  test('that is lost is told once, and comes back by itself', () => {
    const { clock, network, told } = joined();
    network.refusedGroups.set(GROUP.host, 'the cable is out');
    clock.advance(120_000);
    expect(network.membersOf(GROUP)).toEqual([]);
    network.refusedGroups.clear();
    clock.advance(10_000);
    expect(network.membersOf(GROUP)).toEqual(['192.0.2.1']);
    expect(told).toEqual([undefined, 'the cable is out', undefined]);
  });

  test('ends for good', () => {
    const { clock, network, port } = joined();
    port.stop();
    expect(network.membersOf(GROUP)).toEqual([]);
    expect(clock.armed).toEqual([]);
  });
});
