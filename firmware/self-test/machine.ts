/** Looks at the machine: kernel, chips, cards, network, clock, disk. Opens no line and no card. */
import { lookup, resolveSrv } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { networkInterfaces, release, totalmem } from 'node:os';
import { join } from 'node:path';
import * as uapi from '../../hal/gpio/uapi.ts';
import { linuxKernel } from '../../hal/kernel.ts';
import type { Effective } from '../config/layers.ts';
import { systemClock, wallClock } from '../lib/clock.ts';
import { setting } from './checks.ts';
import type { Machine } from './facts.ts';

/** A server that takes longer counts as silent. Milliseconds. */
const ANSWER_MS = 5_000;
const MEGABYTE = 1e6;

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').replaceAll('\0', '').trim();
  } catch {
    return undefined;
  }
};

/** `settings`: whose servers are asked. `state`: the folder that must be writable. */
export async function lookAtMachine(settings: readonly Effective[], state: string): Promise<Machine> {
  const [hosts, provisioning] = await Promise.all([names(settings), server(settings)]);
  const system = textOf('/etc/os-release')?.match(/^PRETTY_NAME="?([^"\n]*)/m)?.[1];
  const model = textOf('/proc/device-tree/model');
  const watchdog = findWatchdog();
  return {
    kernel: release(),
    arch: process.arch,
    system: system ?? 'an unnamed system',
    ...(model !== undefined && { model }),
    node: process.versions.node,
    chips: chips(),
    cards: cards(),
    ...(watchdog && { watchdog }),
    addresses: addresses(),
    hosts,
    clock: {
      now: new Date(wallClock()).toISOString(),
      // systemd-timesyncd's mark; chrony and ntpd keep their measurements there.
      synchronised: ['/run/systemd/timesync/synchronized', '/var/lib/chrony/drift', '/run/chrony/chronyd.pid'].some(
        path => existsSync(path),
      ),
    },
    ...(provisioning && { provisioning }),
    disk: disk(state),
    memoryMegabytes: Math.round(totalmem() / MEGABYTE),
  };
}

function chips(): Machine['chips'] {
  const paths = namesIn('/dev')
    .filter(name => /^gpiochip\d+$/.test(name))
    .sort()
    .map(name => `/dev/${name}`);
  if (paths.length === 0) return [];
  return paths.map(path => {
    try {
      const kernel = linuxKernel(systemClock);
      const fd = kernel.open(path);
      const bytes = uapi.chipInfoBuffer();
      try {
        kernel.ioctl(fd, uapi.GET_CHIP_INFO, bytes);
      } finally {
        kernel.close(fd);
      }
      const { label, lines } = uapi.readChipInfo(bytes);
      return { path, label, lines };
    } catch (error) {
      return { path, why: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
    }
  });
}

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** ` 0 [Loopback       ]: Loopback - Loopback` */
const cards = () =>
  [...(textOf('/proc/asound/cards') ?? '').matchAll(/^\s*(\d+ \[\w+)\s*\]: (.*)$/gm)].map(
    ([, card, name]) => `${card}]: ${name}`,
  );

function findWatchdog(): Machine['watchdog'] {
  const folder = '/sys/class/watchdog/watchdog0';
  const identity = textOf(join(folder, 'identity'));
  const state = textOf(join(folder, 'state'));
  // A kernel without CONFIG_WATCHDOG_SYSFS tells only that there is one.
  if (identity === undefined && !existsSync('/dev/watchdog')) return undefined;
  return { identity: identity ?? '/dev/watchdog', ...(state !== undefined && { state }) };
}

const addresses = () =>
  Object.entries(networkInterfaces()).flatMap(([name, entries]) =>
    (entries ?? [])
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
      .map(({ address }) => ({ interface: name, address })),
  );

/** The host that a URI or an address of record leads to. */
function hostOf(uri: string): string | undefined {
  const host = uri.match(/^(?:[a-z+]+:)?(?:\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^:/;?>]+)/i)?.[1];
  return host?.replace(/^\[|\]$/g, '');
}

async function names(settings: readonly Effective[]): Promise<Machine['hosts']> {
  const uris = settings
    .filter(({ path }) =>
      /^(?:provisioning\.url|mqtt\.url|sip\.accounts\.[^.]+\.(?:uri|registrar|outboundProxy))$/.test(path),
    )
    .flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
  const hosts = new Set(uris.flatMap(uri => hostOf(uri) ?? []));
  return Promise.all(
    [...hosts].map(async host => {
      try {
        const found = await lookup(host, { all: true });
        return { host, addresses: found.map(({ address }) => address) };
      } catch (error) {
        const servers = await serversOf(host);
        if (servers.length > 0) return { host, addresses: servers };
        const code = (error as NodeJS.ErrnoException).code;
        return { host, addresses: [], why: code === 'ENOTFOUND' ? 'no such name' : `not resolved (${code})` };
      }
    }),
  );
}

/** A domain whose SIP servers are named elsewhere (RFC 3263 §4.1) need have no address of its own. */
async function serversOf(domain: string): Promise<string[]> {
  const asked = ['_sip._udp', '_sip._tcp', '_sips._tcp'].map(service => resolveSrv(`${service}.${domain}`));
  const found = (await Promise.allSettled(asked)).flatMap(answer =>
    answer.status === 'fulfilled' ? answer.value.map(({ name }) => name) : [],
  );
  return [...new Set(found)];
}

async function server(settings: readonly Effective[]): Promise<Machine['provisioning']> {
  const url = setting(settings, 'provisioning.url');
  if (typeof url !== 'string') return undefined;
  try {
    const answer = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
    const theirs = Date.parse(answer.headers.get('date') ?? '');
    const aheadSeconds = Math.round((theirs - wallClock()) / 1000);
    return { url, status: answer.status, ...(Number.isFinite(aheadSeconds) && { aheadSeconds }) };
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
    return { url, why: cause?.code ?? cause?.message ?? message };
  }
}

function disk(path: string): Machine['disk'] {
  const file = join(path, `.selftest-${process.pid}`);
  try {
    writeFileSync(file, 'x');
    rmSync(file);
    const { bavail, bsize } = statfsSync(path);
    return { path, freeMegabytes: Math.floor((bavail * bsize) / MEGABYTE) };
  } catch (error) {
    return { path, why: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
  }
}
