/**
 * A board of arm64 in QEMU, with hands on it: presses lines, sees relays, pulls and plugs a USB sound card, sees the
 * watchdog bite, and has a shell inside.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Program } from '../../../test/peers/support/program.ts';
import { until } from '../../../test/peers/support/until.ts';
import type { Arm64System } from './system.ts';

/** The chip of QEMU's board: eight lines, of which 3 is the power key. */
export const CHIP = '9030000.pl061';
/** Where the guest finds this machine's loopback. */
export const HOST_SEEN_FROM_GUEST = '10.0.2.2';
/** It asks nobody at the console, and waits for no login there. */
const FOR_SYSTEMD = 'systemd.firstboot=no systemd.getty_auto=no';
/** With the processor played by this machine, a guest takes its time. */
const BOOT_MS = 90_000;
const COMMAND_MS = 60_000;

export interface MachineSpec {
  folder: string;
  /** ext4 image of what is at /opt/porter in the guest. */
  bundle?: string;
  /** Shell script that the guest runs when it is up. */
  start?: string;
  /** Debian's systemd runs it; absent: a few lines of shell. */
  systemd?: boolean;
  /** Kernel modules that it loads before. */
  modules: readonly string[];
}

export interface QmpEvent {
  event: string;
  data?: Record<string, unknown>;
}

export class Machine {
  readonly events: QmpEvent[] = [];
  /** Seen in the guest as /share. */
  readonly share: string;
  /** `performance.now()` of the power switch. */
  readonly switchedOnMs = performance.now();
  onRelay: (line: number, level: boolean) => void = () => {};
  readonly #program: Program;
  readonly #folder: string;
  #qmp: Lines | undefined;
  #qtest: Lines | undefined;
  #shell: Socket | undefined;
  #said = '';
  #commands = 0;
  #chip = '';

