import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../firmware/lib/log.ts';
import { PAYLOAD_LIMIT_BYTES, PER_SECOND_LIMIT } from '../../../firmware/report/command.ts';
import { MqttReport } from '../../../firmware/report/mqtt.ts';
import { OUTBOX_LIMIT, WINDOW } from '../../../firmware/report/outbox.ts';
import { seeded } from '../../sim/seeded.ts';
import { SimpleDevice } from '../../sim/simple-device.ts';
import { SimulatedBroker } from '../../sim/simulated-broker.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

const SPREAD_MS = 2_000;
const root = 'porter/v1/porter-1';
const noon = Date.parse('2026-11-22T12:00:00Z');

function rig({ seed = 1, policy = { commands: true, openDoors: true } } = {}) {
  const clock = new VirtualClock();
  const broker = new SimulatedBroker(clock);
  const device = new SimpleDevice();
  const states: string[] = [];
  const report = new MqttReport({
    clock,
    wallClock: () => noon + clock.now(),
    random: seeded(seed),
    log: silentLog,
    offered: { device, settings: () => [] },
    settings: {
      deviceId: 'porter-1',
      url: 'mqtt://broker.example.org',
      topicRoot: 'porter/v1',
      username: 'door',
      password: 'hunter2',
      keepAliveMs: 60_000,
      reconnectSpreadMs: SPREAD_MS,
    },
    policy: () => policy,
    connect: broker.connect,
    onState: () => states.push(report.state().state),
  });
  const events = () =>
    broker.received
      .filter(({ topic }) => topic.startsWith(`${root}/event/`))
      .map(({ payload }) => JSON.parse(payload).seq);
  return { clock, broker, device, report, states, policy, events };
}

/** A rig that has been connected for a while. */
function connected(options: Parameters<typeof rig>[0] = {}) {
  const all = rig(options);
  all.report.start();
  all.clock.advance(SPREAD_MS + 100);
  expect(all.broker.connected).toBe(true);
  return all;
}

const parse = (payloads: string[]) => payloads.map(payload => JSON.parse(payload));

describe('connects', () => {
  test('within the spread, with MQTT 5, a will, and nothing kept from before', () => {
    const { broker, report, states } = connected();
    expect(broker.attempts).toHaveLength(1);
    expect(broker.attempts[0]!.atMs).toBeLessThanOrEqual(SPREAD_MS);
    expect(broker.attempts[0]!.options).toMatchObject({
      protocolVersion: 5,
      clientId: 'porter-porter-1',
      username: 'door',
      password: 'hunter2',
      clean: true,
      keepalive: 60,
      reconnectPeriod: 0,
      will: { topic: `${root}/availability`, qos: 1, retain: true },
    });
    expect(String(broker.attempts[0]!.options.will?.payload)).toBe('offline');
    expect(report.state()).toEqual({ state: 'connected', url: 'mqtt://broker.example.org' });
    expect(states).toEqual(['connected']);
  });

  test('devices that start together do not come together', () => {
    const moments = [1, 2, 3, 4, 5].map(seed => connected({ seed }).broker.attempts[0]!.atMs);
    expect(new Set(moments).size).toBe(5);
  });

  test('and shows what it is and how it is, retained', () => {
    const { broker, device } = connected();
    expect(broker.retained.get(`${root}/availability`)).toBe('online');
    expect(JSON.parse(broker.retained.get(`${root}/info`)!)).toMatchObject({
      schema: 1,
      id: 'porter-1',
      version: '0.1.0',
      session: 'c0ffee',
      doors: ['main'],
    });
    const facets = ['call', 'accounts', 'doors', 'buttons', 'audio', 'paging', 'config'];
    expect(facets.map(facet => JSON.parse(broker.retained.get(`${root}/state/${facet}`)!))).toEqual([
      { state: 'idle', otherCalls: 0, waiting: 0 },
      { main: { aor: 'sip:door@example.org', state: 'registered' } },
      device.status().doors,
      device.status().buttons,
      { driver: 'alsa', state: 'up' },
      { heard: [], sent: [], faults: {} },
      { source: 'local file' },
    ]);
  });

  test('with 3.1.1 at once to a broker that refuses MQTT 5', () => {
    const { broker, clock, report } = rig();
    broker.behaviour = 'old';
    report.start();
    clock.advance(SPREAD_MS + 100);
    expect(broker.attempts.map(({ options }) => options.protocolVersion)).toEqual([5, 4]);
    expect(broker.connected).toBe(true);
    expect(broker.attempts[1]!.options.properties).toBeUndefined();
  });

  test('with 3.1.1 on the next try to a broker that only closes, and with 5 again when that fails too', () => {
    const { broker, clock, report } = rig();
    broker.behaviour = 'old and silent';
    report.start();
    clock.advance(15_000);
    expect(broker.attempts.map(({ options }) => options.protocolVersion)).toEqual([5, 4]);
    expect(broker.connected).toBe(true);
  });

  test('not, where the password is wrong: tries on, ever more slowly, and says nothing else', () => {
    const { broker, clock, report, device } = rig();
    broker.behaviour = { refuse: 0x86 };
    report.start();
    clock.advance(3_600_000);
    expect(report.state().state).toBe('connecting');
    const moments = broker.attempts.map(({ atMs }) => atMs);
    const pauses = moments.slice(1).map((moment, index) => moment - moments[index]!);
    expect(pauses[0]).toBeGreaterThanOrEqual(5_000);
    expect(pauses[0]).toBeLessThanOrEqual(10_100);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(300_100);
    expect(Math.min(...pauses.slice(6))).toBeGreaterThanOrEqual(150_000);
    expect(broker.received).toEqual([]);
    device.change({});
    clock.advance(1_000_000);
    expect(report.state().state).toBe('connecting');
  });

  test('although the package throws at once', () => {
    const { broker, clock, report } = rig();
    broker.behaviour = 'throws';
    report.start();
    clock.advance(SPREAD_MS);
    expect(broker.attempts).toHaveLength(1);
    broker.behaviour = 'accept';
    clock.advance(10_100);
    expect(broker.connected).toBe(true);
  });
});

