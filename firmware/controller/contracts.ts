/** What the device can be asked to do, what it says of itself, and how: one vocabulary for every way in and out. */
import type { AudioCounters, AudioStatus } from '../../hal/contracts.ts';
import type { Action } from '../io/actions.ts';
import type { AcousticsReport, PageCounters, StreamStatistics } from '../media/protocol.ts';
import type { Level } from '../paging/levels.ts';
import type { RegistrationState } from '../sip/contracts.ts';
import type { SipCounters } from '../sip/counters.ts';
import type { Availability } from '../sip/event/reading.ts';
import type { PagingTest } from './paging-test.ts';
import type { ProbeRequest, ProbeResult } from './sip-probe.ts';
import type { SipStatus } from './sip-status.ts';
import type { Watcher } from './wire-tap.ts';

export type { Action };

/** Where an action came from: policy decides by it, events report it. */
export type Origin = 'button' | 'dtmf' | 'mqtt' | 'cli' | 'device';

export type ActionResult =
  | { done: true }
  | {
      done: false;
      code: 'unknown name' | 'not now' | 'not allowed' | 'bad request' | 'failed';
      /** A sentence for a person: what is wrong, and what exists or what to do. */
      why: string;
    };

export type CallState = 'idle' | 'calling' | 'ringback' | 'ringing' | 'talking' | 'held' | 'paging' | 'ending';

/** Something that happened. Reported once, never retained. */
export interface DeviceEvent {
  /** Counts from 1 within a session. */
  seq: number;
  /** Names this run of the process. */
  session: string;
  /** ISO 8601, UTC. */
  ts: string;
  source: 'device' | 'button' | 'call' | 'door' | 'sip' | 'audio' | 'paging' | 'recording' | 'config' | 'provisioning';
  type: string;
  /** Facts of the event, flat. Never a secret. */
  [fact: string]: unknown;
}

export interface CallStatus {
  state: CallState;
  direction?: 'outgoing' | 'incoming';
  remote?: string;
  displayName?: string;
  codec?: string;
  /** Seconds since the answer. */
  answeredFor?: number;
  mode?: 'talk' | 'listen' | 'page';
  /** Who holds it. */
  held?: 'here' | 'there' | 'both';
  /** It is in a conference with the others that are. */
  joined?: boolean;
  statistics?: StreamStatistics;
}

/** Whether a contact can be called. */
export interface ContactStatus {
  is: Availability;
  why?: string;
}

export interface Status {
  /** `location`: where it hangs, where the configuration says so. */
  device: {
    id: string;
    name: string;
    location?: string;
    version: string;
    board: string;
    session: string;
    upForSeconds: number;
  };
  call: CallStatus;
  /** Calls beyond the one that `call` tells of, where more than one is allowed. */
  otherCalls: CallStatus[];
  /** Callers for whom no line is free, the next one first. */
  waiting: readonly string[];
  accounts: Record<string, { aor: string; state: RegistrationState['is']; detail: string }>;
  /** Contacts that are watched: whether they can be called. `why`: where that is not known. */
  contacts: Record<string, ContactStatus>;
  /** Subscriptions that others hold with this device. */
  watchers: number;
  /** Lines of the board that cannot be used, and why; and the SIP socket, where it cannot be had. */
  faults: Record<string, string>;
  doors: Record<string, { relay: 'at rest' | 'energised' | 'fault'; unlocked: boolean }>;
  /** `led`: the pattern that the button's lamp shows, where it has one. `fault`: why it cannot be pressed. */
  buttons: Record<string, { pressed: boolean; stuck: boolean; led?: string; fault?: string }>;
  audio: {
    driver: string;
    state: AudioStatus['is'] | 'starting';
    /** What is away: the card (`down`), or one side of it (`up`). */
    why?: string;
    counters?: AudioCounters;
    opus?: string;
    /** Why the network is not told which packets are sound (`media.dscp`). */
    unmarked?: string;
    acoustics?: AcousticsReport;
  };
  /** What is being recorded, and into which file. */
  recording?: { what: 'call' | 'microphone'; file: string } | undefined;
  /** Pages by multicast that are heard now, and the groups. `why`: it cannot be joined. */
  paging: {
    pages: { group: string; level: Level; from: string; caller?: string }[];
    groups: Record<string, PageCounters & { why?: string }>;
    /** Zones that this device pages now. `remote`: who does it, from a call. */
    sent: { zone: string; from: 'microphone' | 'file' | 'call'; remote?: string }[];
  };
  config: { revision: string | undefined; source: string; problem?: string };
  mqtt: { state: 'off' | 'connecting' | 'connected'; url?: string };
  sip: SipCounters;
}

/** Each way from a source to a sink: the places on it, each with what is worth knowing (`encode opus 16 kHz 20 ms`). */
export interface AudioGraph {
  ways: readonly (readonly string[])[];
}

/** The device as its outside sees it: MQTT, the socket, later HTTP. */
export interface Device {
  perform(action: Action, origin: Origin): ActionResult;
  status(): Status;
  /** The telephone line alone, in detail. */
  sipStatus(): SipStatus;
  /** Asks a server how far the way to it goes; `done` is called once, within a minute, unless the device stops. */
  sipProbe(request: ProbeRequest, done: (result: ProbeResult | { why: string }) => void): void;
  /** Whether multicast arrives here; `done` is called once, after 3 s at the latest. */
  pagingTest(done: (result: PagingTest | { why: string }) => void): void;
  /** Fresh counters of the media thread, then `status()`. `done` is called once, after 1 s at the latest. */
  freshStatus(done: (status: Status) => void): void;
  /** The sound's ways through the device as they are now; `done` is called once, after 1 s at the latest. */
  audioGraph(done: (graph: AudioGraph | { why: string }) => void): void;
  /** Tells of every event from now on. The returned function ends it. */
  onEvent(listener: (event: DeviceEvent) => void): () => void;
  /** Tells that something in `status()` changed (coalesced, at most every 50 ms). */
  onChange(listener: () => void): () => void;
  /** Shows what goes over the network from now on. The returned function ends it. */
  watch(watcher: Watcher): () => void;
  /** Names for help and errors. */
  names(): { buttons: string[]; doors: string[]; contacts: string[]; zones: string[]; inputs: string[] };
}
