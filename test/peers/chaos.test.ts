/** Parts of the process die: the media thread, in calls and between them, and the control thread by a fault of its own. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { parseConfig } from '../../firmware/config/parse.ts';
import { boardOf } from '../../firmware/controller/board-of.ts';
import type { DeviceEvent } from '../../firmware/controller/contracts.ts';
import { Intercom } from '../../firmware/controller/intercom.ts';
import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { systemRandom } from '../../firmware/lib/random.ts';
import { MediaThread } from '../../firmware/media/thread.ts';
import { RpcClient } from '../../firmware/rpc/client.ts';
import { systemResolve } from '../../firmware/sip/locate/system.ts';
import { SipSockets } from '../../firmware/sip/transport/sockets.ts';
import { openBoard } from '../../hal/board.ts';
import { simulated } from '../../hal/boards/simulated.ts';
import { Bench } from './support/bench.ts';
import { knowing, startDesk } from './support/desk.ts';
import { HOST } from './support/device.ts';
import { rtpRange, sipPort } from './support/ports.ts';
import { Program } from './support/program.ts';
import { passes, until } from './support/until.ts';

const MAIN = resolve(import.meta.dirname, '../../firmware/main.ts');
const ENTRY = new URL('./support/mortal-worker.ts', import.meta.url);

const bench = new Bench();
afterEach(() => bench.stop());

/** A device in this process, whose media thread can be killed. */
async function mortal() {
  const desk = await startDesk(bench);
  const { contacts, sip } = knowing(desk);
  const parsed = parseConfig({
    contacts,
    sip: { ...sip, listen: { host: HOST, port: await sipPort() } },
    media: { rtpPorts: await rtpRange(), codecs: ['PCMA'] },
    doors: { main: { relay: 'relay-1', openFor: '1 s' } },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  let thread!: MediaThread;
  const intercom = new Intercom(
    {
      clock: systemClock,
      wallClock,
      random: systemRandom,
      log: silentLog,
      version: '0.0.0',
      resolve: systemResolve,
      openBoard: config => openBoard(boardOf(simulated, config), { clock: systemClock }),
      openSocket: settings => new SipSockets(settings, { log: silentLog, random: systemRandom }),
      openMedia: settings => {
        thread = new MediaThread({ settings, clock: systemClock, log: silentLog, entry: ENTRY });
        return thread;
      },
      soundsDirectory: join(bench.folder, 'sounds'),
    },
    parsed.config,
  );
  const events: DeviceEvent[] = [];
  intercom.onEvent(event => events.push(event));
  intercom.start();
  bench.onStop(() => intercom.stop());
  const told = (type: string) => events.filter(event => event.source === 'call' && event.type === type);
  const soundUp = () => until('the sound is up', () => intercom.status().audio.state === 'up');
  const die = () => thread.send({ do: 'play file', file: '/die', at: 'here', id: 'last words' });
  await soundUp();
  return { desk, intercom, told, die, soundUp };
}

test('a fault of our own ends the process with an error, but not before the relay is at rest', async () => {
  const room = bench.room('fault');
  const state = join(room, 'state');
  const config = join(room, 'local.json');
  writeFileSync(
    config,
    JSON.stringify({
      sip: { listen: { host: HOST, port: await sipPort() } },
      doors: { main: { relay: 'relay-1', openFor: '60 s' } },
    }),
  );
  const fault = `import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('SIGUSR2', () => { throw new Error('a fault'); });`;
  const program = new Program(
    process.execPath,
    [`--import=data:text/javascript,${encodeURIComponent(fault)}`, MAIN, 'run', '--config', config, '--state', state],
    { log: join(room, 'log'), cwd: room },
  );
  bench.onStop(() => program.stop());
  const rpc = new RpcClient(join(state, 'porter.sock'), systemClock);
  bench.onStop(() => rpc.close());
  await until('the device answers', () =>
    rpc.connect().then(
      () => true,
      () => false,
    ),
  );
  await rpc.call('perform', { action: 'open main' });
  const level = () => readFileSync(join(state, 'lines/relay-1.level'), 'utf8').trim();
  expect(level()).toBe('1');
  program.signal('SIGUSR2');
  expect(await program.ended).toBe(1);
  expect(level()).toBe('0');
  expect(program.tail()).toContain('a fault');
});

test('a log that nobody reads does not hold the device', async () => {
  const room = bench.room('log');
  const state = join(room, 'state');
  const config = join(room, 'local.json');
  const port = await sipPort();
  writeFileSync(
    config,
    JSON.stringify({ sip: { listen: { host: HOST, port } }, doors: { main: { relay: 'relay-1' } } }),
  );
  const child = spawn(process.execPath, [MAIN, 'run', '--config', config, '--state', state, '--log', 'debug'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = new Promise<void>(done => child.once('exit', () => done()));
  bench.onStop(() => {
    child.kill('SIGKILL');
    return gone;
  });
  const rpc = new RpcClient(join(state, 'porter.sock'), systemClock);
  bench.onStop(() => rpc.close());
  await until('the device answers', () =>
    rpc.connect().then(
      () => true,
      () => false,
    ),
  );
  // Each opening is two lines of the log: more, all together, than a pipe and a reader that sleeps can hold.
  for (let count = 0; count < 3_000; count++) await rpc.call('perform', { action: 'open main' });
  expect(await rpc.call('names')).toMatchObject({ doors: ['main'] });
});

test('the media thread dies in a call: the call ends on both sides, and the next one works', async () => {
  const { desk, intercom, told, die } = await mortal();
  intercom.perform({ do: 'call', target: 'desk' }, 'cli');
  await until('the call is up', () => told('answered').length === 1);
  const call = await desk.call();
  die();
  await until('the call has ended here', () => told('ended').length === 1);
  expect(told('ended')[0]!.why).toContain('media thread');
  await until('the call has ended there', () => call.state === 'ended');
  await until('another call is up', () => {
    // Refused in words while the thread is down: never a call without sound.
    if (intercom.status().call.state === 'idle') intercom.perform({ do: 'call', target: 'desk' }, 'cli');
    return told('answered').length === 2;
  });
  await until('sound comes from the desk', async () => {
    await new Promise<void>(done => intercom.freshStatus(() => done()));
    return (intercom.status().call.statistics?.receivedPackets ?? 0) > 10;
  });
});

test('while the media thread is dead the status says so, and a door opens all the same', async () => {
  const { intercom, die, soundUp } = await mortal();
  die();
  await until('the status says it', () => intercom.status().audio.state !== 'up');
  expect(intercom.status().audio.why).toContain('media thread');
  expect(intercom.perform({ do: 'open', door: 'main' }, 'cli')).toEqual({ done: true });
  await soundUp();
});

test('the media thread dies as often as it is born: nothing is called meanwhile, and afterwards it is', async () => {
  const { intercom, told, die, soundUp } = await mortal();
  for (let death = 0; death < 4; death++) {
    die();
    intercom.perform({ do: 'call', target: 'desk' }, 'cli');
    await passes(150);
  }
  await soundUp();
  await until('it is idle', () => intercom.status().call.state === 'idle' || told('answered').length > 0);
  intercom.perform({ do: 'hang up' }, 'cli');
  await until('it is idle', () => intercom.status().call.state === 'idle');
  const before = told('answered').length;
  await until('a call is up', () => {
    if (intercom.status().call.state === 'idle') intercom.perform({ do: 'call', target: 'desk' }, 'cli');
    return told('answered').length > before;
  });
});
