/** What the facts mean, one finding for each part of the device, and what to do about it. Pure. */
import type { Effective } from '../config/layers.ts';
import type { Facts, Machine } from './facts.ts';

/** `look`: it works, and somebody should look at it. `left out`: there is nothing to test, or not now. */
export type Verdict = 'ok' | 'look' | 'fail' | 'left out';

export interface Finding {
  check: string;
  verdict: Verdict;
  says: string;
  /** For whoever stands at the board. */
  todo?: string;
}

/** Less is soon full. Megabytes. */
const DISK_LOW_MB = 100;
/** Certificates and digests bear that much; logs that are compared do not bear more. Seconds. */
const CLOCK_OFF_S = 60;
/** Before this project's first day no clock is right. */
const FIRST_DAY = '2026-01-01';

type Check = (facts: Facts) => Finding[];

const settingsOf = ({ device }: Facts): readonly Effective[] =>
  'running' in device ? device.running.settings : device.alone.settings;

export const setting = (settings: readonly Effective[], path: string) =>
  settings.find(entry => entry.path === path)?.value;

const found =
  (check: string) =>
  (verdict: Verdict, says: string, todo?: string): Finding => ({
    check,
    verdict,
    says,
    ...(todo !== undefined && { todo }),
  });

const otherDevice = 'Is it a device that runs already? Say which: `porter selftest --state FOLDER`, and it is asked';

const device: Check = ({ device }) => {
  const is = found('device');
  if ('running' in device) {
    const { upForSeconds } = device.running.status.device;
    return [is('ok', `runs, for ${upForSeconds} s`)];
  }
  const todo = 'Lines and sound were opened by this test itself. To start the device: sudo systemctl start porter';
  return [is('look', `does not run: ${device.whyNotRunning}`, todo)];
};

const configuration: Check = facts => {
  const is = found('config');
  if ('running' in facts.device) {
    const { problem, source, revision } = facts.device.running.status.config;
    const from = `${source}${revision === undefined ? '' : `, revision ${revision}`}`;
    return [
      problem === undefined ? is('ok', from) : is('fail', problem, '`porter config check FILE` names every mistake'),
    ];
  }
  const { problems } = facts.device.alone;
  return problems.length === 0
    ? [is('ok', 'sound')]
    : problems.map(problem => is('fail', problem, '`porter config check FILE` names every mistake'));
};

const chipsOf = ({ chips }: Machine) =>
  chips.map(({ path, label, lines, why }) =>
    why === undefined ? `${path} ${label}, ${lines} lines` : `${path}: ${why}`,
  );

const lines: Check = facts => {
  const is = found('lines');
  const driver = setting(settingsOf(facts), 'board.gpio');
  if (driver === 'simulated') return [is('left out', 'simulated: nothing is wired')];
  const { chips } = facts.machine;
  const faults = 'running' in facts.device ? facts.device.running.status.faults : facts.device.alone.faults;
  const busy = 'running' in facts.device ? [] : facts.device.alone.busy;
  const bad = Object.entries(faults)
    .filter(([line]) => line !== 'sip')
    .map(([line, why]) =>
      is(
        'fail',
        `${line}: ${why}`,
        busy.includes(line)
          ? otherDevice
          : 'Compare with `hardware.md` and `board.inputs`, `board.outputs`; `gpioinfo` shows who holds a line',
      ),
    );
  const denied = chips.filter(({ why }) => why !== undefined);
  const seen = chipsOf(facts.machine).join('; ') || 'no GPIO chip';
  if (bad.length > 0) return [...bad, is('look', `there are: ${seen}`)];
  if (chips.length === 0)
    return [
      is(
        'look',
        'this machine has no GPIO chip',
        'Right for a board without lines (`generic`); else the kernel lacks its driver',
      ),
    ];
  if (denied.length > 0) return [is('look', seen, 'Run this as root, or as a member of the group gpio')];
  return [is('ok', `all lines are there (${seen})`)];
};

const buttons: Check = ({ device }) => {
  if (!('running' in device)) return [];
  const stuck = Object.entries(device.running.status.buttons).filter(([, button]) => button.stuck);
  return stuck.map(([name]) =>
    found('buttons')('fail', `${name} is stuck`, 'Free it, or look for a short circuit in its wires'),
  );
};

