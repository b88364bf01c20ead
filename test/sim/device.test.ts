/** A whole device on virtual time, one behaviour at a time: who rings, who is answered, what a press means, what ends. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../firmware/config/parse.ts';
import { wavHeader } from '../../hal/audio/wav.ts';
import { presets } from './lossy-network.ts';
import { ready } from './ready.ts';
import { decibels, sine, toneLevel } from './tone.ts';
import { building, DESK, DEVICE, World } from './world.ts';

const RATE = 8_000;
const FRONT = `sip:front@${DEVICE.host}:${DEVICE.port}`;

test('the lamp and the state follow a call from the press to the end', async () => {
  const { world, press, state, led, desk } = await ready();
  expect([state(), led()]).toEqual(['idle', 'off']);
  await press();
  expect([state(), led()]).toEqual(['ringback', 'blink-slow']);
  desk.calls[0]!.answer();
  await world.run(100);
  expect([state(), led()]).toEqual(['talking', 'on']);
  desk.calls[0]!.hangUp();
  await world.run(100);
  expect([state(), led()]).toEqual(['idle', 'off']);
});

test('where it hangs is part of its status', async () => {
  const { intercom } = await ready({ device: { location: 'Main entrance' } });
  expect(intercom.status().device.location).toBe('Main entrance');
});

test('while it cannot call, the lamp says so', async () => {
  const { world, intercom, led } = await ready({
    sip: { ...building.sip, accounts: { pbx: { ...building.sip.accounts.pbx, password: 'wrong' } } },
  });
  await world.run(5_000);
  expect(intercom.status().accounts.pbx?.state).not.toBe('registered');
  expect(led()).toBe('double-flash');
});

test('a registration is told once, however often it is refreshed', async () => {
  const { world, told } = await ready();
  await world.run(600_000);
  expect(told('sip', 'registered')).toHaveLength(1);
});

test('ringback is heard while the desk rings, and the hang-up tone when it has ended', async () => {
  const { world, device, press, desk } = await ready();
  await press();
  await world.run(500);
  expect(decibels(toneLevel(device.ears.heard(300), 425, RATE) / 32_768)).toBeGreaterThan(-30);
  desk.calls[0]!.answer();
  await world.run(1_000);
  desk.calls[0]!.hangUp();
  await world.run(100);
  expect(decibels(toneLevel(device.ears.heard(80), 659, RATE) / 32_768)).toBeGreaterThan(-30);
});

test('a second press from afar while the first still holds is refused, not lost', async () => {
  const { intercom, world } = await ready();
  const press = () => intercom.perform({ do: 'press', button: 'front' }, 'cli');
  expect(press()).toEqual({ done: true });
  expect(press()).toMatchObject({ done: false, code: 'not now' });
  await world.run(300);
  expect(press()).toEqual({ done: true });
});

test('a busy desk is heard as busy, told as such, and the device is idle again', async () => {
  const { world, device, press, state, told } = await ready({}, call => call.refuse(486));
  await press();
  await world.run(200);
  expect(state()).toBe('idle');
  expect(told('call', 'ended')[0]).toMatchObject({ by: 'refusal', status: 486 });
  expect(decibels(toneLevel(device.ears.heard(200), 425, RATE) / 32_768)).toBeGreaterThan(-30);
  await world.run(4_000);
  expect(decibels(toneLevel(device.ears.heard(200), 425, RATE) / 32_768)).toBeLessThan(-60);
});

test('a desk that nobody answers is given up after the ring limit', async () => {
  const { world, press, state, told, desk } = await ready();
  await press();
  await world.run(20_000);
  expect(state()).toBe('idle');
  expect(told('call', 'ended')[0]).toMatchObject({ by: 'failure' });
  expect(desk.calls).toEqual([]);
});

test('a press soon after the call began changes nothing, a later one hangs up', async () => {
  const { world, press, state, told, desk } = await ready();
  await press();
  desk.calls[0]!.answer();
  await world.run(1_000);
  await press();
  expect(state()).toBe('talking');
  expect(told('button', 'press ignored')).toHaveLength(1);
  await world.run(10_000);
  await press();
  expect(state()).toBe('idle');
});

test('the button of an exit opens in the middle of a call, and ends none', async () => {
  const buttons = { ...building.buttons, exit: { input: 'button-2', press: 'open main' } };
  const { world, press, state, told, desk, device } = await ready({ buttons });
  const exit = async () => {
    device.hold('button-2', true);
    await world.run(150);
    device.hold('button-2', false);
    await world.run(100);
  };
  await press();
  await exit();
  expect(device.output('relay-1')).toBe(true);
  desk.calls[0]!.answer();
  await world.run(15_000);
  expect(device.output('relay-1')).toBe(false);
  await exit();
  expect(device.output('relay-1')).toBe(true);
  expect(state()).toBe('talking');
  expect(told('button', 'press ignored')).toEqual([]);
});

test('an incoming call rings until a press answers it', async () => {
  const { world, device, desk, press, state, led } = await ready({ calls: { ...building.calls, autoAnswer: {} } });
  const call = desk.call(FRONT, { page: true });
  await world.run(500);
  expect([state(), led(), call.state]).toEqual(['ringing', 'blink-slow', 'ringing']);
  await press();
  await world.run(500);
  expect([state(), call.state]).toEqual(['talking', 'talking']);
  await world.run(1_000);
  expect(decibels(toneLevel(device.ears.heard(500), 1_000, RATE) / 8_000)).toBeGreaterThan(-1.5);
});

test('an incoming call that nobody answers ends after the ring limit with 480', async () => {
  const { world, desk, state } = await ready();
  const call = desk.call(FRONT);
  await world.run(20_500);
  expect([state(), call.state]).toEqual(['idle', 'ended']);
  expect(call.end).toMatchObject({ by: 'refusal', status: 480 });
});

test('where incoming calls are refused they do not ring at all', async () => {
  const { world, desk, told } = await ready({ calls: { ...building.calls, incoming: 'refuse' } });
  const call = desk.call(FRONT);
  await world.run(500);
  expect(call.end).toMatchObject({ by: 'refusal', status: 480 });
  expect(told('call', 'answered')).toEqual([]);
});

test('a caller on the allow list is answered by itself; one from elsewhere in its name is not', async () => {
  const { world, desk, state, told } = await ready();
  const page = desk.call(FRONT, { page: true });
  await world.run(300);
  expect([state(), page.state]).toEqual(['talking', 'talking']);
  page.hangUp();
  await world.run(300);
  const stranger = desk.call(FRONT, { page: true, caller: 'stranger' });
  await world.run(300);
  expect(stranger.state).toBe('ringing');
  expect(told('call', 'auto-answer refused')[0]!.why).toContain('not on the allow list');
  stranger.hangUp();
});

test('the name of an allowed caller alone is not believed: the address must be trusted too', async () => {
  const elsewhere = { pbx: { uri: 'sip:front@192.0.2.99', register: false } };
  const { world, desk, told } = await ready({ sip: { ...building.sip, accounts: elsewhere } });
  const page = desk.call(FRONT, { page: true });
  await world.run(300);
  expect(page.state).toBe('ringing');
  expect(told('call', 'auto-answer refused')[0]!.why).toContain('not a trusted source');
});

test('in listen mode a page is heard here, and nothing is heard of the room', async () => {
  const calls = { ...building.calls, autoAnswer: { ...building.calls.autoAnswer, mode: 'listen' } };
  const { world, desk, device, deskEars, state } = await ready({ calls });
  desk.call(FRONT, { page: true });
  await world.run(3_000);
  expect(state()).toBe('paging');
  expect(decibels(toneLevel(device.ears.heard(500), 1_000, RATE) / 8_000)).toBeGreaterThan(-1.5);
  expect(decibels(toneLevel(deskEars.heard(500), 600, RATE) / 32_768)).toBeLessThan(-60);
});

test('a second call is refused with 486 while one is up', async () => {
  const { world, press, desk, state } = await ready();
  await press();
  desk.calls[0]!.answer();
  await world.run(300);
  const second = desk.call(FRONT);
  await world.run(300);
  expect(second.end).toMatchObject({ by: 'refusal', status: 486 });
  expect(state()).toBe('talking');
});

test('asked for a call while one is up it says so', async () => {
  const { press, intercom } = await ready();
  await press();
  expect(intercom.perform({ do: 'call', target: 'desk' }, 'cli')).toMatchObject({ done: false, code: 'not now' });
});

test('codes open doors in a call, wrong ones are reported without their digits', async () => {
  const { world, press, desk, device, told } = await ready();
  await press();
  const call = desk.calls[0]!;
  call.answer();
  await world.run(300);
  call.sendKeys('4711#');
  await world.run(2_000);
  expect(device.output('relay-1')).toBe(false);
  expect(told('door', 'wrong code')[0]).toMatchObject({ digits: 4, left: 4 });
  expect(JSON.stringify(device.events)).not.toContain('4711');
  call.sendKeys('55#');
  await world.run(1_500);
  expect(device.output('relay-1')).toBe(true);
  await world.run(3_000);
  expect(device.output('relay-1')).toBe(false);
});

test('a call ends after the talk limit', async () => {
  const { world, press, desk, state } = await ready({ calls: { ...building.calls, talkFor: '5 s' } });
  await press();
  desk.calls[0]!.answer();
  await world.run(4_500);
  expect(state()).toBe('talking');
  await world.run(1_000);
  expect(state()).toBe('idle');
});

test('a peer that vanishes is noticed by its silence', async () => {
  const { world, press, desk, state, told } = await ready({ calls: { ...building.calls, talkFor: '0 s' } });
  await press();
  desk.calls[0]!.answer();
  await world.run(2_000);
  world.sound.faults = { loss: 1 };
  await world.run(35_000);
  expect(state()).toBe('idle');
  expect(told('call', 'ended')[0]!.why).toContain('nothing was heard');
});

test('a changed contact counts at once; a changed account waits for the end of the call', async () => {
  const { world, press, desk, intercom, told, state } = await ready();
  await press();
  desk.calls[0]!.answer();
  await world.run(300);
  const changed = (document: object) => {
    const parsed = parseConfig(document);
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    intercom.apply(parsed.config);
  };
  changed({ ...building, contacts: { ...building.contacts, office: { uri: `sip:office@${DESK.host}` } } });
  expect(intercom.names().contacts).toEqual(['desk', 'office']);
  expect(told('config', 'applied')).toHaveLength(1);
  changed({ ...building, sip: { ...building.sip, listen: { ...building.sip.listen, port: 5062 } } });
  expect(told('config', 'waiting')).toHaveLength(1);
  await world.run(1_000);
  expect(state()).toBe('talking');
  desk.calls[0]!.hangUp();
  await world.until(() => told('config', 'applied').length === 2, 10_000);
  expect(told('config', 'applied')).toHaveLength(2);
  expect(intercom.config.sip.listen.port).toBe(5062);
});

test('documents that come while the parts restart are taken over one after the other, the last one wins', async () => {
  const { world, intercom, device, told } = await ready();
  for (const port of [5061, 5062, 5063]) {
    const parsed = parseConfig({ ...building, sip: { ...building.sip, listen: { ...building.sip.listen, port } } });
    if ('config' in parsed) intercom.apply(parsed.config);
  }
  await world.until(() => told('config', 'applied').length === 2, 10_000);
  expect(intercom.config.sip.listen.port).toBe(5063);
  expect(told('device', 'started')).toHaveLength(3);
  await world.until(() => intercom.status().accounts.pbx?.state === 'registered', 5_000);
  expect(intercom.perform({ do: 'open', door: 'main' }, 'cli')).toEqual({ done: true });
  expect(device.output('relay-1')).toBe(true);
});

test('stopped while its parts restart, the device stays stopped', async () => {
  const { world, intercom, desk, told } = await ready();
  const parsed = parseConfig({ ...building, sip: { ...building.sip, listen: { ...building.sip.listen, port: 5062 } } });
  if ('config' in parsed) intercom.apply(parsed.config);
  await world.finish(intercom.stop());
  await world.finish(desk.stop());
  await world.run(64_000);
  expect(told('device', 'started')).toHaveLength(1);
  expect(world.clock.armed).toEqual([]);
});

test('a page from one intercom to another is answered by itself, heard there, and ends with its file', async () => {
  const { world, intercom, device, told } = await ready();
  const other = { host: '192.0.2.11', port: 5060 };
  const speaker = world.device(
    {
      ...building,
      sip: { listen: { host: other.host }, accounts: { own: { uri: `sip:speaker@${other.host}`, register: false } } },
      calls: { autoAnswer: { allow: [`front@${DESK.host}`], trustedSources: [DEVICE.host], mode: 'listen' } },
    },
    undefined,
    other,
  );
  const chime = sine(700, 8_000, RATE, 2);
  const wav = Buffer.concat([wavHeader(RATE, chime.byteLength), Buffer.from(chime.buffer)]);
  world.files.contents.set('/sounds/chime.wav', wav);
  const target = `sip:speaker@${other.host}`;
  expect(intercom.perform({ do: 'page', target, file: 'chime.wav' }, 'cli')).toEqual({ done: true });
  await world.run(1_000);
  expect([intercom.status().call.state, speaker.intercom.status().call.state]).toEqual(['paging', 'paging']);
  await world.run(800);
  expect(decibels(toneLevel(speaker.ears.heard(300), 700, RATE) / 8_000)).toBeGreaterThan(-3);
  await world.run(2_000);
  expect([intercom.status().call.state, speaker.intercom.status().call.state]).toEqual(['idle', 'idle']);
  expect(told('call', 'ended')[0]).toMatchObject({ by: 'us' });
  expect(device.events.filter(({ source, type }) => source === 'call' && type === 'sound failed')).toEqual([]);
});

test('a page whose file is not there ends at once and says why', async () => {
  const { world, intercom, told } = await ready({}, call => call.answer());
  intercom.perform({ do: 'page', target: 'desk', file: 'missing.wav' }, 'cli');
  await world.run(2_000);
  expect(intercom.status().call.state).toBe('idle');
  expect(told('call', 'ended')[0]!.why).toContain('missing.wav');
});

test('a line that the board does not have is a fault that is told, and the rest works', async () => {
  const doors = { ...building.doors, gate: { relay: 'relay-9' } };
  const board = { outputs: { 'relay-9': { chip: 'absent', line: 1 } } };
  const { press, state, told, intercom } = await ready({ doors, board });
  expect(told('device', 'line fault').map(({ line }) => line)).toContain('relay-9');
  expect(intercom.perform({ do: 'open', door: 'gate' }, 'cli')).toMatchObject({ done: false, code: 'failed' });
  await press();
  expect(state()).toBe('ringback');
});

test('a line that is not there shows in the status, and no button or door pretends to be ready', async () => {
  const board = {
    outputs: { 'relay-9': { chip: 'absent', line: 1 } },
    inputs: { 'button-9': { chip: 'absent', line: 2 } },
  };
  const doors = { ...building.doors, gate: { relay: 'relay-9' } };
  const buttons = { ...building.buttons, back: { input: 'button-9', press: 'call desk' } };
  const { intercom } = await ready({ doors, board, buttons });
  const { faults } = intercom.status();
  expect(Object.keys(faults)).toEqual(['relay-9', 'button-9']);
  expect(intercom.status().doors.gate!.relay).toBe('fault');
  expect(intercom.status().doors.main!.relay).toBe('at rest');
  expect(intercom.status().buttons.back).toMatchObject({ fault: expect.stringContaining('absent') });
});

test('without accounts calls go from peer to peer, and the lamp does not say otherwise', async () => {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const device = world.device({ ...building, sip: { listen: building.sip.listen } });
  await world.run(1_000);
  expect(device.intercom.status().buttons.front!.led).toBe('off');
});

test('who opened a door by keys is told', async () => {
  const { world, press, desk, told } = await ready();
  await press();
  desk.calls[0]!.answer();
  await world.run(300);
  desk.calls[0]!.sendKeys('55#');
  await world.run(1_500);
  expect(told('door', 'opening')[0]).toMatchObject({ origin: 'dtmf', remote: `sip:desk@${DESK.host}:5060` });
});

test('names that do not exist are answered with those that do', async () => {
  const { intercom } = await ready();
  const why = (result: ReturnType<typeof intercom.perform>) => (result.done ? '' : result.why);
  expect(why(intercom.perform({ do: 'press', button: 'back' }, 'cli'))).toContain('there are: front');
  expect(why(intercom.perform({ do: 'open', door: 'cellar' }, 'cli'))).toContain('there are: main');
  expect(why(intercom.perform({ do: 'call', target: 'nobody' }, 'cli'))).toContain('there are: desk');
  expect(why(intercom.perform({ do: 'call', target: 'sip:' }, 'cli'))).toContain('cannot be called');
  expect(why(intercom.perform({ do: 'move input', input: 'x', active: true }, 'cli'))).toContain('button-1');
});

test('stopping in mid-call hangs up, unregisters and leaves nothing armed', async () => {
  const { world, press, desk, intercom, device } = await ready();
  await press();
  const call = desk.calls[0]!;
  call.answer();
  await world.run(500);
  intercom.perform({ do: 'open', door: 'main' }, 'cli');
  expect(device.output('relay-1')).toBe(true);
  await world.finish(intercom.stop());
  expect(call.state).toBe('ended');
  expect(desk.registrar.contactFor('front')).toBeUndefined();
  await world.finish(desk.stop());
  await world.run(64_000);
  expect(world.clock.armed).toEqual([]);
});

test('a door code that is told by RTP events and by INFO opens once, and each key counts once', async () => {
  const { world, desk, press, told } = await ready();
  await press();
  const [call] = desk.calls;
  call!.answer();
  await world.run(1_000);
  call!.sendKeys('55#');
  for (const key of '55#') {
    call!.sendInfo(key);
    await world.run(160);
  }
  await world.run(3_000);
  expect(told('call', 'key')).toHaveLength(3);
  expect(told('door', 'unlocked')).toHaveLength(1);
  expect(told('door', 'wrong code')).toHaveLength(0);
});

/** What the desk, which is the account's server, or a stranger says to the device outside any call. */
const notice = (method: string, host: string, more: string, body = '') =>
  new TextEncoder().encode(
    `${method} ${FRONT} SIP/2.0
Via: SIP/2.0/UDP ${host}:5060;branch=z9hG4bK-${method}-${host}
Max-Forwards: 70
From: <sip:pbx@${host}>;tag=notice
To: <sip:front@${DESK.host}>
Call-ID: ${method}-${host}
CSeq: 1 ${method}
${more}
Content-Length: ${body.length}

${body}`.replaceAll('\n', '\r\n'),
  );

