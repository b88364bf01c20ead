/** `porter paging test`: what a device says of the multicast that arrives, or does not. */
import { describe, expect, test } from 'vitest';
import type { PagingTest } from '../../firmware/controller/paging-test.ts';
import { presets } from './lossy-network.ts';
import { Pager } from './pager.ts';
import { building, tone, World } from './world.ts';

const ALL = { host: '239.1.1.1', port: 5_000 };
const YARD = { host: '239.1.1.2', port: 5_001 };

async function speaker(paging: object = defaults) {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const device = world.device({ ...building, paging }, tone(600));
  await world.run(100);
  const ask = async () => {
    let result: PagingTest | { why: string } | undefined;
    device.intercom.pagingTest(found => {
      result = found;
    });
    await world.run(3_100);
    return result;
  };
  return { world, device, ask };
}

const defaults = {
  groups: {
    all: { address: ALL.host, port: ALL.port },
    yard: { address: YARD.host, port: YARD.port, format: 'polycom', channel: 26 },
    next: { address: YARD.host, port: YARD.port, format: 'polycom', channel: 27 },
  },
};

describe('a test of the groups', () => {
  test('is heard where multicast arrives, and is no page to anybody', async () => {
    const { world, device, ask } = await speaker();
    new Pager({ clock: world.clock, network: world.sound }, { hz: 440, to: ALL }).talk();
    await world.run(1_000);
    expect(await ask()).toMatchObject({
      groups: {
        all: { arrives: true, packets: 50 },
        yard: { arrives: true, packets: 0 },
        next: { arrives: true, packets: 0 },
      },
    });
    expect(device.intercom.status().paging.groups.yard).toMatchObject({ pages: 0, malformed: 0 });
  });

  test('is not heard where a firewall keeps it away, or where the group cannot be joined', async () => {
    const { world, ask } = await speaker();
    world.sound.deafGroups.add(ALL.host);
    world.sound.refusedGroups.set(YARD.host, 'no network leads to it');
    // Until the next renewal of the membership.
    await world.run(70_000);
    expect(await ask()).toMatchObject({
      groups: { all: { arrives: false }, yard: { why: 'no network leads to it' } },
    });
  });

  test('sends three packets to each address', async () => {
    const { world, ask } = await speaker();
    const sent: string[] = [];
    world.sound.onPage = (_bytes, _from, to) => sent.push(to.host);
    await ask();
    expect(sent.sort()).toEqual([ALL.host, ALL.host, ALL.host, YARD.host, YARD.host, YARD.host]);
  });

  test('needs groups', async () => {
    const { ask } = await speaker({});
    expect(await ask()).toEqual({ why: 'no paging groups are configured (paging.groups)' });
  });

  test('is answered, and leaves nothing armed, when the device stops in its midst', async () => {
    const { world, device } = await speaker();
    let result: unknown;
    device.intercom.pagingTest(found => {
      result = found;
    });
    await world.run(50);
    await world.finish(device.intercom.stop());
    expect(result).toEqual({ why: 'the device is stopping' });
    expect(world.clock.armed.filter(name => name.includes('paging'))).toEqual([]);
  });

  test('answers all who ask at once', async () => {
    const { world, device } = await speaker();
    const results: unknown[] = [];
    for (let asks = 0; asks < 3; asks++) device.intercom.pagingTest(found => results.push(found));
    await world.run(3_100);
    expect(results).toHaveLength(3);
    expect(results[1]).toEqual(results[0]);
  });
});

describe('who asks for members', () => {
  const querier = async (ask: () => Promise<unknown>) => ((await ask()) as PagingTest).querier;

  test('is known once he has asked, until he has not for longer than he would wait', async () => {
    const { world, ask } = await speaker();
    expect(await querier(ask)).toMatchObject({ is: 'not yet' });
    world.sound.query('192.0.2.1');
    await world.run(60_000);
    expect(await querier(ask)).toMatchObject({ is: 'heard', from: '192.0.2.1' });
    await world.run(255_000);
    expect(await querier(ask)).toMatchObject({ is: 'none' });
  });

  test('may be nobody: that is said after four minutes', async () => {
    const { world, ask } = await speaker();
    await world.run(240_000);
    expect(await querier(ask)).toMatchObject({ is: 'not yet' });
    await world.run(20_000);
    expect(await querier(ask)).toMatchObject({ is: 'none' });
  });
});
