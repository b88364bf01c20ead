/** `porter selftest`: gathers the facts, from the running device or without one, and judges them. Loaded only for that. */
import { testAlone } from './alone.ts';
import { type Finding, judge } from './checks.ts';
import type { Facts, Running } from './facts.ts';
import { lookAtMachine } from './machine.ts';

export interface SelfTestRequest {
  device: { running: Running } | { whyNotRunning: string };
  /** What a device would be started with; read where none runs. */
  configFile: string;
  state: string;
}

export interface SelfTest {
  facts: Facts;
  findings: Finding[];
}

export async function selfTest({ device, configFile, state }: SelfTestRequest, version: string): Promise<SelfTest> {
  const tested = 'running' in device ? device : { ...device, alone: await testAlone(configFile, state, version) };
  const { settings } = 'running' in tested ? tested.running : tested.alone;
  const facts: Facts = { version, machine: await lookAtMachine(settings, state), device: tested };
  return { facts, findings: judge(facts) };
}
