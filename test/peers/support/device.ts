/** The device as its owner runs it: a process of its own, on the simulated board, asked and heard over its socket. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ActionResult, DeviceEvent, Status } from '../../../firmware/controller/contracts.ts';
import { systemClock } from '../../../firmware/lib/clock.ts';
import { RpcClient } from '../../../firmware/rpc/client.ts';
import { V8_FLAGS } from '../../../scripts/v8-flags.ts';
import type { Bench } from './bench.ts';
import { rtpRange, sipPort } from './ports.ts';
import { Program } from './program.ts';
import { until } from './until.ts';

const MAIN = resolve(import.meta.dirname, '../../../firmware/main.ts');
export const HOST = '127.0.0.1';
const START_MS = 60_000;

type Document = Record<string, unknown>;

export interface DeviceSpec {
  /** Joined over what every device here has: loopback, free ports, sound in files. */
  config?: Document;
  /** A WAV of 16,000 samples a second that the microphone hears. */
  microphone?: string;
  /** What its command line begins with: `ip netns exec …`, `taskset -c 0`. */
  within?: readonly string[];
  /** The entry of the firmware: that of a bundle, for one. */
  main?: string;
  /** Where its files are; another for a second device beside the first. */
  room?: string;
}

/** Facts that an event must have; a fact that is not named may be anything. */
export type Facts = Record<string, unknown>;

export class RunningDevice {
  readonly port: number;
  readonly rtp: { from: number; to: number };
  /** What the command line asks. */
  readonly socket: string;
  /** What the loudspeaker has played. */
  readonly heard: string;
  readonly events: DeviceEvent[] = [];
  readonly #program: Program;
  readonly #rpc: RpcClient;
  readonly #lines: string;
  /** Events up to here were looked at by `event`. */
  #seen = 0;

  constructor(parts: {
    port: number;
    rtp: { from: number; to: number };
    socket: string;
    heard: string;
    program: Program;
    rpc: RpcClient;
    lines: string;
  }) {
    this.port = parts.port;
    this.rtp = parts.rtp;
    this.socket = parts.socket;
    this.heard = parts.heard;
    this.#program = parts.program;
    this.#rpc = parts.rpc;
    this.#lines = parts.lines;
    this.#rpc.onNotification = (method, params) => {
      if (method === 'event') this.events.push(params as DeviceEvent);
    };
  }

  /** Of its process. */
  get pid() {
    return this.#program.pid;
  }

  get uri() {
    return `sip:front@${HOST}:${this.port}`;
  }

  async follow() {
    await this.#rpc.call('events');
  }

  /** Asks for an action. Throws where the device says no. */
  async do(action: string) {
    const result = (await this.#rpc.call('perform', { action })) as ActionResult;
    if (!result.done) throw new Error(`${action}: ${result.why}`);
  }

  status(): Promise<Status> {
    return this.#rpc.call('status') as Promise<Status>;
  }

  /** Waits for the next event of this kind after the last one that was waited for. */
  async event(source: DeviceEvent['source'], type: string, facts: Facts = {}, withinMs?: number): Promise<DeviceEvent> {
    const find = () => {
      this.#program.assertRunning();
      const at = this.events.findIndex(
        (event, index) => index >= this.#seen && event.source === source && event.type === type && has(event, facts),
      );
      if (at < 0) return undefined;
      this.#seen = at + 1;
      return this.events[at];
    };
    const options = { detail: () => this.story(), ...(withinMs !== undefined && { withinMs }) };
    return until(`event ${source} ${type} ${JSON.stringify(facts)}`, find, options);
  }

  /** Waits until the device is in this state of the call. */
  async callState(state: Status['call']['state']) {
    await until(`call ${state}`, async () => (await this.status()).call.state === state, {
      detail: () => this.story(),
    });
  }

  /** Waits until this account is registered; that may have happened before anybody listened. */
  registered(account: string) {
    return this.accountState(account, 'registered');
  }

  async accountState(account: string, state: Status['accounts'][string]['state']) {
    await until(`${account} ${state}`, async () => (await this.status()).accounts[account]?.state === state, {
      detail: () => this.story(),
    });
  }

  /** Ends it as its owner would. */
  stop() {
    return this.#program.stop();
  }

  /** Everything that has happened, for a failure message. */
  story(): string {
    const told = this.events.map(({ seq, session, ts, source, type, ...facts }) => {
      return `${ts.slice(11, 23)} ${source} ${type} ${JSON.stringify(facts)}`;
    });
    return `${told.join('\n')}\n--- log\n${this.#program.tail()}`;
  }

  /** The physical level of an output line, as the board keeps it. */
  line(name: string): string | undefined {
    const file = readdirSync(this.#lines).find(entry => entry === `${name}.level`);
    return file === undefined ? undefined : readFileSync(join(this.#lines, file), 'utf8').trim();
  }
}

/** Starts a device and waits until it can be asked. It is stopped with the bench. */
export async function startDevice(
  bench: Bench,
  { config = {}, microphone, within = [], main = MAIN, room: named = 'device' }: DeviceSpec = {},
): Promise<RunningDevice> {
  const room = bench.room(named);
  const port = await sipPort();
  const rtp = await rtpRange();
  const heard = join(room, 'heard.wav');
  const state = join(room, 'state');
  const document = merge(
    {
      device: { id: 'front-gate', name: 'Front gate' },
      sip: { listen: { host: HOST, port } },
      media: { rtpPorts: rtp },
      audio: { playbackFile: heard, ...(microphone !== undefined && { captureFile: microphone }) },
      contacts: { desk: { uri: `sip:desk@${HOST}` } },
      buttons: { front: { input: 'button-1', press: 'call desk', led: 'led-1' } },
      doors: { main: { relay: 'relay-1', openFor: '500 ms', codes: ['55'] } },
      log: { level: 'debug' },
    },
    config,
  );
  const file = join(room, 'config.json');
  writeFileSync(file, JSON.stringify(document, null, 2));
  const [command, ...words] = [
    ...within,
    process.execPath,
    ...V8_FLAGS,
    main,
    'run',
    '--config',
    file,
    '--state',
    state,
  ];
  const program = new Program(command!, words, {
    log: join(room, 'log'),
    cwd: room,
  });
  bench.onStop(() => program.stop());
  const socket = join(state, 'porter.sock');
  const rpc = new RpcClient(socket, systemClock);
  bench.onStop(() => rpc.close());
  const device = new RunningDevice({ port, rtp, socket, heard, program, rpc, lines: join(state, 'lines') });
  const connect = async () => {
    program.assertRunning();
    return rpc.connect().then(
      () => true,
      () => false,
    );
  };
  await until('the device answers on its socket', connect, { withinMs: START_MS, detail: () => program.tail() });
  await device.follow();
  // A device whose sound is not up refuses calls: that is another test.
  await until('the sound is up', async () => (await device.status()).audio.state === 'up', {
    withinMs: START_MS,
    detail: () => device.story(),
  });
  return device;
}

const has = (event: DeviceEvent, facts: Facts) =>
  Object.entries(facts).every(([name, value]) =>
    value instanceof RegExp ? value.test(String(event[name])) : event[name] === value,
  );

function merge(below: Document, above: Document): Document {
  const merged: Document = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = merged[key];
    merged[key] = isDocument(value) && isDocument(under) ? merge(under, value) : value;
  }
  return merged;
}

const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