  constructor(system: Arm64System, spec: MachineSpec) {
    this.#folder = spec.folder;
    this.share = join(spec.folder, 'share');
    mkdirSync(this.share, { recursive: true });
    writeFileSync(join(this.share, 'modules'), spec.modules.join(' '));
    writeFileSync(join(this.share, 'start'), spec.start ?? '');
    if (spec.systemd) writeFileSync(join(this.share, 'systemd'), '');
    const initrd = join(spec.folder, 'initrd');
    writeFileSync(initrd, system.initrd);
    const socket = (name: string) => `${join(spec.folder, name)},server=on,wait=off`;
    this.#program = new Program(
      'qemu-system-aarch64',
      [
        ...['-M', 'virt', '-cpu', 'cortex-a53', '-smp', '2', '-accel', 'tcg,thread=multi', '-m', '768'],
        ...['-display', 'none', '-no-reboot', '-nodefaults', '-kernel', system.kernel, '-initrd', initrd],
        ...[
          '-append',
          `console=ttyAMA0 quiet panic=-1 ${FOR_SYSTEMD}`,
          '-serial',
          `file:${join(spec.folder, 'console')}`,
        ],
        ...['-drive', `file=${system.disk},format=raw,if=virtio,snapshot=on`],
        ...(spec.bundle === undefined ? [] : ['-drive', `file=${spec.bundle},format=raw,if=virtio,readonly=on`]),
        ...['-virtfs', `local,path=${this.share},mount_tag=host,security_model=none`],
        ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='],
        ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=shell,path=${socket('shell')}`],
        ...['-device', 'virtserialport,chardev=shell,nr=1'],
        ...['-device', 'i6300esb', '-action', 'watchdog=reset'],
        ...[
          '-device',
          'qemu-xhci,id=usb',
          '-audiodev',
          `wav,id=speaker,path=${join(spec.folder, 'usb.wav')},out.frequency=48000`,
        ],
        ...['-qmp', `unix:${socket('qmp')}`, '-qtest', `unix:${socket('qtest')}`, '-qtest-log', '/dev/null'],
      ],
      { log: join(spec.folder, 'qemu.log'), cwd: spec.folder },
    );
  }

  /** Resolves when the hands are on the board; the guest is still starting. */
  async open() {
    const detail = () => this.story();
    const reach = (name: string) =>
      until(`QEMU opens ${name}`, () => this.#isRunning() && dial(join(this.#folder, name)), { detail });
    this.#qmp = new Lines(await reach('qmp'), line => this.#heardQmp(line));
    await this.qmp('qmp_capabilities');
    this.#qtest = new Lines(await reach('qtest'), line => this.#heardQtest(line));
    this.#shell = await reach('shell');
    this.#shell.setEncoding('utf8').on('data', text => {
      this.#said += text;
    });
    const parts = (await this.qmp('qom-list', { path: '/machine/unattached' })) as { name: string; type: string }[];
    this.#chip = `/machine/unattached/${parts.find(({ type }) => type === 'child<pl061>')!.name}`;
    this.#qtest.write(`irq_intercept_out ${this.#chip}`);
  }

  /** The physical level of an input line. */
  setLine(line: number, level: boolean) {
    this.#qtest!.write(`set_irq_in ${this.#chip} unnamed-gpio-in ${line} ${level ? 1 : 0}`);
  }

  /** What it plays is written to `usb.wav`: stereo, 48 kHz, a header of 44 bytes. */
  plugUsbSound() {
    return this.qmp('device_add', { driver: 'usb-audio', id: 'card', bus: 'usb.0', audiodev: 'speaker' });
  }

  pullUsbSound() {
    return this.qmp('device_del', { id: 'card' });
  }

  /** Runs a command in the guest's shell; answers what it printed. Throws where it fails. */
  async run(command: string, withinMs = COMMAND_MS): Promise<string> {
    const mark = `--${++this.#commands}--`;
    const from = this.#said.length;
    this.#shell!.write(`{ ${command}\n} </dev/null; echo "${mark} $?"\n`);
    const [, output, code] = await until(
      `the guest answers: ${command}`,
      () => (this.#isRunning() && new RegExp(`^([^]*?)${mark} (\\d+)\n`).exec(this.#said.slice(from))) ?? undefined,
      { withinMs, detail: () => this.story() },
    );
    if (code !== '0') throw new Error(`in the guest: ${command}: ${code}\n${output}`);
    return output!;
  }

  /** Waits until the guest's shell answers. */
  async up() {
    await until('the guest is up', () => this.#isRunning() && this.#said.startsWith('ready\n'), {
      withinMs: BOOT_MS,
      detail: () => this.story(),
    });
  }

  /** A file of the share as it is now. */
  console(name: string): string | undefined {
    try {
      return readFileSync(join(this.share, name), 'utf8');
    } catch {
      return undefined;
    }
  }

  /** Resolves when the machine has gone: switched off, or reset by its watchdog. */
  get ended() {
    return this.#program.ended;
  }

  async stop() {
    this.#shell?.destroy();
    this.#qtest?.close();
    this.#qmp?.close();
    await this.#program.stop();
  }

  async qmp(execute: string, words: Record<string, unknown> = {}): Promise<unknown> {
    const answer = JSON.parse(await this.#qmp!.ask(JSON.stringify({ execute, arguments: words }))) as {
      return?: unknown;
      error?: { desc: string };
    };
    if (answer.error !== undefined) throw new Error(`QEMU: ${execute}: ${answer.error.desc}`);
    return answer.return;
  }

  story(): string {
    const tail = (text: string | undefined) => text?.slice(-3_000) ?? 'none';
    let console: string | undefined;
    try {
      console = readFileSync(join(this.#folder, 'console'), 'latin1');
    } catch {}
    return [
      ['QEMU', this.#program.tail()],
      ['console', tail(console)],
      ['start.log', tail(this.console('start.log'))],
      ['shell', tail(this.#said)],
    ]
      .map(([name, text]) => `--- ${name}\n${text}`)
      .join('\n');
  }

  #isRunning(): true {
    this.#program.assertRunning();
    return true;
  }

  #heardQmp(line: string): boolean {
    const message = JSON.parse(line) as QmpEvent | { QMP: unknown };
    if ('event' in message) this.events.push(message);
    return !('event' in message || 'QMP' in message);
  }

  /** `IRQ raise 5` and `IRQ lower 5`, whenever a line that the guest drives changes; otherwise `OK`. */
  #heardQtest(line: string): boolean {
    const [, way, number] = /^IRQ (raise|lower) (\d+)$/.exec(line) ?? [];
    if (way !== undefined) this.onRelay(Number(number), way === 'raise');
    return way === undefined;
  }
}

/** A connection of lines: what `take` does not keep for itself answers the oldest question. */
class Lines {
  readonly #socket: Socket;
  readonly #asked: ((line: string) => void)[] = [];
  #rest = '';

  constructor(socket: Socket, take: (line: string) => boolean) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) if (line.trim() !== '' && take(line)) this.#asked.shift()?.(line);
    });
    socket.on('error', () => {});
  }

  write(line: string) {
    void this.ask(line);
  }

  ask(line: string): Promise<string> {
    return new Promise(resolve => {
      this.#asked.push(resolve);
      this.#socket.write(`${line}\n`);
    });
  }

  close() {
    this.#socket.destroy();
  }
}

const dial = (path: string) =>
  new Promise<Socket | undefined>(resolve => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