const sound: Check = ({ device, machine }) => {
  const is = found('sound');
  const cards = machine.cards.join('; ') || 'no sound card';
  const todo = `Plug it in, or name another in \`audio.capture\` and \`audio.playback\`. The kernel knows: ${cards}`;
  if ('running' in device) {
    const { state, why, driver, counters, opus } = device.running.status.audio;
    if (state !== 'up') return [is('fail', why ?? `the card is ${state}`, todo)];
    const gaps = counters === undefined ? '' : `, ${counters.xruns} gaps`;
    const played = 'The tone is left out while the device holds the card: sudo systemctl stop porter; porter selftest';
    return [is('ok', `${driver}, up${gaps}${opus === undefined ? '' : `, Opus by ${opus}`}`, played)];
  }
  const { sound } = device.alone;
  if ('why' in sound) return [sound.busy ? is('left out', sound.why, otherDevice) : is('fail', sound.why, todo)];
  const { heard, toneDb, silenceDb } = sound.tone;
  const levels = `${toneDb.toFixed(0)} dB with the tone, ${silenceDb.toFixed(0)} dB without`;
  if (heard) return [is('ok', `the microphone hears the loudspeaker: ${levels}`)];
  const unheard =
    'Was the tone to be heard? If so, look at the microphone (`arecord`, `alsamixer`), else at the loudspeaker and amplifier';
  return [is('look', `the microphone does not hear the loudspeaker: ${levels}`, unheard)];
};

const watchdog: Check = facts => {
  const is = found('watchdog');
  const { watchdog } = facts.machine;
  const wanted = setting(settingsOf(facts), 'board.watchdog') === true;
  if (watchdog === undefined) {
    const todo = 'Raspberry Pi: `dtparam=watchdog=on` in /boot/firmware/config.txt';
    return [wanted ? is('fail', 'the board has none', todo) : is('left out', 'the board has none, and none is wanted')];
  }
  const { identity, state } = watchdog;
  const said = `${identity}${state === undefined ? '' : `, ${state}`}`;
  if (!wanted)
    return [
      is('look', `${said}; not used`, 'Set `board.watchdog` to true once the device hangs where nobody can reach it'),
    ];
  const fed = !('running' in facts.device) || state === undefined || state === 'active';
  return [
    fed
      ? is('ok', said)
      : is(
          'fail',
          `${said}, though it is wanted`,
          'The log says why it was not armed: journalctl -u porter | grep watchdog',
        ),
  ];
};

const network: Check = ({ machine }) => {
  const is = found('network');
  const addresses = machine.addresses.map(({ interface: name, address }) => `${address} (${name})`);
  return [
    addresses.length === 0
      ? is('fail', 'no address but its own', 'Look at the cable, the switch port and DHCP: `ip address`')
      : is('ok', addresses.join(', ')),
  ];
};

const names: Check = ({ machine }) => {
  const is = found('names');
  if (machine.hosts.length === 0) return [is('left out', 'the configuration names no server')];
  return machine.hosts.map(({ host, addresses, why }) =>
    why === undefined
      ? is('ok', `${host} is ${addresses.join(', ')}`)
      : is('fail', `${host}: ${why}`, 'Look at /etc/resolv.conf and at the name server; is the name right?'),
  );
};

const clock: Check = ({ machine: { clock, provisioning } }) => {
  const is = found('clock');
  const todo = 'Install systemd-timesyncd, and give it a server that can be reached from here';
  const off = provisioning?.aheadSeconds;
  if (clock.now < FIRST_DAY) return [is('fail', `${clock.now} cannot be: certificates are judged by it`, todo)];
  if (off !== undefined && Math.abs(off) > CLOCK_OFF_S)
    return [is('fail', `${clock.now}, the provisioning server's is ${off} s ahead`, todo)];
  const agrees = off === undefined ? '' : ', and the provisioning server agrees';
  if (!clock.synchronised) return [is('look', `${clock.now}, set by nobody that this test knows of${agrees}`, todo)];
  return [is('ok', `${clock.now}, synchronised${agrees}`)];
};

