/** Several calls at one device: who is heard, who waits on hold, who is joined with whom, and who is passed on. */
import { describe, expect, test } from 'vitest';
import { toneLevel } from './tone.ts';
import { FRONT, twoDesks } from './two-desks.ts';
import { building, DESK } from './world.ts';

describe('a second call that is answered', () => {
  test('holds the first, which hears nothing and is not heard', async () => {
    const { talkWithBoth, hears, states, told } = await twoDesks();
    await talkWithBoth();
    expect(states()).toEqual(['hall talking', 'desk held']);
    expect([hears('device'), hears('desk'), hears('hall')]).toEqual([['hall'], [], ['device']]);
    expect(told('call', 'held')).toMatchObject([{ remote: `sip:desk@${DESK.host}:5060`, by: 'us' }]);
  });

  test('gives the first back when it ends', async () => {
    const { talkWithBoth, hears, states, world } = await twoDesks();
    const { second } = await talkWithBoth();
    second.hangUp();
    await world.run(1_500);
    expect(states()).toEqual(['desk talking']);
    expect([hears('device'), hears('desk')]).toEqual([['desk'], ['device']]);
  });

  test('knocks with the waiting tone instead of ringing aloud', async () => {
    const { world, desk, hall, does, device } = await twoDesks();
    desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(500);
    hall.call(FRONT);
    await world.run(150);
    expect(toneLevel(device.ears.heard(100), 425, 8_000)).toBeGreaterThan(2_000);
    desk.calls[0]!.hangUp();
    await world.run(900);
    // Alone now, it rings: two notes in turn.
    expect(toneLevel(device.ears.heard(600), 880, 8_000)).toBeGreaterThan(1_000);
  });
});

describe('hold and resume', () => {
  test('somebody who asks for it is held until he asks otherwise', async () => {
    const { world, desk, does, hears, states } = await twoDesks();
    desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    expect(does({ do: 'hold' })).toEqual({ done: true });
    await world.run(60_000);
    expect(states()).toEqual(['desk held']);
    expect([hears('device'), hears('desk')]).toEqual([[], []]);
    expect(does({ do: 'resume' })).toEqual({ done: true });
    await world.run(1_000);
    expect([hears('device'), hears('desk')]).toEqual([['desk'], ['device']]);
  });

  test('resume changes from one to the other', async () => {
    const { talkWithBoth, does, world, hears, states } = await twoDesks();
    await talkWithBoth();
    expect(does({ do: 'resume', target: 'desk' })).toEqual({ done: true });
    await world.run(1_500);
    expect(states()).toEqual(['desk talking', 'hall held']);
    expect([hears('device'), hears('desk'), hears('hall')]).toEqual([['desk'], ['device'], []]);
  });

  test.each(['sendonly', 'inactive'] as const)('the far end holds by %s, for as long as it likes', async direction => {
    const { world, desk, does, hears, states, told, intercom } = await twoDesks();
    const call = desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    call.offer(direction);
    if (direction === 'sendonly') call.mute();
    await world.run(60_000);
    expect(states()).toEqual(['desk held']);
    expect(intercom.status().call.held).toBe('there');
    expect(intercom.status().buttons.front!.led).toBe('blink-slow');
    expect(hears('desk')).toEqual([]);
    call.offer('sendrecv');
    await world.run(1_000);
    expect(states()).toEqual(['desk talking']);
    expect(hears('desk')).toEqual(['device']);
    expect([told('call', 'held'), told('call', 'resumed')].map(events => events.map(({ by }) => by))).toEqual([
      ['them'],
      ['them'],
    ]);
  });

  test('both hold, and each is told apart', async () => {
    const { world, desk, does, intercom, states, hears } = await twoDesks();
    const call = desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    does({ do: 'hold' });
    await world.run(500);
    call.offer('sendonly');
    await world.run(500);
    expect(intercom.status().call.held).toBe('both');
    does({ do: 'resume' });
    await world.run(500);
    expect(intercom.status().call.held).toBe('there');
    call.offer('sendrecv');
    await world.run(1_000);
    expect(states()).toEqual(['desk talking']);
    expect([hears('device'), hears('desk')]).toEqual([['desk'], ['device']]);
  });

  test('both hold at the same moment: the offers cross, and both arrive', async () => {
    const { world, desk, does, intercom, hears } = await twoDesks();
    const call = desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    does({ do: 'hold' });
    call.offer('sendonly');
    await world.run(10_000);
    expect(intercom.status().call.held).toBe('both');
    expect([hears('device'), hears('desk')]).toEqual([[], []]);
  });

  test('a code that is keyed in on hold opens nothing', async () => {
    const { world, desk, does, told, device } = await twoDesks();
    const call = desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    does({ do: 'hold' });
    await world.run(500);
    for (const key of '55#') call.sendInfo(key);
    await world.run(2_000);
    expect(told('call', 'key')).toHaveLength(3);
    expect(device.output('relay-1')).toBe(false);
  });

  test('asked for in vain it says why', async () => {
    const { talkWithBoth, does } = await twoDesks();
    expect(does({ do: 'hold' })).toMatchObject({ done: false, why: 'no call is talked in' });
    expect(does({ do: 'resume' })).toMatchObject({ done: false, why: 'no call is on hold here' });
    expect(does({ do: 'join' })).toMatchObject({ done: false, why: expect.stringContaining('there are 0') });
    expect(does({ do: 'transfer', target: 'hall' })).toMatchObject({ done: false, why: 'no call is answered' });
    await talkWithBoth();
    expect(does({ do: 'hold', target: 'nobody' })).toMatchObject({ code: 'unknown name' });
    expect(does({ do: 'resume', target: 'hall' })).toMatchObject({ code: 'not now' });
    expect(does({ do: 'hold', target: 'hall' })).toEqual({ done: true });
    expect(does({ do: 'resume' })).toMatchObject({ code: 'bad request', why: expect.stringContaining('say which') });
  });
});