describe('shows a state', () => {
  test('when it has changed, and only then', () => {
    const { broker, clock, device } = connected();
    const before = broker.received.length;
    device.change({});
    clock.advance(1000);
    expect(broker.received).toHaveLength(before);
    device.change({ doors: { main: { relay: 'energised', unlocked: true } } });
    clock.advance(1000);
    expect(broker.received.slice(before)).toMatchObject([{ topic: `${root}/state/doors`, retain: true }]);
    expect(JSON.parse(broker.retained.get(`${root}/state/doors`)!)).toEqual({
      main: { relay: 'energised', unlocked: true },
    });
  });

  test('counters and running times are no changes', () => {
    const { broker, clock, device } = connected();
    const { audio, device: about } = device.status();
    const before = broker.received.length;
    device.change({ audio: { ...audio, counters: { ...audio.counters!, frames: 9e6 } } });
    device.change({ device: { ...about, upForSeconds: 1e6 } });
    clock.advance(1000);
    expect(broker.received).toHaveLength(before);
  });

  test('of which only the last matters to a slow broker', () => {
    const { broker, clock, device } = connected();
    broker.received.length = 0;
    for (let index = 0; index < 100; index++) {
      device.change({
        doors: { main: { relay: index % 2 === 0 ? 'energised' : 'at rest', unlocked: index % 2 === 0 } },
      });
      clock.advance(1);
    }
    clock.advance(1000);
    expect(broker.on(`${root}/state/doors`).length).toBeLessThan(20);
    expect(JSON.parse(broker.retained.get(`${root}/state/doors`)!)).toEqual({
      main: { relay: 'at rest', unlocked: false },
    });
  });

  test('that changes again before the broker has the first', () => {
    const { broker, clock, device } = connected();
    device.change({ doors: { main: { relay: 'energised', unlocked: true } } });
    clock.advance(1);
    device.change({ doors: { main: { relay: 'fault', unlocked: true } } });
    clock.advance(1000);
    expect(JSON.parse(broker.retained.get(`${root}/state/doors`)!)).toEqual({
      main: { relay: 'fault', unlocked: true },
    });
  });

  test('a failure has its reason', () => {
    const { broker, clock, device } = connected();
    device.change({ accounts: { main: { aor: 'sip:door@example.org', state: 'failed', detail: '403 Forbidden' } } });
    clock.advance(1000);
    expect(JSON.parse(broker.retained.get(`${root}/state/accounts`)!)).toMatchObject({
      main: { detail: '403 Forbidden' },
    });
  });
});

