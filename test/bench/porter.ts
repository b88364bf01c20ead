/** The device under measurement: the real process, on the simulated board, with a process id to look at. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../../firmware/lib/clock.ts';
import { RpcClient } from '../../firmware/rpc/client.ts';
import { V8_FLAGS } from '../../scripts/v8-flags.ts';
import type { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { until } from '../peers/support/until.ts';
import { Measured } from './processes.ts';

export const HOST = '127.0.0.1';
const MAIN = resolve(import.meta.dirname, '../../firmware/main.ts');
/** For as many calls as a device takes, each with RTCP, and twice that. */
const RTP_PORTS = 128;
const START_MS = 20_000;

export interface PorterSpec {
  user: string;
  /** Registers there as `user` with the password `secret`; absent: peer to peer. */
  registrarPort?: number;
  codecs?: readonly string[];
  /** At one time. */
  maxCalls?: number;
  /** Of the section `audio`. */
  audio?: Record<string, unknown>;
  env?: Record<string, string>;
}

export interface Porter {
  process: Measured;
  port: number;
  uri: string;
  /** Waits until it can be asked and its sound is up. */
  ready(): Promise<void>;
  do(action: string): Promise<void>;
  status(): Promise<{ audio: { state: string }; call: { state: string } }>;
}

/** Answers by itself whoever asks for it: calls of the bench are pages. Stopped with the bench. */
export async function startPorter(bench: Bench, spec: PorterSpec): Promise<Porter> {
  const { user, registrarPort, codecs = ['PCMA'], maxCalls = 1, audio = {}, env = {} } = spec;
  const room = bench.room(`porter-${user}`);
  const port = await sipPort();
  const state = join(room, 'state');
  const file = join(room, 'config.json');
  const account =
    registrarPort === undefined
      ? { uri: `sip:${user}@${HOST}`, register: false }
      : { uri: `sip:${user}@${HOST}:${registrarPort}`, password: 'secret' };
  const document = {
    device: { id: user },
    sip: { listen: { host: HOST, port }, maxCalls, accounts: { own: account } },
    media: { codecs, rtpPorts: await rtpRange(RTP_PORTS) },
    audio,
    calls: { autoAnswer: { allow: ['*'], trustedSources: [HOST] } },
  };
  writeFileSync(file, JSON.stringify(document, null, 2));
  const child = new Measured(process.execPath, [...V8_FLAGS, MAIN, 'run', '--config', file, '--state', state], {
    log: join(room, 'log'),
    cwd: room,
    env,
  });
  bench.onStop(() => child.stop());
  const rpc = new RpcClient(join(state, 'porter.sock'), systemClock);
  bench.onStop(() => rpc.close());
  const detail = () => child.tail();
  const status = () => rpc.call('status') as ReturnType<Porter['status']>;
  return {
    process: child,
    port,
    uri: `sip:${user}@${HOST}:${port}`,
    status,
    async ready() {
      const connects = () => {
        child.assertRunning();
        return rpc.connect().then(
          () => true,
          () => false,
        );
      };
      await until('the device answers on its socket', connects, { withinMs: START_MS, detail });
      const up = async () => (await status()).audio.state === 'up';
      await until('the sound of the device is up', up, { withinMs: START_MS, detail });
    },
    async do(action) {
      const result = (await rpc.call('perform', { action })) as { done: boolean; why?: string };
      if (!result.done) throw new Error(`${action}: ${result.why}`);
    },
  };
}
