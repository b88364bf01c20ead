/** Plays one day of a whole device, with its sound, relay and events, and says what was wrong with it. */
import { parseConfig } from '../../../firmware/config/parse.ts';
import type { DeviceEvent } from '../../../firmware/controller/contracts.ts';
import type { DeskCall } from '../../desk/desk.ts';
import { seeded } from '../seeded.ts';
import { building, DESK, DEVICE, type SimDevice, World } from '../world.ts';
import { pick } from './chance.ts';
import type { DayResult } from './day-result.ts';
import { type DeviceDay, type DeviceDeed, type DeviceTrouble, drawDeviceDay } from './device-plan.ts';
import { EventWatch } from './event-watch.ts';
import { type DayPreset, dayPresets } from './plan.ts';
import { recoveryLimitMs } from './promise.ts';

const EXPIRES_MS = 60_000;
/** Two minutes of talk, a session without a sign of life, BYE given up: no call lasts longer. */
const lastCallMs = 120_000 + 90_000 + 3 * 32_000;
const LOOK_MS = 250;
const DESK_RINGS_MS = 40_000;
const HOME = `${DEVICE.host}:${DEVICE.port}`;

const document = {
  ...building,
  // Whatever address it is given.
  sip: { ...building.sip, listen: { host: '0.0.0.0' }, maxCalls: 2, sessionTimer: '90 s' },
};

interface Scene {
  day: DeviceDay;
  world: World;
  desk: ReturnType<World['desk']>['desk'];
  device: SimDevice;
  watch: EventWatch;
  random: ReturnType<typeof seeded>;
  document: typeof document & Record<string, unknown>;
}

export async function deviceDay(seed: number, preset?: DayPreset): Promise<DayResult> {
  const day = drawDeviceDay(seed, preset);
  const world = new World({ seed, impairment: dayPresets[day.preset] });
  const watch = new EventWatch();
  let registrations = 0;
  let recoveredAfterMs: number | undefined;
  let device: SimDevice | undefined;
  try {
    const random = seeded(seed ^ 0x4411);
    const { desk } = world.desk({
      onCall: call => receive(world, call, random),
      onEvent: ({ is }) => {
        if (is === 'registered') registrations++;
      },
    });
    device = world.device(document);
    recoveredAfterMs = await play({ day, world, desk, device, watch, random, document: { ...document } });
  } catch (error) {
    watch.fault(error instanceof Error ? `${error.stack}` : String(error));
  }
  return {
    seed,
    preset: day.preset,
    kind: 'device',
    faults: watch.faults,
    trace: world.trace,
    outcomes: (device?.events ?? []).filter(({ source, type }) => source === 'call' && type === 'ended').map(outcomeOf),
    troubles: day.troubles.map(({ what }) => what.is),
    registrations,
    recoveredAfterMs,
    virtualMs: world.clock.now(),
  };
}

function outcomeOf({ by, status, talkedForSeconds }: DeviceEvent): string {
  if (Number(talkedForSeconds) > 0) return 'answered';
  if (status !== undefined) return `refused ${status}`;
  return by === 'us' || by === 'them' ? 'given up' : 'failed';
}

/** What the desk does with a call of the device. */
function receive(world: World, call: DeskCall, random: ReturnType<typeof seeded>) {
  const mood = random.next();
  // A CANCEL may be lost in all its copies: nobody lets a telephone ring for ever.
  world.clock.after(DESK_RINGS_MS, () => call.state === 'ringing' && call.hangUp(), 'a hand at the desk');
  const later = (task: () => void) => void world.clock.after(4_000 * random.next(), task, 'a hand at the desk');
  if (mood < 0.1) call.refuse(pick(random, [480, 486, 603]));
  else if (mood < 0.3) call.ring();
  else {
    call.ring();
    later(() => call.answer());
  }
}

