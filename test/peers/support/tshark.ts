/** What was on the wire, as Wireshark sees it: dumpcap records loopback, tshark reads it back. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { Program } from './program.ts';
import { passes, until } from './until.ts';

/** Bytes of tshark's output: a call of a minute is far less. */
const OUTPUT_BYTES = 64 * 1024 * 1024;

/** Longer than the kernel gathers packets before dumpcap is woken. Milliseconds. */
const GATHERED_MS = 1_000;

export interface RtpStream {
  from: number;
  to: number;
  ssrc: string;
  payload: string;
  packets: number;
  lost: number;
  /** Between one packet and the next, milliseconds. */
  meanDeltaMs: number;
  maxDeltaMs: number;
  problems: string;
}

export class Capture {
  readonly #file: string;
  readonly #program: Program | undefined;
  readonly #options: readonly string[];

  /** `program`: what writes the file still. */
  constructor(file: string, program?: Program, options: readonly string[] = []) {
    this.#file = file;
    this.#program = program;
    this.#options = options;
  }

  /** Ends the recording; then it can be read. */
  async stop() {
    // What the kernel has gathered for it and not handed over yet would be lost.
    await passes(GATHERED_MS);
    await this.#program?.stop('SIGINT');
  }

  /** One row for each packet that the display filter lets through, one cell for each field. */
  fields(filter: string, fields: readonly string[]): string[][] {
    const args = ['-Y', filter, '-T', 'fields', ...fields.flatMap(field => ['-e', field])];
    return this.#read(args)
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.split('\t'));
  }

  rtpStreams(): RtpStream[] {
    const table = this.#read(['-q', '-z', 'rtp,streams']);
    return table.split('\n').flatMap(line => {
      // Start, end, source, port, destination, port, SSRC, payload, packets, lost (percent), min/mean/max delta, jitters, problems.
      const row =
        /^ +[\d.]+ +[\d.]+ +\S+ +(\d+) +\S+ +(\d+) +(0x[0-9A-F]+) +(\S.*?) +(\d+) +(-?\d+) \([^)]*\) +[-\d.]+ +([-\d.]+) +([-\d.]+) +[-\d.]+ +[-\d.]+ +[-\d.]+ *(.*)$/.exec(
          line,
        );
      if (row === null) return [];
      const [, from, to, ssrc, payload, packets, lost, meanDelta, maxDelta, problems] = row;
      return [
        {
          from: Number(from),
          to: Number(to),
          ssrc: ssrc!,
          payload: payload!,
          packets: Number(packets),
          lost: Number(lost),
          meanDeltaMs: Number(meanDelta),
          maxDeltaMs: Number(maxDelta),
          problems: problems!.trim(),
        },
      ];
    });
  }

  #read(args: readonly string[]): string {
    const all = ['-r', this.#file, ...this.#options, ...args];
    const { status, stdout, stderr, error } = spawnSync('tshark', all, { encoding: 'utf8', maxBuffer: OUTPUT_BYTES });
    if (error !== undefined) throw new Error('tshark cannot be run: apt-get install tshark', { cause: error });
    if (status !== 0) throw new Error(`tshark ${all.join(' ')}: ${stderr}`);
    return stdout;
  }
}

/**
 * Records the UDP packets of these ports on loopback. `sip` are read as SIP whatever their number; RTP is found by the
 * session descriptions, or `readAs`: port → protocol.
 */
export async function startCapture(
  bench: Bench,
  ports: { sip: readonly number[]; rtp: { from: number; to: number }[]; readAs?: Readonly<Record<number, string>> },
) {
  const room = bench.room('capture');
  const file = join(room, 'call.pcapng');
  const wanted = [
    ...ports.sip.map(port => `udp port ${port}`),
    ...ports.rtp.map(({ from, to }) => `udp portrange ${from}-${to}`),
  ];
  const args = ['-i', 'lo', '-q', '-B', '16', '-w', file, '-f', wanted.join(' or ')];
  const program = new Program('dumpcap', args, { log: join(room, 'log'), cwd: room });
  bench.onStop(() => program.stop('SIGINT'));
  await until(
    'dumpcap records loopback (it needs the right to capture: run as root, or setcap cap_net_raw,cap_net_admin on dumpcap)',
    () => {
      program.assertRunning();
      return /^File: /m.test(program.tail());
    },
    { detail: () => program.tail() },
  );
  const readAs = { ...Object.fromEntries(ports.sip.map(port => [port, 'sip'])), ...ports.readAs };
  return new Capture(
    file,
    program,
    Object.entries(readAs).flatMap(([port, protocol]) => ['-d', `udp.port==${port},${protocol}`]),
  );
}