const provisioning: Check = ({ machine: { provisioning } }) => {
  const is = found('provisioning');
  if (provisioning === undefined) return [is('left out', 'no `provisioning.url` is set')];
  const { url, status, why } = provisioning;
  if (why !== undefined)
    return [is('fail', `${url}: ${why}`, 'Is the server up, and may the device reach it through the firewall?')];
  // Which document it gets is the device's own question: any answer shows the way.
  return [is('ok', `${url} answers (${status})`)];
};

const telephone: Check = ({ device }) => {
  const is = found('telephone');
  if (!('running' in device)) {
    const asked = Object.entries(device.alone.servers);
    if (asked.length === 0) return [is('left out', 'no account is set')];
    return asked.map(([name, result]) => {
      if ('why' in result) return is('fail', `${name}: ${result.why}`);
      if (result.reached) return is('ok', `${name}: its server answers; started, the device will register`);
      return is('fail', `${name}: ${result.meaning ?? 'its server cannot be reached'}`, result.advice);
    });
  }
  const { accounts, problem, listening } = device.running.sip;
  const socket = problem === undefined ? [] : [is('fail', problem, 'Does another program hold the port? `ss -lunp`')];
  if (Object.keys(accounts).length === 0)
    return [...socket, is('look', `no account; peers can call ${listening.join(', ')}`, 'Set `sip.accounts`')];
  return [
    ...socket,
    ...Object.entries(accounts).map(([name, { state, registers, server, last, advice }]) => {
      if (!registers) return is('ok', `${name}: need not register`);
      if (state === 'registered') return is('ok', `${name}: registered at ${server}`);
      return is('fail', `${name}: ${last === undefined ? state : `${last.why}: ${last.meaning}`}`, advice);
    }),
  ];
};

const broker: Check = ({ device }) => {
  if (!('running' in device)) return [];
  const { state, url } = device.running.status.mqtt;
  if (state === 'off') return [];
  const is = found('mqtt');
  return [
    state === 'connected'
      ? is('ok', `connected to ${url}`)
      : is('fail', `${url}: not connected`, 'The log says why: journalctl -u porter | grep mqtt'),
  ];
};

const pages: Check = ({ device }) => {
  if (!('running' in device) || 'why' in device.running.paging) return [];
  const is = found('pages');
  const { groups, querier } = device.running.paging;
  const heard = Object.entries(groups).map(([name, { arrives, why, packets }]) => {
    if (why !== undefined)
      return is('fail', `${name}: ${why}`, 'Is the cable in? Is `paging.interface` the right port?');
    const firewall = 'A firewall of this machine keeps it away, or `paging.interface` is the wrong port';
    if (!arrives) return is('fail', `${name}: no multicast arrives here`, firewall);
    return is(
      'ok',
      `${name}: joined, ${packets === 0 ? 'nothing has come from others yet' : `${packets} packets of others`}`,
    );
  });
  const todo = 'Where pages stop after some minutes: switch on an IGMP querier in one switch, or IGMP snooping off';
  const quiet =
    querier.is === 'none' ? [is('look', 'nobody in this network asks who is a member of groups', todo)] : [];
  return [...heard, ...quiet];
};

const disk: Check = ({ machine: { disk } }) => {
  const is = found('disk');
  const { path, freeMegabytes: free, why } = disk;
  if (why === 'EACCES') return [is('look', `${path}: not for this user`, 'Run this as root')];
  if (why !== undefined)
    return [
      is('fail', `${path}: ${why}`, 'Nothing is kept over a restart: is the disk full, read-only or worn out? `dmesg`'),
    ];
  return free! < DISK_LOW_MB
    ? [is('look', `${path}: ${free} MB free`, 'Make room: `journalctl --vacuum-size=50M`')]
    : [is('ok', `${path}: can be written, ${free} MB free`)];
};

const CHECKS: readonly Check[] = [
  device,
  configuration,
  lines,
  buttons,
  sound,
  watchdog,
  network,
  names,
  clock,
  provisioning,
  telephone,
  broker,
  pages,
  disk,
];

/** In the order in which a person looks: the device, its wires, its servers. */
export const judge = (facts: Facts): Finding[] => CHECKS.flatMap(check => check(facts));
