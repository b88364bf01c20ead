/** Plays one day of the user agent, from its first REGISTER to its last timer, and says what was wrong with it. */
import { seeded } from '../seeded.ts';
import type { DayResult } from './day-result.ts';
import { type Day, type DayPreset, type Deed, drawDay, type Trouble } from './plan.ts';
import { recoveryLimitMs } from './promise.ts';
import { faultsOf } from './records.ts';
import { RING_LIMIT_MS, SESSION_MS } from './speaker.ts';
import { PBX, SECOND_PBX, Town } from './town.ts';
import { Watch } from './watch.ts';

/** The longest that a call without a far end lasts: until it is answered, until its session ends, until BYE is given up. */
const lastCallMs = RING_LIMIT_MS + SESSION_MS + 90_000 + 3 * 32_000;
/** The BYE of the last ones, in all its copies, and what they wait for. */
const goodbyeMs = 100_000;
const stopLimitMs = 40_000;
/** Connections that nobody uses idle out. */
const idleMs = 700_000;
const LOOK_MS = 1_000;

export function agentDay(seed: number, preset?: DayPreset): DayResult {
  const day = drawDay(seed, preset);
  const town = new Town(day);
  const watch = new Watch();
  let recoveredAfterMs: number | undefined;
  try {
    recoveredAfterMs = play(day, town, watch);
  } catch (error) {
    watch.fault(
      error instanceof Error
        ? `${error.message}${error.cause ? `: ${stackOf(error.cause)}` : ''}\n${error.stack}`
        : String(error),
    );
  }
  return {
    seed,
    preset: day.preset,
    kind: 'agent',
    faults: watch.faults,
    trace: town.trace,
    outcomes: town.speakers
      .filter(({ name }) => name === 'front')
      .flatMap(({ records }) => records.map(({ outcome }) => outcome)),
    troubles: day.troubles.map(({ what }) => (what.is === 'DNS' ? `DNS ${what.mood}` : what.is)),
    registrations: town.registrations,
    recoveredAfterMs,
    virtualMs: town.clock.now(),
  };
}

const stackOf = (cause: unknown) => (cause instanceof Error ? cause.stack : String(cause));

function play(day: Day, town: Town, watch: Watch): number | undefined {
  const { clock } = town;
  const random = seeded(day.seed ^ 0x6e2f);
  for (const { atMs, what } of day.troubles) clock.after(atMs, () => befall(town, what), 'trouble');
  for (const { atMs, what } of day.deeds) clock.after(atMs, () => act(town, what, random), 'deed');
  const run = (ms: number) => {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      clock.advance(Math.min(left, LOOK_MS));
      watch.look(town);
    }
  };
  run(day.troublesEndMs);

  if (day.endsAbruptly) {
    end(town, watch);
    return undefined;
  }
  // Nothing bad happens any more.
  town.note('the troubles are over');
  const limitMs = recoveryLimitMs({
    expiresMs: day.expiresMs,
    ttlMs: day.ttlMs,
    retryAfterMs: 1000 * Math.max(0, ...day.troubles.map(({ what }) => ('retryAfterS' in what ? what.retryAfterS : 0))),
    servers: 2,
  });
  const sinceMs = clock.now();
  const isBack = () => town.contact !== undefined && town.front.userAgent.registration('main').is === 'registered';
  while (!isBack() && clock.now() - sinceMs < limitMs) run(LOOK_MS);
  const afterMs = isBack() ? clock.now() - sinceMs : undefined;
  const state = town.front.userAgent.registration('main');
  if (afterMs === undefined)
    watch.fault(`not registered ${Math.round(limitMs / 1000)} s after the troubles: ${JSON.stringify(state)}`);

  run(lastCallMs);
  hangUpAll(town, watch);
  run(goodbyeMs);
  watch.atRest(town);
  end(town, watch);
  return afterMs;
}

/** A call that lasts has somebody at its other end; where nobody is, it must be over by now. */
function hangUpAll({ speakers, odd }: Town, watch: Watch) {
  const up = speakers.flatMap(speaker => (speaker.isDead ? [] : speaker.up));
  for (const record of up) {
    const { id, remote } = record.call!;
    const isWithOther = up.some(other => other !== record && other.call!.id === id);
    // The odd one answers each sign of life, for ever.
    if (!isWithOther && !odd.called.has(id) && !remote.uri.includes('odd@'))
      watch.fault(`half a call is left: ${record.owner} with ${remote.uri}: ${record.heard.join(', ')}`);
  }
  for (const record of up) record.hangUp();
}

