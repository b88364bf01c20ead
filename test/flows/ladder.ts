/** A call flow as text, in the manner of RFC 3665: the ladder first, then each message in full. */
import { type Address, printAddress } from '../../firmware/lib/address.ts';
import type { LossyNetwork } from '../sim/lossy-network.ts';
import type { StreamNetwork } from '../sim/stream-network.ts';
import type { VirtualClock } from '../sim/virtual-clock.ts';

interface Step {
  atMs: number;
  from: string;
  to: string;
  text: string;
}

export class Ladder {
  readonly #steps: Step[] = [];
  readonly #names: Readonly<Record<string, string>>;

  /** `names`: printed address → the name in the ladder. */
  constructor(
    clock: VirtualClock,
    network: LossyNetwork,
    names: Readonly<Record<string, string>>,
    streams?: StreamNetwork,
  ) {
    this.#names = names;
    const nameOf = (address: Address) => names[printAddress(address)] ?? printAddress(address);
    const note = (bytes: Uint8Array, from: Address, to: Address) => {
      const text = new TextDecoder().decode(bytes).replaceAll('\r\n', '\n');
      this.#steps.push({ atMs: clock.now(), from: nameOf(from), to: nameOf(to), text });
    };
    network.tap = note;
    if (streams !== undefined) streams.tap = note;
  }

  print(title: string): string {
    const hide = normaliser();
    const steps = this.#steps.map(step => ({ ...step, text: hide(step.text).trimEnd() }));
    const ladder = steps.map(({ atMs, from, to, text }, index) => {
      const number = `F${index + 1}`.padEnd(4);
      const at = `${(atMs / 1000).toFixed(3)} s`.padStart(10);
      return `${number}${at}  ${this.#arrow(from, to)}  ${text.split('\n', 1)[0]}`;
    });
    const messages = steps.map(({ from, to, text }, index) => `F${index + 1}  ${from} -> ${to}\n\n${text}`);
    return `# ${title}\n\n${ladder.join('\n')}\n\n${messages.join('\n\n----\n\n')}\n`;
  }

  /** The first host named stands on the left. */
  #arrow(from: string, to: string) {
    const names = Object.values(this.#names);
    const [left, right] = names.indexOf(from) < names.indexOf(to) ? [from, to] : [to, from];
    return `${left} ${left === from ? '-->' : '<--'} ${right}`;
  }
}

/** Gives what is random a name in the order of its first appearance. */
function normaliser() {
  const known = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameFor = (kind: string, value: string) => {
    const key = `${kind} ${value}`;
    if (!known.has(key)) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      known.set(key, `{${kind} ${count}}`);
    }
    return known.get(key)!;
  };
  return (text: string) =>
    text
      .replaceAll(/^Call-ID: (.*)$/gm, (_, value) => `Call-ID: ${nameFor('call', value)}`)
      .replaceAll(/\btag=([^;>\s]+)/g, (_, value) => `tag=${nameFor('tag', value)}`)
      .replaceAll(/\bbranch=([^;>\s]+)/g, (_, value) => `branch=${nameFor('branch', value)}`)
      .replaceAll(/\b(c?nonce|response)="([^"]*)"/g, (_, name, value) => `${name}="${nameFor(name, value)}"`);
}
