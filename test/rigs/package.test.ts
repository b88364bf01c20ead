/**
 * The Debian package as an installer meets it: judged by lintian and by systemd, installed in a clean Debian that systemd
 * runs, upgraded, removed and purged there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SelfTest } from '../../firmware/self-test/self-test.ts';
import { runStep } from '../../scripts/lib/step.ts';
import { makePackage, ofCommit, type Package } from '../../scripts/pack/deb.ts';
import { type Arch, OWN_ARCH, ROOT } from '../../scripts/pack/fetch.ts';
import { Bench } from '../peers/support/bench.ts';
import { until } from '../peers/support/until.ts';
import { bootCleanRoot, type CleanRoot } from './support/clean-root.ts';

const UNIT = join(ROOT, 'scripts/pack/files/usr/lib/systemd/system/porter.service');
/** A date of their own: so that the date of the day cannot be what makes two packages alike. */
const EPOCH = 1_790_000_000;
const OLD = '0.1.0+git20260101T000000.1111111';
const NEW = '0.1.0+git20260102T000000.2222222';
/** WatchdogSec= of the unit, the time in which systemd ends it, and a start on a busy machine. */
const BITTEN_MS = 60_000;

const bench = new Bench();
const made = new Map<Arch, Package>();
beforeAll(async () => {
  // The other processor's package is only looked at: what takes the time is making it small.
  const folder = bench.room('packages');
  for (const arch of ['amd64', 'arm64'] as const) {
    const compression = arch === OWN_ARCH ? 'small' : 'quick';
    made.set(arch, await makePackage({ arch, folder, version: OLD, epoch: EPOCH, compression }));
  }
});
afterAll(() => bench.stop());

/** Of what `systemd-analyze security` has said. */
const exposureOf = (said: string) => Number(said.match(/Overall exposure level for porter\.service: ([\d.]+)/)?.[1]);

const own = () => made.get(OWN_ARCH)!;
const sum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

test('lintian has nothing to say of the packages', async () => {
  const judge = ({ file }: Package) =>
    runStep('lintian', ['--allow-root', '--fail-on=error,warning', file], { cwd: ROOT });
  for (const { code, output } of await Promise.all([...made.values()].map(judge)))
    expect([output.trim(), code]).toEqual(['', 0]);
});

test('systemd gives the service an exposure of 2.0 or less', () => {
  const said = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT]).toString();
  const exposure = exposureOf(said);
  process.stdout.write(`porter.service: exposure ${exposure}\n`);
  expect(exposure).toBeLessThanOrEqual(2);
});

test('the same commit makes the same bits twice', async () => {
  const again = await makePackage({ arch: OWN_ARCH, folder: bench.room('again'), version: OLD, epoch: EPOCH });
  expect(sum(again.file)).toBe(sum(own().file));
});

test('a version grows with the date of its commit', () => {
  const { version, epoch } = ofCommit();
  expect(version).toMatch(/^\d+\.\d+\.\d+\+git\d{8}T\d{6}\.[0-9a-f]{7,}(?:\+changed)?$/);
  expect(epoch).toBeGreaterThan(1_700_000_000);
  const { status } = spawnSync('dpkg', ['--compare-versions', OLD, 'lt', NEW]);
  expect(status).toBe(0);
});

test('whose work is in it stands in its copyright file', () => {
  const tar = execFileSync('dpkg-deb', ['--fsys-tarfile', own().file], { maxBuffer: 2 ** 30 });
  const text = execFileSync('tar', ['-xO', './usr/share/doc/porter/copyright'], { input: tar }).toString();
  for (const work of ['Node', 'zod', 'koffi', 'mqtt', 'webrtcaec3', 'libopus', 'epoll', 'pino'])
    expect(text).toMatch(new RegExp(`^License: .*${work}`, 'm'));
});

