/** What a board gets, run where nothing of the project is around it: it makes a call, heard at both ends. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bundle, makeBundle } from '../../scripts/pack/bundle.ts';
import { OWN_ARCH, ROOT } from '../../scripts/pack/fetch.ts';
import { Bench } from '../peers/support/bench.ts';
import { knowing, startDesk } from '../peers/support/desk.ts';
import { startDevice } from '../peers/support/device.ts';
import { hears, writeTone } from '../peers/support/hearing.ts';
import { passes, until } from '../peers/support/until.ts';

const RATE = 16_000;
const bench = new Bench();
let bundle: Bundle;

beforeAll(async () => {
  bundle = await makeBundle({ arch: OWN_ARCH, folder: bench.room('bundle') });
});
afterAll(() => bench.stop());

/** Every file, as a path from the folder. */
const files = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

test('the bundle calls, is heard at both ends with Opus and AEC3, and opens the door', async () => {
  const room = bench.room('sound');
  const visitor = join(room, 'visitor.wav');
  const desk = join(room, 'desk.wav');
  writeTone(visitor, { hz: 850, levelDb: -12, rate: RATE, seconds: 1 });
  writeTone(desk, { hz: 1250, levelDb: -12, rate: RATE, seconds: 4 });

  const far = await startDesk(bench, { codecs: ['opus'] });
  const device = await startDevice(bench, {
    main: join(bundle.folder, 'firmware/main.js'),
    microphone: visitor,
    config: { ...knowing(far), media: { codecs: ['opus'] }, audio: { echo: 'aec3' } },
  });
  await device.do('press front');
  await device.event('call', 'answered');
  const call = await far.call();
  // The WebAssembly was found, and the C library's Opus through koffi.
  await until('the sound tells of itself', async () => (await device.status()).audio.acoustics !== undefined);
  const { audio } = await device.status();
  expect(audio).toMatchObject({ opus: 'libopus', acoustics: { echo: 'aec3', faults: [] } });
  call.record(room, 'desk');
  let said = false;
  call.say(desk, () => {
    said = true;
  });
  await until('the desk has spoken', () => said);
  await passes(500);
  call.sendKeys('55#');
  await device.event('door', 'unlocked');
  await device.do('hang up');
  await until('the call has ended', () => call.state === 'ended');
  await far.stop();
  await device.stop();
  expect(hears(join(room, 'desk-heard.wav'), 850).seconds).toBeGreaterThan(2);
  expect(hears(device.heard, 1250).seconds).toBeGreaterThan(2);
});

test('it takes less memory than the tree', async () => {
  const measured = new Map<string, { megabytes: number; seconds: number }>();
  for (const [what, main] of [
    ['tree', join(ROOT, 'firmware/main.ts')],
    ['bundle', join(bundle.folder, 'firmware/main.js')],
  ] as const) {
    const device = await startDevice(bench, { main });
    measured.set(what, costOf(device.pid!));
    await device.stop();
  }
  for (const [what, { megabytes, seconds }] of measured)
    process.stdout.write(`${what}: ${megabytes} MB, ${seconds.toFixed(2)} s of the processor until it was ready\n`);
  expect(measured.get('bundle')!.megabytes).toBeLessThan(measured.get('tree')!.megabytes);
});

/** RSS and processor time of a process. */
function costOf(pid: number) {
  const kilobytes = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m)![1];
  // proc(5): utime and stime, in hundredths of a second; the name in parentheses may have spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return { megabytes: Math.round(Number(kilobytes) / 1000), seconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}

test('its command line answers without Node’s own packages around it', () => {
  const said = execFileSync(join(bundle.folder, 'bin/porter'), ['--version'], {
    env: { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin` },
  });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(said.toString().trim()).toBe(version);
});

test('the native parts load from where the bundle has them', () => {
  const load = createRequire(join(bundle.folder, 'firmware/main.js'));
  expect(load.resolve('koffi')).toBe(join(bundle.folder, 'node_modules/koffi/index.cjs'));
  const koffi = load('koffi') as typeof import('koffi');
  expect(koffi.load(null).func('int getpid()')()).toBe(process.pid);
  const { Epoll } = load('epoll') as { Epoll: { EPOLLIN: number } };
  expect(Epoll.EPOLLIN).toBe(1);
  expect(load('onoff')).toHaveProperty('Gpio');
});

test('it is small, and nothing is in it that no board loads', () => {
  expect(bundle.bytes).toBeLessThan(6_000_000);
  const native = files(bundle.folder).filter(file => file.endsWith('.node'));
  expect(native).toHaveLength(2);
  expect(files(bundle.folder).filter(file => /\.(?:d\.ts|ts|map|cc|h|md)$/.test(file))).toEqual([
    'node_modules/bindings/LICENSE.md',
  ]);
  expect(bundle.packages).not.toContain('vitest');
});

test('the same tree makes the same bundle twice', async () => {
  const again = await makeBundle({ arch: OWN_ARCH, folder: bench.room('again') });
  expect(files(again.folder)).toEqual(files(bundle.folder));
  for (const file of files(bundle.folder))
    expect(readFileSync(join(again.folder, file)).equals(readFileSync(join(bundle.folder, file))), file).toBe(true);
});

test('a bundle for arm64 has the parts of arm64', async () => {
  const arm = await makeBundle({ arch: 'arm64', folder: bench.room('arm64') });
  const EM_AARCH64 = 183;
  const native = files(arm.folder).filter(file => file.endsWith('.node'));
  expect(native).toHaveLength(2);
  // ELF: e_machine, 18 bytes in.
  for (const file of native) expect(readFileSync(join(arm.folder, file)).readUInt16LE(18), file).toBe(EM_AARCH64);
  expect(existsSync(join(arm.folder, 'node_modules/@koromix/koffi-linux-x64'))).toBe(false);
});
