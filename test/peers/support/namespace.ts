/** A network of its own for one program: a cable between this machine and a namespace, whose addresses a test changes. */
import { execFileSync } from 'node:child_process';
import type { Bench } from './bench.ts';

/** RFC 1918 space that nobody's container network uses by habit; the third number is chance, so that two may run. */
let third = Math.floor(Math.random() * 254);
/** The kernel takes a namespace away some time after it was told to: the next one has other names. */
let count = 0;

export class Namespace {
  readonly name: string;
  /** This machine's end of the cable. */
  readonly here: string;
  readonly first: string;
  readonly second: string;
  readonly #outer: string;
  readonly #inner: string;

  /** Needs root and network namespaces: where they are missing the test fails, since nothing else would prove the same. */
  constructor(bench: Bench) {
    const own = `${process.pid}-${++count}`;
    third = 1 + (third % 254);
    const net = `10.213.${third}`;
    this.here = `${net}.1`;
    this.first = `${net}.2`;
    this.second = `${net}.3`;
    this.name = `porter-${own}`;
    this.#outer = `po${own}`.slice(0, 15);
    this.#inner = `pi${own}`.slice(0, 15);
    ip('netns', 'add', this.name);
    bench.onStop(() => ip('netns', 'del', this.name));
    ip('link', 'add', this.#outer, 'type', 'veth', 'peer', 'name', this.#inner, 'netns', this.name);
    ip('addr', 'add', `${this.here}/24`, 'dev', this.#outer);
    ip('link', 'set', this.#outer, 'up');
    this.#inside('link', 'set', 'lo', 'up');
    this.#inside('addr', 'add', `${this.first}/24`, 'dev', this.#inner);
    this.#inside('link', 'set', this.#inner, 'up');
  }

  /** What runs a program in it. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** As a DHCP server would that has given the lease to somebody else. */
  moveToSecond() {
    // In this order: the kernel takes the second of a subnet away together with the first.
    this.#inside('addr', 'del', `${this.first}/24`, 'dev', this.#inner);
    this.#inside('addr', 'add', `${this.second}/24`, 'dev', this.#inner);
  }

  /** The far end of the cable is pulled, or put back: the interface keeps its address and has no carrier. */
  cable(state: 'up' | 'down') {
    ip('link', 'set', this.#outer, state);
  }

  #inside(...words: string[]) {
    ip('-n', this.name, ...words);
  }
}

function ip(...words: string[]) {
  try {
    execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw new Error(`ip ${words.join(' ')}: ${stderr?.toString().trim() || (error as Error).message}`);
  }
}
