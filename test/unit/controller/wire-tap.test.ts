import { expect, test } from 'vitest';
import { WireTap } from '../../../firmware/controller/wire-tap.ts';
import type { Transport } from '../../../firmware/sip/contracts.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const OURS = { host: '192.0.2.10', port: 5060 };
const PEER = { host: '192.0.2.1', port: 5060 };

function rig() {
  const clock = new VirtualClock();
  let asked = 0;
  const tap = new WireTap({ clock, wallClock: () => 1_000 + clock.now() }, () => {
    asked++;
  });
  const sent: string[] = [];
  let looked = 0;
  const transport: Transport = {
    localFor: () => {
      looked++;
      return OURS;
    },
    send: bytes => void sent.push(String(bytes)),
  };
  return { clock, tap, sent, transport, asked: () => asked, looked: () => looked };
}

const run = (clock: VirtualClock, ms: number) => {
  const untilMs = clock.now() + ms;
  while (clock.step(untilMs));
  clock.advance(untilMs - clock.now());
};

test('what is sent and received is shown to whoever watches, and to nobody after', () => {
  const { tap, transport, sent, looked } = rig();
  const tapped = tap.on(transport);
  tapped.send(Buffer.from('before'), PEER);
  // While nobody watches nothing is done for him.
  expect(looked()).toBe(0);
  const seen: string[] = [];
  const end = tap.watch({ onMessage: ({ way, bytes, atMs }) => seen.push(`${atMs} ${way} ${bytes}`) });
  tapped.send(Buffer.from('one'), PEER);
  tap.received(transport, PEER, Buffer.from('two'));
  end();
  tapped.send(Buffer.from('after'), PEER);
  expect(seen).toEqual(['1000 out one', '1000 in two']);
  expect(sent).toEqual(['before', 'one', 'after']);
});

test('the media thread is asked ten times a second while somebody wants sound, and nothing stays armed', () => {
  const { tap, clock, asked } = rig();
  const endPlain = tap.watch({ onMessage: () => {} });
  run(clock, 1_000);
  expect(asked()).toBe(0);
  const end = tap.watch({ onMessage: () => {}, onPackets: () => {} });
  run(clock, 1_000);
  expect(asked()).toBe(11);
  end();
  run(clock, 1_000);
  expect(asked()).toBe(11);
  expect(clock.armed).toEqual([]);
  endPlain();
});

test('a device that stops shows nothing more', () => {
  const { tap, clock, asked, transport } = rig();
  const seen: unknown[] = [];
  tap.watch({ onMessage: message => seen.push(message), onPackets: packets => seen.push(packets) });
  tap.stop();
  tap.on(transport).send(Buffer.from('x'), PEER);
  tap.passed([], 3);
  run(clock, 1_000);
  expect([seen, asked(), clock.armed]).toEqual([[], 1, []]);
});
