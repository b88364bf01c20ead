/** A whole device answers by itself: by which rule, in which mode, and what its answer says. */
import { expect, test } from 'vitest';
import { ready } from './ready.ts';
import { decibels, toneLevel } from './tone.ts';
import { building, DESK, DEVICE } from './world.ts';

const RATE = 8_000;
const FRONT = `sip:front@${DEVICE.host}:${DEVICE.port}`;

const withRules = (...rules: object[]) => ({
  calls: { ...building.calls, autoAnswer: { ...building.calls.autoAnswer, rules } },
});
const loudness = (samples: Int16Array, hz: number) => decibels(toneLevel(samples, hz, RATE) / 8_000);

test('a ring name of the site makes an announcement: heard here, deaf to the room, and no code opens a door', async () => {
  const { world, desk, device, deskEars, state, intercom, told } = await ready(
    withRules({ match: 'info=announcement', mode: 'page' }),
  );
  const call = desk.call(FRONT, { headers: [['Alert-Info', '<http://pbx>;info=Announcement']] });
  await world.run(3_000);
  expect([state(), intercom.status().call.mode]).toEqual(['paging', 'page']);
  expect(loudness(device.ears.heard(500), 1_000)).toBeGreaterThan(-1.5);
  expect(loudness(deskEars.heard(500), 600)).toBeLessThan(-60);
  call.sendKeys('55#');
  await world.run(2_000);
  expect(told('call', 'key')).toHaveLength(3);
  expect(told('door', 'unlocked')).toEqual([]);
  call.hangUp();
  await world.run(500);
  expect(state()).toBe('idle');
});

test('a rule lets it ring first, and leaves the gong out', async () => {
  const { world, desk, device, state } = await ready(withRules({ mode: 'listen', delay: '2 s', tone: false }));
  desk.call(FRONT, { page: true });
  await world.run(1_500);
  expect(state()).toBe('ringing');
  await world.run(800);
  expect(state()).toBe('paging');
  // The gong's first stroke.
  expect(loudness(device.ears.heard(200), 784)).toBeLessThan(-40);
});

test('the answer says how it was given, to whom asked for a mode', async () => {
  const { world, desk, press, state } = await ready();
  const answers: string[] = [];
  world.network.tap = bytes => {
    const text = new TextDecoder().decode(bytes);
    if (text.startsWith('SIP/2.0 200') && text.includes('INVITE')) answers.push(text);
  };
  const automatic = desk.call(FRONT, { headers: [['Answer-Mode', 'Auto']] });
  await world.run(500);
  automatic.hangUp();
  await world.run(500);
  desk.call(FRONT, { headers: [['Answer-Mode', 'Manual;require']] });
  await world.run(500);
  expect(state()).toBe('ringing');
  await press();
  expect(answers.map(text => /^Answer-Mode: (.*)\r$/m.exec(text)?.[1])).toEqual(['Auto', 'Manual']);
});

test('a stranger who would rather have no call than one that rings has none', async () => {
  const { world, desk, told } = await ready();
  const call = desk.call(FRONT, {
    caller: 'stranger',
    headers: [
      ['Require', 'answermode'],
      ['Priv-Answer-Mode', 'Auto;require'],
    ],
  });
  await world.run(500);
  expect(call.end).toMatchObject({ by: 'refusal', status: 403 });
  expect(told('call', 'auto-answer refused')[0]).toMatchObject({ remote: `sip:stranger@${DESK.host}:5060` });
  expect(told('call', 'incoming')).toEqual([]);
});

test('a caller without a codec of ours is told that it rings, at once, and then why it cannot be talked to', async () => {
  const { world, desk, state, told } = await ready({ media: { codecs: ['G722'] } });
  const answers: string[] = [];
  world.network.tap = bytes => {
    const text = new TextDecoder().decode(bytes);
    if (text.startsWith('SIP/2.0') && text.includes('INVITE')) answers.push(text);
  };
  const call = desk.call(FRONT);
  await world.run(500);
  expect(call.end).toMatchObject({ by: 'refusal', status: 488 });
  expect(answers.map(text => text.slice(8, 11))).toEqual(['180', '488']);
  expect(answers[1]).toContain('Warning: 399 porter "none of G722 is offered"');
  expect(told('call', 'ended').at(-1)).toMatchObject({ why: 'none of G722 is offered' });
  expect(state()).toBe('idle');
});
