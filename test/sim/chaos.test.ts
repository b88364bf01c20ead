/** Bad days of a whole device, on virtual time: what installers, networks, callers and neighbours do to it. */
import { expect, test } from 'vitest';
import { ready } from './ready.ts';
import { decibels, toneLevel } from './tone.ts';
import { building, DEVICE, type World } from './world.ts';

const FRONT = `sip:front@${DEVICE.host}:${DEVICE.port}`;
const onPort = (port: number) => ({ sip: { ...building.sip, listen: { ...building.sip.listen, port } } });
/** Time in which parts may stop and start, which is promised and not timed. */
const settles = (world: World, ms: number) => world.until(() => false, ms);

test('a SIP port that is taken is tried again until it can be had, and the device registers then', async () => {
  const { world, intercom, told, apply, press, state, led } = await ready();
  world.refusedPorts.set(DEVICE.host, 'this machine has no such address');
  apply(onPort(5062));
  await settles(world, 20_000);
  expect(told('sip', 'socket failed')).toHaveLength(1);
  expect(intercom.status().accounts.pbx?.detail).toContain('no such address');
  expect(led()).toBe('double-flash');
  world.refusedPorts.clear();
  await world.until(() => intercom.status().accounts.pbx?.state === 'registered', 120_000);
  expect(told('sip', 'socket open')).toHaveLength(1);
  await press();
  expect(state()).toBe('ringback');
});

test('stopped while its SIP port is taken, nothing stays armed', async () => {
  const { world, intercom, apply, desk } = await ready();
  world.refusedPorts.set(DEVICE.host, 'taken');
  apply(onPort(5062));
  await settles(world, 3_000);
  await world.finish(intercom.stop());
  await world.finish(desk.stop());
  await world.run(64_000);
  expect(world.clock.armed).toEqual([]);
});

test('a document does not shut a door that is open: it waits for it', async () => {
  const { world, intercom, device, told, apply } = await ready();
  intercom.perform({ do: 'open', door: 'main' }, 'cli');
  await world.run(500);
  apply(onPort(5062));
  expect(told('config', 'waiting')[0]).toMatchObject({ why: 'a door is open' });
  await world.run(2_000);
  expect(device.output('relay-1')).toBe(true);
  await settles(world, 3_000);
  expect(intercom.config.sip.listen.port).toBe(5062);
  expect(device.output('relay-1')).toBe(false);
});

test('of two documents that come as a call ends the later one wins', async () => {
  const { world, press, desk, intercom, apply } = await ready();
  await press();
  desk.calls[0]!.answer();
  await world.run(300);
  apply(onPort(5062));
  // In the same instant as the end of the call, before what waited has been taken over.
  intercom.onEvent(event => {
    if (event.source === 'call' && event.type === 'ended') world.clock.after(0, () => apply(onPort(5063)));
  });
  desk.calls[0]!.hangUp();
  await settles(world, 10_000);
  expect(intercom.config.sip.listen.port).toBe(5063);
});

test('twenty presses in three seconds are one call', async () => {
  const { world, device, desk, told, state } = await ready();
  for (let press = 0; press < 20; press++) {
    device.hold('button-1', true);
    await world.run(75);
    device.hold('button-1', false);
    await world.run(75);
  }
  expect(told('button', 'pressed')).toHaveLength(20);
  expect(desk.calls).toHaveLength(1);
  expect(state()).toBe('ringback');
});

test('a relay is never closed longer than its limit, whoever asks and however often it is moved', async () => {
  const { world, intercom, device, press, desk } = await ready();
  await press();
  desk.calls[0]!.answer();
  await world.run(300);
  desk.calls[0]!.sendKeys('55#55#55#');
  let closedMs = 0;
  let longestMs = 0;
  for (let step = 0; step < 2_000; step++) {
    if (step % 97 === 0 && step < 400) intercom.perform({ do: 'open', door: 'main' }, 'mqtt');
    if (step === 300) world.wallJumpMs = -86_400_000;
    await world.run(10);
    closedMs = device.output('relay-1') ? closedMs + 10 : 0;
    longestMs = Math.max(longestMs, closedMs);
  }
  expect(longestMs).toBeGreaterThan(2_900);
  // Each new opening begins a new time; the last one came at 3.88 s.
  expect(longestMs).toBeLessThan(3_880 + 3_100);
  expect(device.output('relay-1')).toBe(false);
});