test('no page in it leads to one that is not', () => {
  const folder = bench.room('unpacked');
  execFileSync('dpkg-deb', ['-x', made.get('arm64')!.file, folder]);
  const docs = join(folder, 'usr/share/doc/porter');
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.md'));
  expect(pages).toContain('reference/configuration.md');
  for (const page of pages)
    for (const [, target] of readFileSync(join(docs, page), 'utf8').matchAll(/\]\((?!\w+:|#)([^)#]+)/g))
      expect(existsSync(join(docs, page, '..', target!)), `${page}: ${target}`).toBe(true);
});

describe('in a clean Debian that systemd runs', () => {
  let root: CleanRoot;
  /** What was there before. */
  let before: string[];
  const PLACES = ['/etc', '/usr', '/var/lib', '/var/cache'];
  const status = () => root.do('porter', 'status');
  const running = (what = 'the service runs') =>
    until(what, () => root.service('ActiveState') === 'active' && root.run('porter', 'status').code === 0, {
      withinMs: BITTEN_MS,
      detail: () => root.run('journalctl', '--no-pager', '-u', 'porter', '-n', '30').said,
    });

  beforeAll(async () => {
    root = await bootCleanRoot(bench);
    before = root.files(...PLACES);
    execFileSync('cp', [own().file, root.path('old.deb')]);
  });

  test('it is installed, and the service runs at once, as its own user without any privilege', async () => {
    root.do('dpkg', '-i', '/old.deb');
    await running();
    expect(status()).toContain('generic');
    expect(root.service('Type')).toBe('notify');
    expect(root.service('NRestarts')).toBe('0');
    const pid = root.service('MainPID');
    const facts = root.do('cat', `/proc/${pid}/status`);
    expect(facts).toMatch(/^CapEff:\s+0+$/m);
    expect(facts).toMatch(/^CapBnd:\s+0+$/m);
    expect(facts).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(facts).toMatch(/^Seccomp:\s+2$/m);
    const groups = root.do('id', '-nG', 'porter').trim().split(' ').sort();
    expect(groups).toEqual(['audio', 'gpio', 'porter']);
    expect(root.do('stat', '-c', '%U %G %a', '/etc/porter/porter.json').trim()).toBe('root porter 640');
    expect(root.do('stat', '-c', '%U %G %a', '/var/lib/porter').trim()).toBe('porter porter 750');
    expect(root.do('systemctl', 'is-enabled', 'porter').trim()).toBe('enabled');
  });

  test('to it the system is read-only, but for its own state', () => {
    const pid = root.service('MainPID');
    const tries = (path: string) =>
      root.run(
        'nsenter',
        '-t',
        pid,
        '-m',
        '-r',
        'setpriv',
        '--reuid=porter',
        '--clear-groups',
        'sh',
        '-c',
        `: >${path}`,
      );
    expect(tries('/var/lib/porter/test').code).toBe(0);
    root.do('rm', '/var/lib/porter/test');
    // Even root would be refused.
    const asRoot = (path: string) => root.run('nsenter', '-t', pid, '-m', '-r', 'sh', '-c', `: >${path}`).said;
    for (const path of ['/etc/porter/test', '/usr/lib/porter/test', '/var/log/test'])
      expect(asRoot(path)).toContain('Read-only file system');
  });

  test('its self-test tells what this Debian lacks, with the device and without it', () => {
    const { findings } = JSON.parse(root.run('sh', '-c', 'porter selftest --json 2>/dev/null').said) as SelfTest;
    const verdict = (check: string) => findings.find(finding => finding.check === check)?.verdict;
    expect(verdict('device')).toBe('ok');
    expect(verdict('disk')).toBe('ok');
    // It has no card and no cable.
    expect(verdict('sound')).toBe('fail');
    expect(verdict('network')).toBe('fail');

    root.do('systemctl', 'stop', 'porter');
    const { code, said } = root.run('porter', 'selftest', '--report', '/tmp/report.txt');
    expect(code).toBe(1);
    expect(said).toContain('porter: failed: sound, network');
    const report = readFileSync(root.path('tmp/report.txt'), 'utf8');
    expect(report).toContain('does not run');
    expect(report).toContain('Debian GNU/Linux 12');
    root.do('systemctl', 'start', 'porter');
  });

  test('a device that hangs is ended by systemd and started again', async () => {
    const pid = root.service('MainPID');
    root.do('systemctl', 'kill', '--kill-who=main', '--signal=STOP', 'porter');
    await until('another process is the device', () => !['0', pid].includes(root.service('MainPID')), {
      withinMs: BITTEN_MS,
    });
    await running();
    expect(root.service('NRestarts')).toBe('1');
    expect(root.do('journalctl', '--no-pager', '-u', 'porter')).toContain('Watchdog timeout');
  });

  test('a device that dies is started again', async () => {
    const pid = root.service('MainPID');
    root.do('systemctl', 'kill', '--kill-who=main', '--signal=KILL', 'porter');
    await until('another process is the device', () => !['0', pid].includes(root.service('MainPID')));
    await running();
    expect(root.service('NRestarts')).toBe('2');
  });

  test('it also runs with the example for real time, which opens the fences by as much as its page says', async () => {
    const places = '/etc/systemd/system/porter.service.d';
    const exposure = () => exposureOf(root.do('systemd-analyze', 'security', '--no-pager', 'porter.service'));
    const anew = async () => {
      root.do('systemctl', 'daemon-reload');
      root.do('systemctl', 'restart', 'porter');
      await running();
    };
    expect(exposure()).toBe(2);
    root.do('mkdir', '-p', places);
    root.do('cp', '/usr/share/doc/porter/examples/real-time.conf', places);
    await anew();
    expect(root.service('LimitRTPRIO')).toBe('10');
    expect(exposure()).toBe(2.2);
    root.do('rm', '-r', places);
    await anew();
  });

  test('an upgrade keeps what the installer has written, and runs the new firmware', async () => {
    const config = { device: { id: 'front-door', name: 'Front door' }, board: { name: 'simulated' } };
    writeFileSync(root.path('etc/porter/porter.json'), JSON.stringify(config));
    root.do('systemctl', 'restart', 'porter');
    await running('the service runs with its new configuration');
    const identity = readFileSync(root.path('var/lib/porter/instance-id'), 'utf8');
    const pid = root.service('MainPID');

    const folder = bench.room('new');
    const next = await makePackage({ arch: OWN_ARCH, folder, version: NEW, epoch: EPOCH, compression: 'quick' });
    execFileSync('cp', [next.file, root.path('new.deb')]);
    // Without a terminal: an upgrade of a fleet must not ask.
    root.do('env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', '-i', '/new.deb');
    await until('the new firmware runs', () => !['0', pid].includes(root.service('MainPID')));
    await running();
    expect(root.do('dpkg-query', '-W', '-f', '$' + '{Version}', 'porter')).toBe(NEW);
    expect(JSON.parse(readFileSync(root.path('etc/porter/porter.json'), 'utf8'))).toEqual(config);
    expect(root.do('stat', '-c', '%U %G %a', '/etc/porter/porter.json').trim()).toBe('root porter 640');
    expect(readFileSync(root.path('var/lib/porter/instance-id'), 'utf8')).toBe(identity);
    expect(status()).toContain('Front door');
    expect(root.service('NRestarts')).toBe('0');
  });

  test('stopped by systemd, it says so and leaves in time', () => {
    root.do('systemctl', 'stop', 'porter');
    expect(root.service('Result')).toBe('success');
    expect(root.service('ActiveState')).toBe('inactive');
    root.do('systemctl', 'start', 'porter');
  });

  test('removed, it no longer runs, and its configuration and state stay', () => {
    root.do('dpkg', '--remove', 'porter');
    expect(root.service('ActiveState')).toBe('inactive');
    expect(root.run('find', '/proc', '-maxdepth', '1', '-user', 'porter').said).toBe('');
    expect(statSync(root.path('etc/porter/porter.json')).size).toBeGreaterThan(0);
    expect(statSync(root.path('var/lib/porter/instance-id')).size).toBeGreaterThan(0);
    expect(root.files('/usr').filter(file => /\/porter\b/.test(file))).toEqual([]);
  });

  test('purged, nothing is left but its user', () => {
    root.do('dpkg', '--purge', 'porter');
    const CHANGED_BY_OTHERS =
      /^\/(?:var\/(?:cache\/ldconfig|lib\/(?:dpkg|systemd|dbus|logrotate))|etc\/(?:passwd|group|shadow|gshadow|subuid|subgid)-?$)/;
    const left = root.files(...PLACES).filter(file => !before.includes(file) && !CHANGED_BY_OTHERS.test(file));
    expect(left).toEqual([]);
    expect(root.do('id', '-nu', 'porter').trim()).toBe('porter');
  });
});
