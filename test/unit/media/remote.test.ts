import { expect, test } from 'vitest';
import { Remote } from '../../../firmware/media/remote.ts';

const announced = { host: '10.0.0.5', port: 4000 };
const nat = { host: '198.51.100.7', port: 61_000 };
const stranger = { host: '203.0.113.9', port: 5000 };
const remote = () => new Remote(announced, { host: '10.0.0.5', port: 4001 });

test('sends to the announced address until three packets in a row came from another', () => {
  const peer = remote();
  expect([peer.heard(nat, 0), peer.heard(nat, 20)]).toEqual([true, true]);
  expect(peer.rtp).toEqual(announced);
  expect(peer.heard(nat, 40)).toBe(true);
  expect(peer.rtp).toEqual(nat);
  expect(peer.rtcp).toEqual({ host: nat.host, port: nat.port + 1 });
});

test('packets of two sources in turn make neither the peer', () => {
  const peer = remote();
  for (let at = 0; at < 200; at += 20) {
    expect(peer.heard(nat, at)).toBe(true);
    expect(peer.heard(stranger, at)).toBe(true);
  }
  expect(peer.rtp).toEqual(announced);
});

test('once the peer is known no other host counts, however long it is silent', () => {
  const peer = remote();
  for (let at = 0; at <= 40; at += 20) peer.heard(announced, at);
  for (let at = 60; at <= 60_000; at += 20) expect(peer.heard(stranger, at)).toBe(false);
  expect(peer.rtp).toEqual(announced);
});

test('its router may take another port after two seconds of silence', () => {
  const peer = remote();
  for (let at = 0; at <= 40; at += 20) peer.heard(nat, at);
  const moved = { ...nat, port: 61_001 };
  expect([2039, 2040, 2060, 2080].map(at => peer.heard(moved, at))).toEqual([false, false, false, true]);
  expect(peer.rtp).toEqual(moved);
});

test('packets that are authentic may come from elsewhere after two seconds of silence', () => {
  const peer = remote();
  for (let at = 0; at <= 40; at += 20) peer.heard(announced, at, true);
  expect([2039, 2040, 2060, 2080].map(at => peer.heard(nat, at, true))).toEqual([false, false, false, true]);
  expect(peer.rtp).toEqual(nat);
});

test('after a new offer and answer the peer may move, once, when it has been silent for two seconds', () => {
  const peer = remote();
  for (let at = 0; at <= 40; at += 20) peer.heard(announced, at);
  peer.negotiated();
  expect(peer.heard(stranger, 2039)).toBe(false);
  expect([2040, 2060].map(at => peer.heard(stranger, at))).toEqual([false, false]);
  expect(peer.rtp).toEqual(announced);
  expect(peer.heard(stranger, 2080)).toBe(true);
  expect(peer.rtp).toEqual(stranger);
  for (let at = 5000; at <= 5100; at += 20) expect(peer.heard(nat, at)).toBe(false);
});

test('the address given is copied: it may be reused for the next packet', () => {
  const peer = remote();
  const from = { ...nat };
  for (let at = 0; at <= 40; at += 20) peer.heard(from, at);
  from.port = 1;
  expect(peer.rtp).toEqual(nat);
});

test('RTCP is answered where it comes from, from the host of the peer only', () => {
  const peer = remote();
  for (let at = 0; at <= 40; at += 20) peer.heard(nat, at);
  expect(peer.heardRtcp(stranger)).toBe(false);
  expect(peer.heardRtcp({ host: nat.host, port: 62_345 })).toBe(true);
  expect(peer.rtcp).toEqual({ host: nat.host, port: 62_345 });
});
