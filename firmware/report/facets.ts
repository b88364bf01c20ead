/** The parts of the status that are shown to the broker: what changes rarely enough to be retained. Pure. */
import type { Device, Status } from '../controller/contracts.ts';
import type { Facet } from './topics.ts';

/** Of the payloads under `state/`, `info` and `event/`; changes when a reader would have to. */
const SCHEMA = 1;

/** Counters and running times are left out: they would make every state change for ever. */
export function facets({
  call,
  otherCalls,
  waiting,
  accounts,
  doors,
  buttons,
  audio,
  paging,
  config,
}: Status): Record<Facet, object> {
  const { state, direction, remote, displayName, codec, mode, held, joined } = call;
  return {
    call: {
      state,
      direction,
      remote,
      displayName,
      codec,
      mode,
      held,
      joined,
      otherCalls: otherCalls.length,
      waiting: waiting.length,
    },
    accounts: mapValues(accounts, ({ aor, state, detail }) => ({
      aor,
      state,
      // Of a failure it is the reason; otherwise it may count down.
      ...(state === 'failed' && { detail }),
    })),
    doors: mapValues(doors, ({ relay, unlocked }) => ({ relay, unlocked })),
    buttons: mapValues(buttons, ({ pressed, stuck, led }) => ({ pressed, stuck, led })),
    audio: { driver: audio.driver, state: audio.state === 'xrun' ? 'up' : audio.state, why: audio.why },
    paging: {
      heard: paging.pages,
      sent: paging.sent,
      // Those that cannot be heard: what goes by in the others is counted elsewhere.
      faults: Object.fromEntries(
        Object.entries(paging.groups).flatMap(([name, { why }]) => (why === undefined ? [] : [[name, why]])),
      ),
    },
    config: { revision: config.revision, source: config.source, problem: config.problem },
  };
}

/** What the device is and what it can be asked about. */
export function info({ device }: Status, names: ReturnType<Device['names']>, counters: object): object {
  const { id, name, location, version, board, session } = device;
  const { buttons, doors, contacts, zones } = names;
  return { schema: SCHEMA, id, name, location, version, board, session, buttons, doors, contacts, zones, counters };
}

const mapValues = <T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
