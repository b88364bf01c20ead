/**
 * The package on an arm64 board that systemd runs: installed there, its service with the groups and fences that an
 * installer gets, a GPIO chip, a sound card and a watchdog of the kernel's own.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePackage } from '../../scripts/pack/deb.ts';
import { CHIP, HOST_SEEN_FROM_GUEST, Machine } from '../../scripts/rigs/arm64/machine.ts';
import { arm64System } from '../../scripts/rigs/arm64/system.ts';
import type { Desk, DeskCall, DeskEvent } from '../desk/desk.ts';
import { realDesk } from '../desk/real-desk.ts';
import { Bench } from '../peers/support/bench.ts';
import { rtpRange, sipPort } from '../peers/support/ports.ts';
import { until } from '../peers/support/until.ts';

const BUTTON = 0;
const RELAY = 5;
const PASSWORD = 'at the gate';
const VERSION = '0.1.0+git20260101T000000.1111111';
const EPOCH = 1_790_000_000;
const CARD = 'hw:Loopback,0,0';
/** A processor that is played by another one is slow in everything that it does for the first time. */
const START_MS = 180_000;
const ANSWER_MS = 90_000;
/** A second of sound. */
const HEARD_PACKETS = 50;

const bench = new Bench();
const say = (line: string) => process.stderr.write(`arm64: ${line}\n`);
const seconds = (sinceMs: number) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
const told: DeskEvent['is'][] = [];
const moves: boolean[] = [];
let machine: Machine;
let desk: Desk;
let call: DeskCall | undefined;

beforeAll(async () => {
  const system = await arm64System(say);
  const { file } = await makePackage({
    arch: 'arm64',
    folder: bench.room('package'),
    version: VERSION,
    epoch: EPOCH,
    compression: 'quick',
  });
  desk = realDesk({
    host: HOST_SEEN_FROM_GUEST,
    bind: '127.0.0.1',
    port: await sipPort(),
    rtpPorts: await rtpRange(),
    user: 'desk',
    callers: [],
    realm: 'desk',
    passwords: { front: PASSWORD },
    codecs: ['PCMA'],
    onCall(incoming) {
      call = incoming;
      incoming.answer();
    },
    onEvent: ({ is }) => told.push(is),
  });
  desk.start();
  bench.onStop(() => desk.stop());
  machine = new Machine(system, {
    folder: bench.room('machine'),
    systemd: true,
    modules: ['snd_aloop', 'i6300esb'],
  });
  bench.onStop(() => machine.stop());
  copyFileSync(file, join(machine.share, 'porter.deb'));
  writeFileSync(join(machine.share, 'porter.json'), JSON.stringify(configuration(desk.settings.port)));
  await machine.open();
  machine.onRelay = (line, level) => line === RELAY && moves.push(level);
  await machine.up();
  await until('systemd has started', async () => /running|degraded/.test(await machine.run(`${IS_UP} || true`)), {
    withinMs: START_MS,
    detail,
  });
  say(`power to systemd's word that it is up ${seconds(machine.switchedOnMs)}`);
});
afterAll(() => bench.stop());

const IS_UP = 'systemctl is-system-running';

const configuration = (port: number) => ({
  device: { id: 'arm64', name: 'Front gate' },
  board: {
    name: 'generic',
    watchdog: true,
    inputs: { 'button-1': { chip: CHIP, line: BUTTON } },
    outputs: { 'relay-1': { chip: CHIP, line: RELAY } },
  },
  audio: { capture: CARD, playback: CARD, period: '20 ms', buffer: '200 ms', echo: 'off', noiseSuppression: false },
  media: { codecs: ['PCMA'] },
  sip: { accounts: { pbx: { uri: `sip:front@${HOST_SEEN_FROM_GUEST}:${port}`, password: PASSWORD } } },
  contacts: { desk: { uri: `sip:desk@${HOST_SEEN_FROM_GUEST}:${port}` } },
  buttons: { front: { input: 'button-1', press: 'call desk' } },
  doors: { main: { relay: 'relay-1', openFor: '1 s', codes: ['55'] } },
});

test('it is installed, and its service runs as its own user, without a privilege', async () => {
  const beganMs = performance.now();
  // By its path: the shell has one of its own. What the package depends on is there, but not in dpkg's books.
  await machine.run('/usr/bin/dpkg -i --force-depends --force-unsafe-io /share/porter.deb', START_MS);
  say(`installed and started in ${seconds(beganMs)}`);
  expect(await service('ActiveState')).toBe('active');
  const facts = await machine.run(`cat /proc/${await service('MainPID')}/status`);
  expect(facts).toMatch(/^CapEff:\s+0+$/m);
  expect(facts).toMatch(/^Seccomp:\s+2$/m);
  expect((await machine.run('id -nG porter')).trim().split(' ').sort()).toEqual(['audio', 'gpio', 'porter']);
});