test('check-sync during a call is done when that is over', async () => {
  const { world, desk, intercom, press, told } = await ready();
  let checks = 0;
  intercom.onResync = () => checks++;
  await press();
  desk.calls[0]!.answer();
  await world.run(1_000);
  world.network.send(notice('NOTIFY', DESK.host, 'Event: check-sync;reboot=true'), DESK, DEVICE);
  await world.run(10_000);
  expect(told('provisioning', 'check asked for')[0]).toMatchObject({ account: 'pbx', asksForReboot: true });
  expect(checks).toBe(0);
  desk.calls[0]!.hangUp();
  await world.run(1_000);
  expect(checks).toBe(1);
  await world.run(60_000);
  expect(checks).toBe(1);
});

test('check-sync and texts of a stranger do nothing', async () => {
  const { world, intercom, told } = await ready();
  let checks = 0;
  intercom.onResync = () => checks++;
  const stranger = { host: '192.0.2.66', port: 5060 };
  world.network.attach(stranger, () => {});
  world.network.send(notice('NOTIFY', stranger.host, 'Event: check-sync'), stranger, DEVICE);
  world.network.send(notice('MESSAGE', stranger.host, 'Content-Type: text/plain', 'buy'), stranger, DEVICE);
  await world.run(1_000);
  expect([checks, told('provisioning', 'check asked for').length, told('sip', 'message').length]).toEqual([0, 0, 0]);
});