for (const when of ['opening', 'calling', 'ringback', 'talking'] as const) {
  test(`hung up while ${when}, an outgoing call ends on both sides and the next one works`, async () => {
    const { world, desk, intercom, state } = await ready({}, call => {
      if (when === 'ringback' || when === 'talking') call.ring();
      if (when === 'talking') call.answer();
    });
    expect(intercom.perform({ do: 'call', target: 'desk' }, 'cli')).toEqual({ done: true });
    if (when !== 'opening') await world.run(when === 'calling' ? 3 : 300);
    intercom.perform({ do: 'hang up' }, 'cli');
    intercom.perform({ do: 'hang up' }, 'cli');
    await world.run(40_000);
    expect(state()).toBe('idle');
    expect(desk.calls.filter(call => call.state !== 'ended')).toEqual([]);
    expect(intercom.alive).toMatchObject({ calls: 0, deviceCalls: 0 });
    expect(intercom.perform({ do: 'call', target: 'desk' }, 'cli')).toEqual({ done: true });
    await world.run(300);
    expect(desk.calls.filter(call => call.state !== 'ended')).toHaveLength(1);
  });
}

test('a call that comes in the same instant as a press: one of the two is up, the other told', async () => {
  const { world, desk, device, state } = await ready();
  const incoming = desk.call(FRONT);
  device.hold('button-1', true);
  await world.run(150);
  device.hold('button-1', false);
  await world.run(2_000);
  const up = [incoming, ...desk.calls].filter(call => call.state !== 'ended');
  expect(new Set(up).size).toBe(1);
  expect(state()).not.toBe('idle');
});

test('two hundred calls of every kind leave no port, no transaction and no timer behind', async () => {
  let turn = 0;
  const { world, desk, intercom, state } = await ready({}, call => {
    if (turn % 5 === 0) call.refuse(turn % 10 === 0 ? 486 : 603);
    else if (turn % 5 === 1) call.answer();
    else call.ring();
  });
  const quiet = () => world.until(() => intercom.alive.transactions === 0, 60_000);
  await world.run(64_000);
  await quiet();
  const before = { ports: world.sound.openPorts, armed: [...new Set(world.clock.armed)].sort() };
  for (; turn < 200; turn++) {
    if (turn % 7 === 0) desk.call(FRONT, { page: turn % 2 === 0 });
    else intercom.perform({ do: 'call', target: 'desk' }, 'cli');
    await world.run(turn % 3 === 0 ? 2 : 250);
    if (turn % 4 === 0) for (const call of desk.calls) call.hangUp();
    intercom.perform({ do: 'hang up' }, 'cli');
    await world.run(200);
  }
  await world.run(70_000);
  await quiet();
  expect(state()).toBe('idle');
  expect(intercom.alive).toMatchObject({ transactions: 0, calls: 0, deviceCalls: 0 });
  expect({ ports: world.sound.openPorts, armed: [...new Set(world.clock.armed)].sort() }).toEqual(before);
});

test('with two lines a second call joins the first; a key acts in its own call; hanging up ends both', async () => {
  const autoAnswer = { ...building.calls.autoAnswer, whenBusy: 'hold' };
  const { world, desk, device, intercom, told, state } = await ready(
    { sip: { ...building.sip, maxCalls: 2 }, calls: { ...building.calls, autoAnswer } },
    call => call.answer(),
  );
  intercom.perform({ do: 'call', target: 'desk' }, 'cli');
  await world.run(500);
  const second = desk.call(FRONT, { page: true });
  await world.run(500);
  expect(intercom.perform({ do: 'join' }, 'cli')).toEqual({ done: true });
  await world.run(500);
  expect([state(), second.state, intercom.status().otherCalls.length]).toEqual(['talking', 'talking', 1]);
  second.sendKeys('5');
  desk.calls[0]!.sendKeys('5#');
  await world.run(3_000);
  expect(device.output('relay-1')).toBe(false);
  second.sendKeys('5#');
  await world.run(800);
  expect(told('door', 'unlocked')).toHaveLength(1);
  expect(intercom.perform({ do: 'call', target: 'desk' }, 'cli')).toMatchObject({ code: 'not now' });
  intercom.perform({ do: 'hang up' }, 'cli');
  await world.run(500);
  expect([state(), second.state, intercom.status().otherCalls.length]).toEqual(['idle', 'ended', 0]);
});