/** Everybody stops: calls that are still up end by that. */
function end(town: Town, watch: Watch) {
  const { clock, speakers } = town;
  town.note('the end');
  const alive = speakers.filter(({ isDead }) => !isDead);
  let stopped = 0;
  for (const speaker of alive) {
    speaker.stop(stopLimitMs, () => {
      stopped++;
      watch.stopped(speaker);
    });
  }
  clock.advance(stopLimitMs + 1_000);
  for (const speaker of alive) speaker.close();
  clock.advance(idleMs);
  if (stopped !== alive.length) watch.fault(`${alive.length - stopped} did not stop`);
  for (const { records } of speakers)
    for (const record of records) for (const fault of faultsOf(record)) watch.fault(fault);
  watch.over(town);
}

function befall(town: Town, trouble: Trouble) {
  const { clock, network, streams, names } = town;
  town.note(`trouble: ${JSON.stringify(trouble)}`);
  const during = (begin: () => unknown, end: () => unknown) => {
    begin();
    if ('forMs' in trouble) clock.after(trouble.forMs, end, 'end of trouble');
  };
  switch (trouble.is) {
    case 'registrar restarts':
      town.restartRegistrars();
      break;
    case 'registrar silent':
      for (const { phone } of town.servers) {
        during(
          () => network.cut.add(phone.address.host),
          () => network.cut.delete(phone.address.host),
        );
      }
      streams.heldUntilMs = Math.max(streams.heldUntilMs, clock.now() + trouble.forMs);
      break;
    case 'registrar refuses':
      during(
        () => (town.registrarMood = trouble),
        () => (town.registrarMood = 'well'),
      );
      break;
    case 'registrar says stale':
      during(
        () => (town.registrarMood = 'stale'),
        () => (town.registrarMood = 'well'),
      );
      break;
    case 'DNS':
      during(
        () => (names.mood = trouble.mood),
        () => (names.mood = 'right'),
      );
      break;
    case 'PBX moves':
      names.servers = names.servers.length === 2 ? [SECOND_PBX] : names.servers[0] === PBX ? [SECOND_PBX] : [PBX];
      break;
    case 'link down':
      during(
        () => network.cut.add(town.front.address.host),
        () => network.cut.delete(town.front.address.host),
      );
      streams.heldUntilMs = Math.max(streams.heldUntilMs, clock.now() + trouble.forMs);
      break;
    case 'wall clock jumps':
      town.wallJumpMs += trouble.byMs;
      break;
    case 'suspended': {
      const { front } = town;
      during(
        () => front.sleep(),
        () => front.wake(),
      );
      break;
    }
    case 'peer loses power':
    case 'we lose power': {
      const who = trouble.is === 'we lose power' ? 'front' : trouble.who;
      if (town[who].isDead) break;
      during(
        () => town[who].die(),
        () => (town[who] = town.speaker(who)),
      );
      break;
    }
    case 'connections reset':
      streams.breakAll();
      break;
  }
}

function act(town: Town, deed: Deed, random: ReturnType<typeof seeded>) {
  const done = perform(town, deed, random);
  town.note(`deed: ${JSON.stringify(deed)}${done ? '' : ' (nothing to do it with)'}`);
}

/** False where there was nobody to do it. */
function perform(town: Town, deed: Deed, random: ReturnType<typeof seeded>): boolean {
  const isAbout = (who: 'front' | 'desk' | 'carol') => !town[who].isDead && town[who].isAwake;
  if ('who' in deed && !isAbout(deed.who)) return false;
  switch (deed.is) {
    case 'call':
      town[deed.who].dial(deed.whom, deed.forMs);
      return true;
    case 'call back': {
      const { contact } = town;
      if (contact === undefined || !isAbout('desk')) return false;
      town.desk.dial(contact, deed.forMs);
      return true;
    }
    case 'meddle':
      return town[deed.who].meddle(deed.how, deed.target);
    case 'both offer':
      for (const who of ['front', 'desk', 'carol'] as const) if (isAbout(who)) town[who].meddle('offer', '');
      return true;
    case 'refresh':
      if (isAbout('front')) town.front.userAgent.refreshRegistrations();
      return true;
    case 'garbage':
      town.garbage(Uint8Array.from({ length: deed.bytes }, () => random.uint32() & 0xff));
      return true;
  }
}
