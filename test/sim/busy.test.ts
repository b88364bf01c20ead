/** More callers than lines: who waits and for how long, whose call takes another's place, what an announcement does. */
import { describe, expect, test } from 'vitest';
import { FRONT, twoDesks } from './two-desks.ts';
import { building, DESK, DEVICE } from './world.ts';

const oneLine = { ...building.sip, maxCalls: 1 };
const waiting = { calls: { ...building.calls, waiting: { limit: 2, for: '90 s' } }, sip: oneLine };
const HALL_URI = 'sip:hall@192.0.2.2:5060';
/** The hall is an account's server here too, as it were. */
const allowed = (more: object = {}) => ({
  ...building.calls,
  autoAnswer: { allow: ['*'], trustedSources: ['192.0.2.1', '192.0.2.2'], ...more },
});

/** The statuses that the device has sent to a host. */
function answersTo(all: Awaited<ReturnType<typeof twoDesks>>, host: string) {
  const statuses: number[] = [];
  all.world.network.tap = (bytes, from, to) => {
    const status = /^SIP\/2\.0 (\d+)/.exec(new TextDecoder().decode(bytes))?.[1];
    if (status !== undefined && from.host === DEVICE.host && to.host === host) statuses.push(Number(status));
  };
  return statuses;
}

/** The desk talks; the one line is taken. */
async function taken(changes: object) {
  const all = await twoDesks(changes);
  const { world, desk, does } = all;
  const first = desk.call(FRONT);
  await world.run(300);
  does({ do: 'answer' });
  await world.run(500);
  return { ...all, first };
}

describe('a caller for whom no line is free', () => {
  test('is told to wait, and rings when the line is free', async () => {
    const all = await taken(waiting);
    const { world, hall, first, states, told, intercom, does } = all;
    const statuses = answersTo(all, '192.0.2.2');
    const call = hall.call(FRONT);
    await world.run(20_000);
    expect(statuses).toEqual([182]);
    expect(intercom.status().waiting).toEqual([HALL_URI]);
    expect(told('call', 'waiting')).toMatchObject([{ remote: HALL_URI, place: 1 }]);
    first.hangUp();
    await world.run(500);
    expect(statuses.at(-1)).toBe(180);
    expect([states(), intercom.status().waiting]).toEqual([['hall ringing'], []]);
    does({ do: 'answer' });
    await world.run(500);
    expect(call.state).toBe('talking');
  });

  test('may give up first', async () => {
    const { world, hall, told } = await taken(waiting);
    const call = hall.call(FRONT);
    await world.run(20_000);
    expect(call.state).toBe('opening');
    call.hangUp();
    await world.run(500);
    expect(told('call', 'waiting ended')).toMatchObject([{ why: 'the caller has hung up', waitedForSeconds: 20 }]);
  });

  test('is busy when the time is up', async () => {
    const { world, hall, told, intercom } = await taken({
      ...waiting,
      calls: { ...building.calls, waiting: { limit: 1, for: '5 s' } },
    });
    const call = hall.call(FRONT);
    await world.run(6_000);
    expect(call.end).toMatchObject({ by: 'refusal', status: 486 });
    expect(told('call', 'waiting ended')).toMatchObject([
      { remote: HALL_URI, why: 'no line became free in time', waitedForSeconds: 5 },
    ]);
    expect(intercom.status().waiting).toEqual([]);
  });

  test('takes its turn; one more than may wait is busy at once', async () => {
    const { world, hall, desk, first, states } = await taken(waiting);
    const one = hall.call(FRONT);
    await world.run(100);
    const two = desk.call(FRONT);
    await world.run(100);
    const three = hall.call(FRONT);
    await world.run(300);
    expect(three.end).toMatchObject({ by: 'refusal', status: 486 });
    first.hangUp();
    await world.run(300);
    expect(states()).toEqual(['hall ringing']);
    one.hangUp();
    await world.run(300);
    expect([states(), two.state]).toEqual([['desk ringing'], 'ringing']);
  });

  test('who may be answered by itself is, when its turn comes', async () => {
    const { world, hall, first, states } = await taken({
      sip: oneLine,
      calls: { ...allowed({ whenBusy: 'hold' }), waiting: { limit: 1, for: '60 s' } },
    });
    const call = hall.call(FRONT, { page: true });
    await world.run(1_000);
    expect(call.state).toBe('opening');
    first.hangUp();
    await world.run(1_000);
    expect(states()).toEqual(['hall talking']);
  });

  test.each([
    ['nobody may wait', { limit: 0, for: '60 s' }],
    ['others may', { limit: 1, for: '60 s', allow: ['boss@192.0.2.2'] }],
  ])('is busy where %s', async (_, rule) => {
    const { world, hall } = await taken({ sip: oneLine, calls: { ...building.calls, waiting: rule } });
    const call = hall.call(FRONT);
    await world.run(300);
    expect(call.end).toMatchObject({ by: 'refusal', status: 486 });
  });

  test('is let go when the device stops, and nothing stays armed', async () => {
    const { world, desk, hall, intercom } = await taken(waiting);
    const call = hall.call(FRONT);
    await world.run(500);
    await world.finish(intercom.stop());
    await world.run(500);
    expect(call.end).toMatchObject({ by: 'refusal', status: 503 });
    await world.finish(desk.stop());
    await world.finish(hall.stop());
    await world.run(64_000);
    expect(world.clock.armed).toEqual([]);
  });
});

