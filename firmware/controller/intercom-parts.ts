/** What the device is made of: what it is given once, and the parts that it opens with that at each start. */
import type { Board, Clock } from '../../hal/contracts.ts';
import type { Config } from '../config/schema.ts';
import type { WallClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { type RecordingFolder, recordingFolder } from '../lib/recording-folder.ts';
import type { Media, MediaSettings } from '../media/protocol.ts';
import type { Resolve } from '../sip/contracts.ts';
import type { Services } from '../sip/locate/services.ts';
import { CallController } from './call-controller.ts';
import { callSettingsOf } from './call-settings.ts';
import { Doors } from './doors.ts';
import type { EventLog } from './event-log.ts';
import { FrontPanel, type PressKind } from './front-panel.ts';
import { mediaSettings } from './media-settings.ts';
import { Paging } from './paging.ts';
import { zoneSettings } from './paging-settings.ts';
import { PagingTests } from './paging-test.ts';
import { Recorder } from './recorder.ts';
import type { SipSocket } from './sip-socket.ts';
import { Sound } from './sound.ts';
import { Telephone } from './telephone.ts';
import type { WireTap } from './wire-tap.ts';
import { ZonePages } from './zone-pages.ts';

export interface IntercomParts {
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  log: Log;
  version: string;
  /** `urn:uuid:…` of this device, for its whole life (RFC 5626 §4.1). Absent: it has none to tell. */
  instanceId?: string | undefined;
  resolve: Resolve;
  openBoard(config: Config): Board;
  /** Addresses of this machine that others can reach; undefined: not known just now. Absent: they never change. */
  addresses?(): readonly string[] | undefined;
  /** Absent: no SRV and NAPTR records are asked for. */
  services?: Services;
  openSocket(settings: Config['sip']): SipSocket;
  openMedia(settings: MediaSettings): Media;
  /** A sound that is named without a folder lies here. */
  soundsDirectory: string;
  /** Where recordings go. Absent: on the disk. */
  recordings?: RecordingFolder;
}

export interface OpenParts {
  board: Board;
  doors: Doors;
  panel: FrontPanel;
  sound: Sound;
  paging: Paging;
  zonePages: ZonePages;
  pagingTests: PagingTests;
  recorder: Recorder;
  telephone: Telephone;
  calls: CallController;
}

/** What outlives the parts, and what they tell. */
export interface Joints {
  events: EventLog;
  tap: WireTap;
  /** The one in use: it may change while the parts run. */
  config(): Config;
  onPress(button: string, how: PressKind): void;
  onCheckSync(): void;
  changed(): void;
}

/** Opens the board and joins the others to it and to each other; none of them acts yet. */
export function openParts(
  given: IntercomParts,
  { events, tap, config, onPress, onCheckSync, changed }: Joints,
): OpenParts {
  const { clock, wallClock, random, log, resolve, services, addresses } = given;
  const board = given.openBoard(config());
  for (const { line, error } of board.faults)
    events.tell('device', 'line fault', { line, code: error.code, why: error.message });
  const doors = new Doors({ clock, board, events, settings: () => config().doors, changed });
  const panel = new FrontPanel({ clock, board, events, settings: () => config().buttons, onPress, changed });
  const paging = new Paging({ clock, board, events, settings: () => config().paging, changed });
  board.onMended = line => {
    events.tell('device', 'line mended', { line });
    for (const part of [doors, panel, paging]) part.mended(line);
    changed();
  };
  const settings = mediaSettings(config(), board, given.instanceId);
  const { soundsDirectory } = given;
  const pagingTests = new PagingTests({ clock, media: () => sound.media, status: () => paging.status() });
  const zonePages = new ZonePages({
    media: () => sound.media,
    events,
    zones: () => zoneSettings(config()),
    caller: () => config().device.name,
    soundsDirectory,
    callIsUp: () => ['calling', 'ringback', 'talking'].includes(calls.status().state),
    changed,
  });
  const recorder = new Recorder({
    wallClock,
    events,
    media: () => sound.media,
    folder: given.recordings ?? recordingFolder,
    settings: () => config().audio.recording,
    rate: settings.audio.rate,
    callIsUp: () => ['talking', 'held', 'paging'].includes(calls.status().state),
    changed,
  });
  const sound: Sound = new Sound({
    clock,
    driver: settings.audio.driver,
    events,
    media: given.openMedia(settings),
    onEvent: event => {
      paging.onMediaEvent(event);
      zonePages.onMediaEvent(event);
      pagingTests.onMediaEvent(event);
      recorder.onMediaEvent(event);
      calls.onMediaEvent(event);
    },
    tap,
    changed,
  });
  const telephone: Telephone = new Telephone({
    environment: { clock, wallClock, random, log: log.part('sip'), resolve, ...(services && { services }) },
    socket: given.openSocket(config().sip),
    tap,
    events,
    config,
    instanceId: given.instanceId,
    product: `Porter/${given.version}`,
    ...(addresses && { addresses }),
    onInvite: invite => calls.onInvite(invite),
    onNetworkChanged: () => calls.networkChanged(),
    onCheckSync,
    changed,
  });
  const calls: CallController = new CallController({
    clock,
    random,
    events,
    media: sound.media,
    doors,
    settings: callSettingsOf(config, () => sound.hasOpus),
    zonePages,
    soundsDirectory,
    hostFor: remote => telephone.hostFor(remote),
    isTrusted: (source, account) => telephone.isTrusted(source, account),
    changed,
  });
  calls.use(telephone.userAgent);
  return { board, doors, panel, sound, paging, zonePages, recorder, pagingTests, telephone, calls };
}

/** The lines first: a relay is at its safe level before anything else can fail. */
export function startParts({ doors, panel, sound, paging, telephone }: OpenParts) {
  doors.start();
  paging.start();
  panel.start();
  sound.start();
  telephone.start();
}

/** In reverse. `farewellMs`: how long ending calls and unregistering may take. */
export async function stopParts(
  { board, doors, panel, sound, paging, pagingTests, telephone, calls }: OpenParts,
  farewellMs: number,
) {
  calls.stop();
  pagingTests.stop();
  await telephone.stop(farewellMs);
  await sound.stop();
  panel.stop();
  paging.stop();
  doors.stop();
  board.close();
}