async function play(scene: Scene): Promise<number | undefined> {
  const { day, world, desk, device, watch } = scene;
  device.intercom.onEvent(event => watch.heard(event, device));
  for (const { atMs, what } of day.troubles) world.clock.after(atMs, () => befall(scene, what), 'trouble');
  for (const { atMs, what } of day.deeds) world.clock.after(atMs, () => act(scene, what), 'deed');
  const run = async (ms: number) => {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      await world.run(Math.min(left, LOOK_MS));
      watch.look(device, world.clock.now());
    }
  };
  await run(day.troublesEndMs);
  world.note('world', 'the troubles are over');
  const limitMs = recoveryLimitMs({ expiresMs: EXPIRES_MS, ttlMs: 0, retryAfterMs: 0, servers: 1 });
  const sinceMs = world.clock.now();
  const isBack = () =>
    desk.registrar.contactFor('front') !== undefined && device.intercom.status().accounts.pbx?.state === 'registered';
  while (!isBack() && world.clock.now() - sinceMs < limitMs) await run(1_000);
  const afterMs = isBack() ? world.clock.now() - sinceMs : undefined;
  if (afterMs === undefined)
    watch.fault(
      `not registered ${limitMs / 1000} s after the troubles: ${JSON.stringify(device.intercom.status().accounts)}`,
    );
  // A door that was opened last locks again.
  await run(10_000);
  const isQuiet = () =>
    device.intercom.alive.deviceCalls + device.intercom.alive.calls + desk.userAgent.alive.calls + desk.calls.length ===
    0;
  for (let left = lastCallMs; left > 0 && !isQuiet(); left -= 1_000) await run(1_000);
  watch.atRest(device, desk.calls.length);
  await run(1_000);
  const farewell = Promise.all([device.intercom.stop(), desk.stop()]);
  await world.finish(farewell);
  await world.run(64_000);
  watch.over(device, world.clock.armed);
  return afterMs;
}

function befall({ world, desk, device }: Scene, trouble: DeviceTrouble) {
  world.note('world', `trouble: ${JSON.stringify(trouble)}`);
  const { clock, network, sound } = world;
  const later = (ms: number, task: () => void) => void clock.after(ms, task, 'end of trouble');
  switch (trouble.is) {
    case 'link down':
      device.link('down');
      later(trouble.forMs, () => device.link('up'));
      break;
    case 'registrar silent':
      network.cut.add(DESK.host);
      sound.cutOff.add(DESK.host);
      later(trouble.forMs, () => {
        network.cut.delete(DESK.host);
        sound.cutOff.delete(DESK.host);
      });
      break;
    case 'registrar forgets':
      desk.registrar.stop();
      break;
    case 'address changes':
      device.moveTo(trouble.host);
      break;
    case 'wall clock jumps':
      world.wallJumpMs += trouble.byMs;
      break;
    case 'port taken':
      for (const host of ['192.0.2.10', '192.0.2.11', '192.0.2.12']) world.refusedPorts.set(host, 'taken');
      later(trouble.forMs, () => world.refusedPorts.clear());
      break;
  }
}

function act(scene: Scene, deed: DeviceDeed) {
  const { world, desk, device, watch } = scene;
  const { intercom } = device;
  world.note('world', `deed: ${JSON.stringify(deed)}`);
  switch (deed.is) {
    case 'press':
      device.hold('button-1', true);
      world.clock.after(deed.forMs, () => device.hold('button-1', false), 'finger');
      break;
    case 'desk calls': {
      const contact = desk.registrar.contactFor('front') ?? `sip:front@${HOME}`;
      const call = desk.call(contact, { page: deed.page, caller: deed.caller });
      world.clock.after(deed.forMs, () => call.hangUp(), 'a hand at the desk');
      break;
    }
    case 'desk keys': {
      const call = desk.calls.at(-1);
      if (call?.state !== 'talking') break;
      if (deed.keys === '55#') watch.causes++;
      call.sendKeys(deed.keys);
      break;
    }
    case 'desk hangs up':
      desk.calls.at(-1)?.hangUp();
      break;
    case 'act':
      if (deed.action === 'open') watch.causes++;
      if (deed.action === 'open') intercom.perform({ do: 'open', door: 'main' }, 'cli');
      else if (deed.action === 'call' || deed.action === 'page') intercom.performText(`${deed.action} desk`, 'cli');
      else intercom.performText(deed.action, 'cli');
      break;
    case 'document': {
      const { sip, contacts } = scene.document;
      if (deed.changes === 'volume')
        Object.assign(scene.document, { audio: { loudspeaker: -6 * scene.random.next() } });
      if (deed.changes === 'port') Object.assign(scene.document, { sip: { ...sip, maxCalls: 1 + (sip.maxCalls % 2) } });
      if (deed.changes === 'contact')
        Object.assign(scene.document, {
          contacts: { ...contacts, [`c${world.clock.now().toFixed(0)}`]: contacts.desk },
        });
      const parsed = parseConfig(scene.document);
      if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
      intercom.apply(parsed.config);
    }
  }
}
