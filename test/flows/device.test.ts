/** Golden ladders of a whole device: packets between the posts, what the device and the desk do beside them. */
import { expect, test } from 'vitest';
import { presets } from '../sim/lossy-network.ts';
import { HALL } from '../sim/two-desks.ts';
import { building, DESK, DEVICE, World } from '../sim/world.ts';

/** `     123 192.0.2.10:5060 -> 192.0.2.1:5060 INVITE …` as a person draws it. */
function ladder(trace: readonly string[]): string {
  const names: Record<string, string> = {
    [`${DEVICE.host}:5060`]: 'device',
    [`${DESK.host}:5060`]: 'desk',
    [`${HALL.host}:5060`]: 'hall',
  };
  const drawn = trace.map(line => {
    const packet = /^ *(\d+) (\S+:\d+) (\S+) (\S+:\d+) (.*)$/.exec(line);
    if (packet !== null) {
      const [, at, from, , to, firstLine] = packet;
      const [left, right] = [names[from!]!, names[to!]!];
      const arrow = right === 'device' ? `device ◀── ${left}` : `${left} ──▶ ${right}`;
      return `${stamp(at!)}  ${arrow}   ${firstLine!.replace(' SIP/2.0', '').replace('SIP/2.0 ', '')}`;
    }
    const [, at, who, what] = /^ *(\d+) (\w+): (.*)$/.exec(line)!;
    return `${stamp(at!)}  ${who === 'device' ? '│' : '                       │'} ${what}`;
  });
  return `${drawn.join('\n')}\n`;
}

const stamp = (ms: string) => `${(Number(ms) / 1000).toFixed(3).padStart(7)} s`;

async function played(
  story: (world: World, desk: ReturnType<World['desk']>, device: ReturnType<World['device']>) => Promise<void>,
) {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const desk = world.desk();
  const device = world.device(building);
  await world.until(() => device.intercom.status().accounts.pbx?.state === 'registered', 5_000);
  await story(world, desk, device);
  return ladder(world.trace);
}

test('press, talk, a wrong code, the right one, hang up', async () => {
  const drawn = await played(async (world, { desk }, device) => {
    device.hold('button-1', true);
    await world.run(200);
    device.hold('button-1', false);
    await world.run(1_000);
    desk.calls[0]!.answer();
    await world.run(1_000);
    desk.calls[0]!.sendKeys('99#');
    await world.run(1_000);
    desk.calls[0]!.sendKeys('55#');
    await world.run(4_000);
    desk.calls[0]!.hangUp();
    await world.run(100);
  });
  await expect(drawn).toMatchFileSnapshot('press-talk-open.flow');
});

test('a page from the desk, and one from a stranger', async () => {
  const drawn = await played(async (world, { desk }) => {
    const page = desk.call(`sip:front@${DEVICE.host}`, { page: true });
    await world.run(2_000);
    page.hangUp();
    await world.run(100);
    const strange = desk.call(`sip:front@${DEVICE.host}`, { page: true, caller: 'stranger' });
    await world.run(2_000);
    strange.hangUp();
    await world.run(100);
  });
  await expect(drawn).toMatchFileSnapshot('page.flow');
});

/** The desk's call is answered, and a second line is there. */
async function inCall(changes: object = {}) {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const desk = world.desk();
  const hall = world.desk({ address: HALL, user: 'hall' });
  const device = world.device({
    ...building,
    sip: { ...building.sip, maxCalls: 2, sessionTimer: '0 s' },
    contacts: { ...building.contacts, hall: { uri: `sip:hall@${HALL.host}` } },
    ...changes,
  });
  const { intercom } = device;
  await world.until(() => intercom.status().accounts.pbx?.state === 'registered', 5_000);
  const does = async (action: Parameters<typeof intercom.perform>[0]) => {
    expect(intercom.perform(action, 'cli')).toEqual({ done: true });
    await world.run(1_000);
  };
  const call = desk.desk.call(`sip:front@${DEVICE.host}`);
  await world.run(500);
  await does({ do: 'answer' });
  return { world, desk: desk.desk, hall: hall.desk, call, does };
}

test('a call goes on hold and comes back, from either side (RFC 5359 §2.1, RFC 3264 §8.4)', async () => {
  const { world, call, does } = await inCall();
  await does({ do: 'hold' });
  await does({ do: 'resume' });
  call.offer('inactive');
  await world.run(1_000);
  call.offer('sendrecv');
  await world.run(1_000);
  await does({ do: 'hang up' });
  await expect(ladder(world.trace)).toMatchFileSnapshot('device-hold.flow');
});

test('a consultation, and the two are connected: REFER with Replaces (RFC 5359 §2.5)', async () => {
  const { world, hall, does } = await inCall();
  await does({ do: 'call', target: 'hall' });
  hall.calls[0]!.answer();
  await world.run(1_000);
  await does({ do: 'transfer' });
  await expect(ladder(world.trace)).toMatchFileSnapshot('device-transfer-attended.flow');
});

test('the device passes a call on: REFER (RFC 5359 §2.4)', async () => {
  const { world, hall, does } = await inCall();
  await does({ do: 'transfer', target: 'hall' });
  hall.calls[0]!.answer();
  await world.run(1_000);
  await expect(ladder(world.trace)).toMatchFileSnapshot('device-transfer.flow');
});

test('a conference at the device (RFC 5359 §2.10)', async () => {
  const { world, hall, does } = await inCall();
  hall.call(`sip:front@${DEVICE.host}`);
  await world.run(500);
  await does({ do: 'answer' });
  await does({ do: 'join' });
  await does({ do: 'hang up', target: 'hall' });
  await does({ do: 'hang up' });
  await expect(ladder(world.trace)).toMatchFileSnapshot('device-conference.flow');
});

test('a caller waits for a line: 182 Queued (RFC 3261 §21.1.4)', async () => {
  const waiting = { limit: 1, for: '60 s' };
  const { world, call, hall, does } = await inCall({
    sip: { ...building.sip, maxCalls: 1, sessionTimer: '0 s' },
    calls: { ...building.calls, waiting },
  });
  hall.call(`sip:front@${DEVICE.host}`);
  await world.run(2_000);
  call.hangUp();
  await world.run(1_000);
  await does({ do: 'answer' });
  await does({ do: 'hang up' });
  await expect(ladder(world.trace)).toMatchFileSnapshot('device-queued.flow');
});