describe('tells events', () => {
  test('once, in order, never retained', () => {
    const { broker, clock, device, events } = connected();
    device.tell('button', 'pressed', { button: 'front' });
    device.tell('call', 'started', {});
    clock.advance(1000);
    expect(events()).toEqual([1, 2]);
    expect(
      broker.received.filter(({ topic }) => topic.includes('/event/')).map(({ topic, retain }) => [topic, retain]),
    ).toEqual([
      [`${root}/event/button`, false],
      [`${root}/event/call`, false],
    ]);
  });

  test('that happened while the broker was away, when it is back', () => {
    const { broker, clock, device, events } = connected();
    broker.behaviour = 'away';
    broker.cut();
    for (let index = 0; index < 40; index++) device.tell('button', 'pressed', {});
    clock.advance(60_000);
    expect(events()).toEqual([]);
    broker.behaviour = 'accept';
    clock.advance(300_000);
    expect(events()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  test('again, where the connection broke before the broker had them', () => {
    const { broker, clock, device, events } = connected();
    broker.stalled = true;
    for (let index = 0; index < WINDOW + 5; index++) device.tell('button', 'pressed', {});
    clock.advance(1000);
    expect(events()).toHaveLength(WINDOW);
    broker.stalled = false;
    broker.cut();
    clock.advance(60_000);
    expect(events().slice(WINDOW)).toEqual(Array.from({ length: WINDOW + 5 }, (_, index) => index + 1));
  });

  test('the newest, where there were too many; the dropped are counted and told', () => {
    const { broker, clock, device, events, report } = connected();
    broker.behaviour = 'away';
    broker.cut();
    for (let index = 0; index < OUTBOX_LIMIT + 10; index++) device.tell('device', 'noise', {});
    broker.behaviour = 'accept';
    clock.advance(300_000);
    expect(events()[0]).toBe(11);
    expect(events()).toHaveLength(OUTBOX_LIMIT);
    expect(report.counters.eventsDropped).toBe(10);
    expect(JSON.parse(broker.retained.get(`${root}/info`)!).counters).toMatchObject({ eventsDropped: 10 });
  });

  test('that the broker refuses are not tried for ever', () => {
    const { broker, clock, device, events } = connected();
    broker.forbidden = `${root}/event/button`;
    device.tell('button', 'pressed', {});
    device.tell('door', 'opened', {});
    clock.advance(10_000);
    expect(events()).toEqual([2]);
    expect(clock.idle).toBe(true);
  });
});

describe('a broker that goes', () => {
  test('is found again: within the spread first, then ever more slowly', () => {
    const { broker, clock } = connected();
    clock.advance(400_000);
    broker.behaviour = 'away';
    const cutAt = clock.now();
    broker.cut();
    clock.advance(1_200_000);
    const moments = broker.attempts.slice(1).map(({ atMs }) => atMs - cutAt);
    expect(moments[0]).toBeLessThanOrEqual(SPREAD_MS);
    expect(moments[1]! - moments[0]!).toBeGreaterThanOrEqual(5_000);
    expect(moments[1]! - moments[0]!).toBeLessThanOrEqual(10_100);
    expect(moments.length).toBeLessThan(14);
  });

  test('that takes and drops every connection is not hammered', () => {
    const { broker, clock } = connected();
    for (let index = 0; index < 3600; index++) {
      broker.cut();
      clock.advance(1000);
    }
    expect(broker.attempts.length).toBeLessThan(30);
  });

  test('hears everything anew, for it may have forgotten', () => {
    const { broker, clock, states } = connected();
    broker.cut();
    broker.retained.clear();
    clock.advance(30_000);
    expect(broker.retained.get(`${root}/availability`)).toBe('online');
    expect(broker.retained.size).toBe(9);
    expect(states).toEqual(['connected', 'connecting', 'connected']);
  });
});

describe('takes a command', () => {
  const command = `${root}/command`;
  const result = `${root}/command/result`;

  test('as text, and says what became of it', () => {
    const { broker, clock, device } = connected();
    broker.deliver(command, 'open main');
    clock.advance(100);
    expect(device.performed).toEqual([{ action: { do: 'open', door: 'main' }, origin: 'mqtt' }]);
    const [said] = parse(broker.on(result));
    expect(said).toMatchObject({ action: 'open main', done: true, ts: expect.stringMatching(/^2026-11-22T12:/) });
    expect(broker.received.find(({ topic }) => topic === result)?.retain).toBe(false);
  });

  test('as JSON with an id, once', () => {
    const { broker, clock, device, report } = connected();
    const json = JSON.stringify({ action: 'open main', id: 'a7', ts: '2026-11-22T12:00:02Z', ttl: 5 });
    broker.deliver(command, json);
    broker.deliver(command, json);
    clock.advance(100);
    expect(device.performed).toHaveLength(1);
    expect(parse(broker.on(result))).toMatchObject([{ id: 'a7', done: true }]);
    expect(report.counters.repeatedIgnored).toBe(1);
  });

  test('not, where it is retained, stale, malformed, too big, or not allowed', () => {
    const { broker, clock, device, report } = connected({ policy: { commands: true, openDoors: false } });
    broker.deliver(command, 'call desk', { retain: true });
    broker.deliver(command, JSON.stringify({ action: 'call desk', ts: '2026-11-22T11:59:00Z' }));
    broker.deliver(command, 'fly');
    broker.deliver(command, 'x'.repeat(PAYLOAD_LIMIT_BYTES + 1));
    broker.deliver(command, 'open main');
    broker.deliver(command, 'stall 2 s');
    clock.advance(100);
    expect(device.performed).toEqual([]);
    expect(parse(broker.on(result)).map(({ done, code }) => [done, code])).toEqual([
      [false, 'not allowed'],
      [false, 'bad request'],
      [false, 'bad request'],
      [false, 'bad request'],
      [false, 'not allowed'],
      [false, 'not allowed'],
    ]);
    expect(report.counters.retainedIgnored).toBe(1);
  });

  test('that the device refuses, with its words', () => {
    const { broker, clock } = connected();
    broker.deliver(command, 'open side');
    clock.advance(100);
    expect(parse(broker.on(result))).toMatchObject([
      { action: 'open side', done: false, code: 'unknown name', why: 'there is no door "side"; there is main' },
    ]);
  });

  test('only so many in a second', () => {
    const { broker, clock, device, report } = connected();
    for (let index = 0; index < 200; index++) broker.deliver(command, 'press front');
    clock.advance(100);
    expect(device.performed).toHaveLength(PER_SECOND_LIMIT);
    expect(report.counters.throttled).toBe(200 - PER_SECOND_LIMIT);
    clock.advance(1000);
    broker.deliver(command, 'press front');
    clock.advance(100);
    expect(device.performed).toHaveLength(PER_SECOND_LIMIT + 1);
  });

  test('by a policy that may change while connected', () => {
    const { broker, clock, device, policy } = connected();
    policy.commands = false;
    broker.deliver(command, 'press front');
    clock.advance(100);
    expect(device.performed).toEqual([]);
    policy.commands = true;
    broker.deliver(command, 'press front');
    clock.advance(100);
    expect(device.performed).toHaveLength(1);
  });
});

describe('answers a request', () => {
  const to = `${root}/rpc/req`;
  const back = `${root}/rpc/res/desk`;
  const request = (more: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'names', ...more });

  test('on the response topic, with the correlation data', () => {
    const { broker, clock, device } = connected();
    broker.deliver(to, request({}), { responseTopic: back, correlationData: Buffer.from('x7') });
    clock.advance(100);
    expect(parse(broker.on(back))).toEqual([{ jsonrpc: '2.0', id: 1, result: device.names() }]);
    expect(String(broker.received.find(({ topic }) => topic === back)?.correlationData)).toBe('x7');
  });

  test('on the topic that the request itself names, for MQTT 3.1.1', () => {
    const { broker, clock } = connected();
    broker.deliver(to, request({ reply_to: back }));
    clock.advance(100);
    expect(parse(broker.on(back))).toMatchObject([{ id: 1, result: {} }]);
  });

  test('under the same policy as commands', () => {
    const { broker, clock, device } = connected({ policy: { commands: true, openDoors: false } });
    broker.deliver(to, request({ method: 'perform', params: { action: 'open main' } }), { responseTopic: back });
    broker.deliver(to, request({ method: 'perform', params: { action: 'press front' } }), { responseTopic: back });
    clock.advance(100);
    expect(parse(broker.on(back)).map(({ result }) => result.done)).toEqual([false, true]);
    expect(device.performed).toMatchObject([{ origin: 'mqtt' }]);
  });

  test('but not elsewhere, not to nobody, not retained, not too big; and does nothing then', () => {
    const { broker, clock, device, report } = connected();
    const press = request({ method: 'perform', params: { action: 'press front' } });
    const before = broker.received.length;
    broker.deliver(to, press, { responseTopic: 'porter/v1/other/command' });
    broker.deliver(to, press, { responseTopic: `${root}/rpc/res/#` });
    broker.deliver(to, press);
    broker.deliver(to, '{');
    broker.deliver(to, press, { responseTopic: back, retain: true });
    broker.deliver(to, press + ' '.repeat(PAYLOAD_LIMIT_BYTES), { responseTopic: back });
    clock.advance(100);
    expect(device.performed).toEqual([]);
    expect(broker.received).toHaveLength(before);
    expect(report.counters).toMatchObject({ unanswerable: 5, retainedIgnored: 1 });
  });

  test('with an error where it is malformed', () => {
    const { broker, clock } = connected();
    broker.deliver(to, 'hello', { responseTopic: back });
    broker.deliver(to, request({ method: 'fly' }), { responseTopic: back });
    clock.advance(100);
    expect(parse(broker.on(back)).map(({ error }) => error.code)).toEqual([-32700, -32601]);
  });

  test('not to a later session', () => {
    const { broker, clock, device } = connected();
    let answer = () => {};
    device.freshStatus = done => {
      answer = () => done(device.status());
    };
    broker.deliver(to, request({ method: 'status' }), { responseTopic: back });
    clock.advance(100);
    broker.cut();
    clock.advance(30_000);
    answer();
    clock.advance(100);
    expect(broker.on(back)).toEqual([]);
  });

  test('so many at a time; a broker that takes none gets no more', () => {
    const { broker, clock, report } = connected();
    broker.stalled = true;
    for (let second = 0; second < 3; second++) {
      for (let index = 0; index < PER_SECOND_LIMIT; index++) broker.deliver(to, request({}), { responseTopic: back });
      clock.advance(1000);
    }
    expect(broker.on(back)).toHaveLength(32);
    expect(report.counters.answersDropped).toBe(3 * PER_SECOND_LIMIT - 32);
  });
});

describe('stops', () => {
  async function stopping(report: MqttReport, clock: VirtualClock) {
    const stopped = report.stop();
    clock.advance(1_100);
    await stopped;
  }

  test('with a last word, and leaves nothing armed', async () => {
    const { broker, clock, device, report, states } = connected();
    await stopping(report, clock);
    expect(broker.retained.get(`${root}/availability`)).toBe('offline');
    expect(broker.connected).toBe(false);
    expect(clock.idle).toBe(true);
    expect(device.listeners).toBe(0);
    expect(states.at(-1)).toBe('connecting');
    device.tell('button', 'pressed', {});
    device.change({});
    clock.advance(1_000_000);
    expect(broker.attempts).toHaveLength(1);
  });

  test('within a second from a broker that takes nothing', async () => {
    const { broker, clock, report } = connected();
    broker.stalled = true;
    await stopping(report, clock);
    expect(clock.idle).toBe(true);
  });

  test('while connecting, while waiting, and before it began', async () => {
    const early = rig();
    await stopping(early.report, early.clock);
    early.report.start();
    await stopping(early.report, early.clock);
    expect(early.clock.idle).toBe(true);
    expect(early.broker.connected).toBe(false);

    const connecting = rig();
    connecting.report.start();
    while (connecting.broker.attempts.length === 0) connecting.clock.advance(1);
    await stopping(connecting.report, connecting.clock);
    expect(connecting.broker.connected).toBe(false);
    expect(connecting.clock.idle).toBe(true);

    const waiting = connected();
    waiting.broker.behaviour = 'away';
    waiting.broker.cut();
    waiting.clock.advance(20_000);
    await stopping(waiting.report, waiting.clock);
    expect(waiting.clock.idle).toBe(true);
  });
});

test('nothing that is published holds the password', () => {
  const { broker } = connected();
  expect(JSON.stringify([broker.received, [...broker.retained]])).not.toContain('hunter2');
});
