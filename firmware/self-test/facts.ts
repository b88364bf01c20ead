/** What a self-test found out, before anybody judges it: plain data, so that it can travel in a report. */
import type { Effective } from '../config/layers.ts';
import type { Status } from '../controller/contracts.ts';
import type { PagingTest } from '../controller/paging-test.ts';
import type { ProbeResult } from '../controller/sip-probe.ts';
import type { SipStatus } from '../controller/sip-status.ts';
import type { Tone } from './tone.ts';

/** What the running device says of itself. Secrets among the settings are hidden. */
export interface Running {
  status: Status;
  sip: SipStatus;
  settings: readonly Effective[];
  /** Whether multicast arrives; `why`: no group is configured. */
  paging: PagingTest | { why: string };
}

/** What the test found by opening lines and card itself, while no device runs. */
export interface Alone {
  settings: readonly Effective[];
  /** What is wrong with the configuration; then the rest of it was tried. */
  problems: readonly string[];
  /** Line → why it cannot be had. */
  faults: Record<string, string>;
  /** Of these the ones that another program has. */
  busy: readonly string[];
  inputs: number;
  outputs: number;
  /** `why`: the card cannot be had; `busy`: another program has it, or is not to be disturbed. */
  sound: { why: string; busy?: boolean } | { tone: Tone };
  /** Account → how far the way to its server goes. */
  servers: Record<string, ProbeResult | { why: string }>;
}

export interface Machine {
  kernel: string;
  arch: string;
  /** `Debian GNU/Linux 12 (bookworm)` */
  system: string;
  /** `Raspberry Pi 4 Model B Rev 1.5`, where the board tells. */
  model?: string;
  node: string;
  chips: readonly { path: string; label?: string; lines?: number; why?: string }[];
  /** As the kernel names them, one a line of /proc/asound/cards. */
  cards: readonly string[];
  /** Of /dev/watchdog. */
  watchdog?: { identity: string; state?: string };
  /** Those by which others can reach us. */
  addresses: readonly { interface: string; address: string }[];
  hosts: readonly { host: string; addresses: readonly string[]; why?: string }[];
  clock: { now: string; synchronised: boolean };
  /** Its answer to HEAD; `ahead`: how much its clock is ahead of ours. */
  provisioning?: { url: string; status?: number; why?: string; aheadSeconds?: number };
  disk: { path: string; freeMegabytes?: number; why?: string };
  memoryMegabytes: number;
}

export interface Facts {
  version: string;
  machine: Machine;
  device: { running: Running } | { alone: Alone; whyNotRunning: string };
}