test('udev gives it the chip, the card and the watchdog', async () => {
  const owners = await machine.run('stat -c "%n %G %a" /dev/gpiochip0 /dev/snd/controlC0 /dev/watchdog');
  expect(owners.trim().split('\n')).toEqual([
    '/dev/gpiochip0 gpio 660',
    '/dev/snd/controlC0 audio 660',
    '/dev/watchdog porter 660',
  ]);
});

test('configured, it registers; its lines, its card and its watchdog are open to it', async () => {
  const beganMs = performance.now();
  await machine.run('cat /share/porter.json >/etc/porter/porter.json; systemctl restart porter', START_MS);
  await until('it registers', () => told.includes('registered'), { withinMs: START_MS, detail });
  say(`restart to registered ${seconds(beganMs)}`);
  const { faults, audio } = await status();
  expect(faults).toEqual({});
  expect(audio.state).toBe('up');
  expect(await machine.run('cat /sys/class/watchdog/watchdog0/state')).toBe('active\n');
});

test('a press calls, and the code moves the relay', async () => {
  machine.setLine(BUTTON, true);
  await until('the desk has answered', () => told.includes('answered'), { withinMs: ANSWER_MS, detail });
  machine.setLine(BUTTON, false);
  await until(
    'both hear each other',
    async () => ((await status()).call.statistics?.receivedPackets ?? 0) > HEARD_PACKETS,
    {
      withinMs: ANSWER_MS,
      detail,
    },
  );
  const from = moves.length;
  call!.sendKeys('55#');
  await until('the relay has moved and rests', () => moves.slice(from).join() === 'true,false', {
    withinMs: ANSWER_MS,
    detail,
  });
  call!.hangUp();
  await until('the call has ended', () => told.includes('ended'), { withinMs: ANSWER_MS, detail });
});

test('no other device is open to it, whoever it may become', async () => {
  const own = '/sys/fs/cgroup/system.slice/porter.service/cgroup.procs';
  const asRoot = (what: string) => machine.run(`sh -c 'echo $$ >${own}; ${what}' 2>&1 || true`);
  expect(await asRoot('head -c 1 /dev/vda')).toContain('Operation not permitted');
  expect(await asRoot('exec 3<>/dev/gpiochip0 && echo open')).toContain('open');
});

test('with the example for real time the thread of its sound goes before all others', async () => {
  const places = '/etc/systemd/system/porter.service.d';
  await machine.run(`mkdir -p ${places}; cp /usr/share/doc/porter/examples/real-time.conf ${places}`);
  await machine.run('systemctl daemon-reload; systemctl restart porter', START_MS);
  await until('one of its threads is in real time', async () => (await inRealTime()).join() === 'media 10', {
    withinMs: START_MS,
    detail,
  });
});

test('stopped, it puts the watchdog at rest', async () => {
  await machine.run('systemctl stop porter', START_MS);
  expect(await service('Result')).toBe('success');
  expect(await machine.run('cat /sys/class/watchdog/watchdog0/state')).toBe('inactive\n');
});

const service = async (property: string) =>
  (await machine.run(`systemctl show --value --property=${property} porter.service`)).trim();

/** linux/sched.h */
const SCHED_RR = 2;
/** Of proc(5)'s line for a thread, counted from behind its name. */
const [PRIORITY, POLICY] = [37, 38];

/** The threads of the service that are: each with its name and priority. */
async function inRealTime() {
  // Threads come and go meanwhile.
  const lines = await machine.run(`cat /proc/${await service('MainPID')}/task/*/stat 2>/dev/null || true`);
  return lines
    .trim()
    .split('\n')
    .map(line => ({ name: line.match(/\((.*)\)/)?.[1], fields: line.slice(line.lastIndexOf(')') + 2).split(' ') }))
    .filter(({ fields }) => Number(fields[POLICY]) === SCHED_RR)
    .map(({ name, fields }) => `${name} ${fields[PRIORITY]}`);
}

interface Shown {
  call: { statistics?: { receivedPackets: number } };
  faults: Record<string, string>;
  audio: { state: string };
}

const status = async () => JSON.parse(await machine.run('porter status --json')) as Shown;

const detail = () => `${machine.story()}\n--- desk\n${told.join(', ')}`;
