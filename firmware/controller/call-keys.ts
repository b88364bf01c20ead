/** The keys that the far end of one call presses: told once each; they may open a door, or page a zone. */
import type { Clock } from '../lib/clock.ts';
import type { Media } from '../media/protocol.ts';
import type { DeviceCall } from './device-call.ts';
import type { Doors } from './doors.ts';
import { type Codes, DtmfCommands, type DtmfSettings } from './dtmf-commands.ts';
import type { EventLog } from './event-log.ts';
import { type KeyMethod, KeyPresses } from './key-presses.ts';
import type { ZonePages } from './zone-pages.ts';

export interface CallKeysParts {
  clock: Clock;
  events: EventLog;
  media: Media;
  doors: Doors;
  zonePages: Pick<ZonePages, 'fromCall'>;
  settings: DtmfSettings;
  codes: () => Codes;
}

export class CallKeys {
  readonly #call: DeviceCall;
  readonly #events: EventLog;
  readonly #presses: KeyPresses;
  readonly #commands: DtmfCommands;

  constructor({ clock, events, media, doors, zonePages, settings, codes }: CallKeysParts, call: DeviceCall) {
    this.#call = call;
    this.#events = events;
    this.#presses = new KeyPresses(clock);
    const { stream } = call;
    const remote = call.plan.remote.uri;
    this.#commands = new DtmfCommands(clock, settings, codes, command => {
      const heard = (tone: 'answered' | 'refused') => media.send({ do: 'play tone', tone, at: { stream } });
      if (command.is === 'open') heard(doors.open(command.door, 'dtmf', remote).done ? 'answered' : 'refused');
      else if (command.is === 'page') {
        // Who may page hears the gong.
        if (!zonePages.fromCall(command.zone, stream, remote).done) heard('refused');
      } else {
        const { is, ...facts } = command;
        events.tell('door', is, { remote, ...facts });
        heard('refused');
      }
    });
  }

  pressed(key: string, by: KeyMethod, lastedMs: number) {
    if (!this.#presses.isNew(key, by, lastedMs)) return;
    const call = this.#call;
    this.#events.tell('call', 'key', { remote: call.plan.remote.uri, lastedMs, by });
    // Who makes an announcement, or waits on hold, does not speak with anybody at the door.
    if (call.state === 'talking' && !call.isAnnouncement && !call.talk.isHeld) this.#commands.key(key);
  }

  stop() {
    this.#commands.stop();
  }
}