describe('an automatic call while another is up', () => {
  test('is busy by default, though a line is free', async () => {
    const { world, hall, states } = await taken({ calls: allowed() });
    const call = hall.call(FRONT, { page: true });
    await world.run(500);
    expect(call.end).toMatchObject({ by: 'refusal', status: 486 });
    expect(states()).toEqual(['desk talking']);
  });

  test('holds the other', async () => {
    const { world, hall, states, hears } = await taken({ calls: allowed({ whenBusy: 'hold' }) });
    const call = hall.call(FRONT, { page: true });
    await world.run(3_000);
    expect(states()).toEqual(['hall talking', 'desk held']);
    expect([hears('device'), hears('desk')]).toEqual([['hall'], []]);
    call.hangUp();
    await world.run(1_500);
    expect([states(), hears('desk')]).toEqual([['desk talking'], ['device']]);
  });

  test('or ends it, also where there is one line', async () => {
    const { world, hall, first, states } = await taken({ calls: allowed({ whenBusy: 'end' }), sip: oneLine });
    hall.call(FRONT, { page: true });
    await world.run(1_000);
    expect([states(), first.state]).toEqual([['hall talking'], 'ended']);
  });
});

describe('an announcement', () => {
  const page = allowed({ rules: [{ from: '*@192.0.2.2', mode: 'page' }] });

  test('comes before the call that is up, needs no line, and gives it back', async () => {
    const { world, hall, states, hears } = await taken({ calls: page, sip: oneLine });
    const call = hall.call(FRONT, { page: true });
    await world.run(3_000);
    expect(states()).toEqual(['hall paging', 'desk held']);
    expect([hears('device'), hears('desk'), hears('hall')]).toEqual([['hall'], [], []]);
    call.hangUp();
    await world.run(1_500);
    expect([states(), hears('desk')]).toEqual([['desk talking'], ['device']]);
  });

  test('does not keep a visitor from calling', async () => {
    const { world, hall, desk, device, states, hears } = await twoDesks({ calls: page, sip: oneLine });
    hall.call(FRONT, { page: true });
    await world.run(1_000);
    device.hold('button-1', true);
    await world.run(150);
    device.hold('button-1', false);
    await world.run(500);
    expect(states()).toContain('desk ringback');
    // Pressed again and again, it is one call.
    device.hold('button-1', true);
    await world.run(150);
    device.hold('button-1', false);
    await world.run(500);
    expect(desk.calls).toHaveLength(1);
    desk.calls[0]!.answer();
    await world.run(1_500);
    expect(hears('desk')).toEqual(['device']);
  });

  test('a second one at the same time is busy', async () => {
    const { world, hall } = await twoDesks({ calls: page });
    hall.call(FRONT, { page: true });
    await world.run(500);
    const second = hall.call(FRONT, { page: true });
    await world.run(500);
    expect(second.end).toMatchObject({ by: 'refusal', status: 486 });
  });
});

describe('a press while a second call rings', () => {
  const press = async ({ device, world }: Awaited<ReturnType<typeof twoDesks>>) => {
    device.hold('button-1', true);
    await world.run(150);
    device.hold('button-1', false);
    await world.run(1_500);
  };

  test('means the first call, by default', async () => {
    const all = await taken({});
    all.hall.call(FRONT);
    await all.world.run(300);
    await press(all);
    expect(all.states()).toEqual(['desk talking', 'hall ringing']);
  });

  test('answers the second and holds the first, where that is set', async () => {
    const all = await taken({ calls: { ...building.calls, waitingPress: 'answer' } });
    all.hall.call(FRONT);
    await all.world.run(300);
    await press(all);
    expect(all.states()).toEqual(['hall talking', 'desk held']);
  });
});

describe('a word inside the call', () => {
  const notify = (event: string, invite: string, host: string, cseq = 2) => {
    const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'm').exec(invite)![1]!;
    return new TextEncoder().encode(
      [
        `NOTIFY ${FRONT} SIP/2.0`,
        `Via: SIP/2.0/UDP ${host}:5060;branch=z9hG4bK-${event}-${cseq}`,
        'Max-Forwards: 70',
        `From: ${header('To')}`,
        `To: ${header('From')}`,
        `Call-ID: ${header('Call-ID')}`,
        `CSeq: ${cseq} NOTIFY`,
        `Event: ${event}`,
        'Subscription-State: active',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
  };

  /** A call of the desk that rings, and the response that tells its dialog. */
  async function ringing(calls: object) {
    const all = await twoDesks({ calls });
    let response = '';
    all.world.network.tap = (bytes, from) => {
      const text = new TextDecoder().decode(bytes);
      if (from.host === DEVICE.host && text.startsWith('SIP/2.0 180')) response = text;
    };
    all.desk.call(FRONT);
    await all.world.run(500);
    // What the device says To is what its peer says From.
    const swapped = response
      .replace(/^From:/m, 'X:')
      .replace(/^To:/m, 'From:')
      .replace(/^X:/m, 'To:');
    const say = async (event: string, cseq: number) => {
      all.world.network.send(notify(event, swapped, DESK.host, cseq), DESK, { host: DEVICE.host, port: DEVICE.port });
      await all.world.run(1_500);
    };
    return { ...all, say };
  }

  test('answers it, holds it, and goes on with it', async () => {
    const { say, states } = await ringing(building.calls);
    await say('talk', 2);
    expect(states()).toEqual(['desk talking']);
    await say('hold', 3);
    expect(states()).toEqual(['desk held']);
    await say('talk', 4);
    expect(states()).toEqual(['desk talking']);
  });

  test('does nothing for a caller who may not be answered by itself', async () => {
    const { say, states, told } = await ringing({ ...building.calls, autoAnswer: {} });
    await say('talk', 2);
    expect(states()).toEqual(['desk ringing']);
    expect(told('call', 'remote control refused')).toMatchObject([{ what: 'talk' }]);
  });
});