describe('joined calls', () => {
  test('all hear each other, and nobody himself', async () => {
    const { talkWithBoth, does, world, hears, intercom, states } = await twoDesks();
    await talkWithBoth();
    expect(does({ do: 'join' })).toEqual({ done: true });
    await world.run(2_000);
    expect(states()).toEqual(['desk talking', 'hall talking']);
    expect([hears('device'), hears('desk'), hears('hall')]).toEqual([
      ['desk', 'hall'],
      ['device', 'hall'],
      ['device', 'desk'],
    ]);
    expect(intercom.status().call.joined).toBe(true);
  });

  test('the one who is left talks with the device alone', async () => {
    const { talkWithBoth, does, world, hears, intercom } = await twoDesks();
    const { first } = await talkWithBoth();
    does({ do: 'join' });
    await world.run(1_000);
    first.hangUp();
    await world.run(1_500);
    expect([hears('device'), hears('hall')]).toEqual([['hall'], ['device']]);
    expect(intercom.status().call.joined).toBeUndefined();
  });

  test('one alone can be hung up, and all', async () => {
    const { talkWithBoth, does, world, states } = await twoDesks();
    await talkWithBoth();
    does({ do: 'join' });
    await world.run(1_000);
    expect(does({ do: 'hang up', target: 'hall' })).toEqual({ done: true });
    await world.run(500);
    expect(states()).toEqual(['desk talking']);
    expect(does({ do: 'hang up' })).toEqual({ done: true });
    await world.run(500);
    expect(states()).toEqual(['idle']);
  });

  test('held together they come back together', async () => {
    const { talkWithBoth, does, world, hears } = await twoDesks();
    await talkWithBoth();
    does({ do: 'join' });
    await world.run(1_000);
    does({ do: 'hold' });
    await world.run(1_000);
    expect([hears('device'), hears('desk'), hears('hall')]).toEqual([[], [], []]);
    expect(does({ do: 'resume' })).toEqual({ done: true });
    await world.run(1_500);
    expect(hears('hall')).toEqual(['device', 'desk']);
  });
});