test('answered twice, an incoming call is answered once', async () => {
  const { world, desk, intercom, told, state } = await ready();
  const call = desk.call(FRONT);
  await world.run(300);
  expect(intercom.perform({ do: 'answer' }, 'cli')).toEqual({ done: true });
  expect(intercom.perform({ do: 'answer' }, 'cli')).toMatchObject({ done: false, code: 'not now' });
  await world.run(300);
  expect([state(), call.state, told('call', 'answered').length]).toEqual(['talking', 'talking', 1]);
});

for (const who of ['device', 'desk', 'both'] as const)
  for (const when of ['opening', 'ringing', 'being answered', 'talking'] as const)
    test(`an incoming call that is ${when} and hung up by ${who} ends everywhere, and the next press calls`, async () => {
      const { world, desk, intercom, press, state, told } = await ready();
      const call = desk.call(FRONT);
      await world.run(when === 'opening' ? 2 : 300);
      if (when === 'being answered' || when === 'talking') intercom.perform({ do: 'answer' }, 'cli');
      if (when === 'talking') await world.run(300);
      if (who !== 'desk') intercom.perform({ do: 'hang up' }, 'cli');
      if (who !== 'device') call.hangUp();
      await world.run(40_000);
      expect([state(), call.state]).toEqual(['idle', 'ended']);
      expect(told('call', 'ended').length).toBe(told('call', 'incoming').length);
      expect(intercom.alive).toMatchObject({ calls: 0, deviceCalls: 0 });
      await press();
      expect(state()).toBe('ringback');
    });

test('fifty documents in a row, each of which restarts a part, end with the last, with one of everything', async () => {
  const { world, intercom, apply, press, state, told } = await ready();
  for (let count = 0; count < 50; count++) {
    apply({ ...onPort(5100 + count), doors: { main: { relay: count % 2 === 0 ? 'relay-2' : 'relay-1' } } });
    await settles(world, count % 7 === 0 ? 400 : 20);
  }
  await settles(world, 10_000);
  expect(intercom.config.sip.listen.port).toBe(5149);
  expect(intercom.status().accounts.pbx?.state).toBe('registered');
  expect(told('config', 'refused')).toEqual([]);
  await press();
  expect(state()).toBe('ringback');
});

test('a flood of keys in a call opens once for each right code, and is over with the limit of wrong ones', async () => {
  const { world, press, desk, told } = await ready();
  await press();
  const call = desk.calls[0]!;
  call.answer();
  await world.run(300);
  for (let turn = 0; turn < 12; turn++) {
    call.sendKeys(`${100 + turn}#`);
    await world.run(800);
  }
  const wrong = told('door', 'wrong code').length;
  expect(wrong).toBeLessThanOrEqual(5);
  call.sendKeys('55#');
  await world.run(1_000);
  expect(told('door', 'unlocked')).toEqual([]);
});

test('a second call that rings and gives up leaves the ringback of the first to be heard', async () => {
  const { world, device, desk, press, state } = await ready({ sip: { ...building.sip, maxCalls: 2 } });
  await press();
  const second = desk.call(FRONT);
  await world.run(500);
  second.hangUp();
  await world.run(4_000);
  expect([state(), second.state]).toEqual(['ringback', 'ended']);
  // A cadence of one second on and four off (ITU-T E.180): within five it is heard.
  await world.run(5_000);
  expect(decibels(toneLevel(device.ears.heard(5_000), 425, 8_000) / 32_768)).toBeGreaterThan(-40);
});
