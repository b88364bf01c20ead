/** Who may ask for what. */
import { expect, test } from 'vitest';
import type { Action, Origin } from '../../../firmware/controller/contracts.ts';
import { refusal } from '../../../firmware/controller/policy.ts';

const open: Action = { do: 'open', door: 'main' };
const stall: Action = { do: 'stall', ms: 2_000 };

test.each<[Action, Origin, boolean, boolean, boolean]>([
  [open, 'mqtt', false, true, false],
  [open, 'mqtt', true, true, true],
  [open, 'cli', false, false, true],
  [open, 'dtmf', false, false, true],
  [stall, 'cli', true, false, false],
  [stall, 'cli', true, true, true],
  [stall, 'mqtt', true, true, false],
  [{ do: 'move input', input: 'button-1', active: true }, 'cli', false, false, false],
  [{ do: 'page', target: 'desk', file: '/etc/shadow' }, 'mqtt', true, false, false],
  [{ do: 'page', target: 'desk', file: 'gong.wav' }, 'mqtt', true, false, true],
])(
  '%o by %s (MQTT opens doors: %s, simulated: %s) is allowed: %s',
  (action, origin, mqttOpensDoors, simulated, allowed) => {
    expect(
      refusal(action, origin, { mqtt: { commands: true, openDoors: mqttOpensDoors }, simulated, behind: () => [] }) ===
        undefined,
    ).toBe(allowed);
  },
);

test('with commands switched off MQTT may ask for nothing, and everybody else for everything', () => {
  const policy = { mqtt: { commands: false, openDoors: true }, simulated: false, behind: () => [] };
  expect(refusal({ do: 'hang up' }, 'mqtt', policy)).toBeDefined();
  expect(refusal(open, 'mqtt', policy)).toBeDefined();
  expect(refusal(open, 'button', policy)).toBeUndefined();
});

test('a press over MQTT may not do what MQTT may not ask for', () => {
  const press: Action = { do: 'press', button: 'exit' };
  const policy = (openDoors: boolean) => ({
    mqtt: { commands: true, openDoors },
    simulated: false,
    behind: () => [open],
  });
  expect(refusal(press, 'mqtt', policy(false))).toMatchObject({ code: 'not allowed' });
  expect(refusal(press, 'mqtt', policy(true))).toBeUndefined();
  expect(refusal(press, 'cli', policy(false))).toBeUndefined();
});