describe('a call is passed on', () => {
  test('without a word before: the device is out of it when the other answers', async () => {
    const { world, desk, hall, does, hears, states, told } = await twoDesks();
    const call = desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    expect(does({ do: 'transfer', target: 'hall' })).toEqual({ done: true });
    expect(does({ do: 'transfer', target: 'hall' })).toMatchObject({ done: false, code: 'not now' });
    await world.run(500);
    expect(hears('desk')).toEqual([]);
    hall.calls[0]!.answer();
    await world.run(2_000);
    expect([states(), call.state]).toEqual([['idle'], 'ended']);
    expect(told('call', 'transferred')).toHaveLength(1);
    expect([hears('desk'), hears('hall')]).toEqual([['hall'], ['desk']]);
  });

  test('to somebody who is busy: the call comes back', async () => {
    const { world, desk, hall, does, hears, states, told } = await twoDesks();
    desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    does({ do: 'transfer', target: 'hall' });
    await world.run(500);
    hall.calls[0]!.refuse(486);
    await world.run(1_500);
    expect(told('call', 'transfer failed')).toMatchObject([{ status: 486 }]);
    expect(states()).toEqual(['desk talking']);
    expect([hears('device'), hears('desk')]).toEqual([['desk'], ['device']]);
  });

  test('to the other call: the two go on without us', async () => {
    const { talkWithBoth, does, world, hears, states, desk, hall } = await twoDesks();
    await talkWithBoth();
    expect(does({ do: 'transfer' })).toEqual({ done: true });
    await world.run(3_000);
    expect(states()).toEqual(['idle']);
    expect([hears('desk'), hears('hall')]).toEqual([['hall'], ['desk']]);
    expect([desk.calls, hall.calls].map(calls => calls.map(({ state }) => state))).toEqual([['talking'], ['talking']]);
  });

  test('to the other call, which hangs up first: the one that was to be passed on comes back', async () => {
    const { talkWithBoth, does, world, hears, states, hall, told } = await twoDesks();
    const { second } = await talkWithBoth();
    hall.onReplacement = call => {
      second.hangUp();
      call.refuse(486);
    };
    does({ do: 'transfer' });
    await world.run(3_000);
    expect(told('call', 'transfer failed')).toHaveLength(1);
    expect(states()).toEqual(['desk talking']);
    expect([hears('device'), hears('desk')]).toEqual([['desk'], ['device']]);
  });

  test('by the far end: the old call is silent while the new one rings', async () => {
    const calls = { ...building.calls, transfer: { allow: ['*'] } };
    const { world, desk, hall, does, hears, states, told } = await twoDesks({ calls });
    const call = desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    call.transfer('sip:hall@192.0.2.2');
    await world.run(1_000);
    expect([hears('desk'), hears('device').includes('desk')]).toEqual([[], false]);
    hall.calls[0]!.answer();
    await world.run(1_500);
    expect(states()).toEqual(['hall talking']);
    expect([hears('device'), hears('hall')]).toEqual([['hall'], ['device']]);
    // It is ended, and not held before.
    expect(told('call', 'held')).toEqual([]);
  });

  test('by the far end, to somebody who declines: the old call goes on', async () => {
    const calls = { ...building.calls, transfer: { allow: ['*'] } };
    const { world, desk, hall, does, hears, states } = await twoDesks({ calls });
    const call = desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(1_000);
    call.transfer('sip:hall@192.0.2.2');
    await world.run(1_000);
    hall.calls[0]!.refuse(603);
    await world.run(5_000);
    expect(call.transferred.at(-1)).toBe(603);
    expect(states()).toEqual(['desk talking']);
    expect([hears('device'), hears('desk')]).toEqual([['desk'], ['device']]);
  });
});

test('a second call of our own holds the first, and brings it back where nobody answers', async () => {
  const { world, desk, hall, does, hears, states } = await twoDesks();
  desk.call(FRONT);
  await world.run(300);
  does({ do: 'answer' });
  await world.run(1_000);
  expect(does({ do: 'call', target: 'hall' })).toEqual({ done: true });
  await world.run(1_000);
  expect(states()).toContain('desk held');
  expect(hears('desk')).toEqual([]);
  hall.calls[0]!.refuse(486);
  await world.run(5_000);
  expect(states()).toEqual(['desk talking']);
  expect([hears('device'), hears('desk')]).toEqual([['desk'], ['device']]);
});
