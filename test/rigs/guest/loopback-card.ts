/** The kernel's loopback card as a sound card with a mouth and an ear: device 0 is the intercom's, device 1 the visitor's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import type { RealCard } from '../../peers/support/sound-card.ts';
import { until } from '../../peers/support/until.ts';

const DRIVER = '/sys/bus/platform/drivers/snd_aloop';
const DEVICE = 'snd_aloop.0';

export class LoopbackCard implements RealCard {
  readonly capture = 'hw:Loopback,0,0';
  readonly playback = 'hw:Loopback,0,0';
  readonly #outside = 'hw:Loopback,1,0';
  readonly #processes = new Set<ChildProcess>();

  async start() {
    if (!this.isThere) writeFileSync(`${DRIVER}/bind`, DEVICE);
    await until('the card', () => this.isThere && existsSync('/dev/snd/pcmC0D1c'));
  }

  /** As a USB card is pulled: the driver is taken from it, whoever has it open. */
  async pull() {
    for (const child of this.#processes) child.kill('SIGKILL');
    if (!this.isThere) return;
    // The kernel cuts off everybody at once, and then waits until all have closed the card: nobody who may have it open
    // can be the one to ask.
    const asking = spawn('sh', ['-c', `echo ${DEVICE} >${DRIVER}/unbind`], { stdio: 'inherit' });
    await once(asking, 'exit');
  }

  get isThere() {
    return existsSync(`${DRIVER}/${DEVICE}`);
  }

  speak(samples: Int16Array, rate: number): ChildProcess {
    const child = spawn('aplay', ['-q', '-D', this.#outside, ...raw(rate)], { stdio: ['pipe', 'ignore', 'inherit'] });
    this.#keep(child);
    child.stdin.on('error', () => {});
    child.stdin.end(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
    return child;
  }

  async listen(seconds: number, rate: number): Promise<Int16Array> {
    const child = spawn('arecord', ['-q', '-D', this.#outside, '-d', String(seconds), ...raw(rate)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#keep(child);
    const ended = once(child, 'close');
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await ended;
    const bytes = Buffer.concat(chunks);
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
  }

  #keep(child: ChildProcess) {
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
  }
}

const raw = (rate: number) => ['-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(rate)];