/** A call in progress, and the Replaces that names it as the device knows it. */
async function talked(changes: object) {
  const all = await ready(changes);
  let replaces = '';
  all.world.network.tap = bytes => {
    const text = Buffer.from(bytes).toString('latin1');
    if (!/^SIP\/2\.0 200.*CSeq: \d+ INVITE/s.test(text)) return;
    const [, ours] = /^From:.*tag=(\S+)/m.exec(text)!;
    const [, theirs] = /^To:.*tag=(\S+)/m.exec(text)!;
    replaces ||= `${/^Call-ID: (\S+)/m.exec(text)![1]};to-tag=${ours};from-tag=${theirs}`;
  };
  await all.press();
  all.desk.calls[0]!.answer();
  await all.world.run(1_000);
  return { ...all, replaces };
}

test('another goes on with the call: he is answered at once, and the first is left (RFC 3891)', async () => {
  const calls = { ...building.calls, transfer: { allow: [`*@${DESK.host}`] } };
  const { world, desk, told, state, replaces } = await talked({ calls });
  desk.call(FRONT, { headers: [['Replaces', replaces]] });
  await world.run(2_000);
  expect(told('call', 'replaced')).toHaveLength(1);
  expect(told('call', 'ended')).toHaveLength(1);
  expect(state()).toBe('talking');
  expect(desk.calls.map(call => call.state)).toEqual(['talking']);
});

test('nobody goes on with a call where that is not allowed, and the call is as it was', async () => {
  const { world, desk, told, state, replaces } = await talked({});
  const other = desk.call(FRONT, { headers: [['Replaces', replaces]] });
  await world.run(2_000);
  expect(other.end).toMatchObject({ by: 'refusal', status: 403 });
  expect(told('call', 'transfer refused')).toHaveLength(1);
  expect(told('call', 'ended')).toHaveLength(0);
  expect(state()).toBe('talking');
});

test("who calls is told in the word of the account's server, and of nobody else", async () => {
  const { world, told } = await ready();
  const stranger = { host: '192.0.2.66', port: 5060 };
  world.network.attach(stranger, () => {});
  const asserts = 'Contact: <sip:x@192.0.2.66>\nP-Asserted-Identity: "Gate" <sip:gate@example.org>';
  world.network.send(notice('INVITE', DESK.host, asserts), DESK, DEVICE);
  await world.run(60_000);
  world.network.send(notice('INVITE', stranger.host, asserts), stranger, DEVICE);
  await world.run(1_000);
  expect(told('call', 'incoming').map(({ remote }) => remote)).toEqual([
    'sip:gate@example.org',
    `sip:pbx@${stranger.host}`,
  ]);
});
