/**
 * What the control thread and the media thread say to each other: plain data, posted both ways, never awaited.
 * Each command about a stream names it; each answer names it again. A stream is one call's sound.
 */
import type { AudioCounters, AudioSpec, AudioStatus, CardLevel } from '../../hal/contracts.ts';
import type { NoiseFollowing } from '../audio/ambient.ts';
import type { AcousticSettings, EchoSetting } from '../audio/echo/choose.ts';
import type { Address } from '../lib/address.ts';
import type { PageCodecName, PageGroup } from '../paging/groups.ts';
import type { Level, LevelRules } from '../paging/levels.ts';
import type { PageZone } from '../paging/zones.ts';

/** The control thread's name for one call's sound; unique for the life of the process. */
export type StreamId = string;

/** What may be heard and said, seen from here (RFC 3264 §5.1 words). */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export type CodecName = PageCodecName;

/** The negotiated form of a codec on one stream. */
export interface CodecChoice {
  name: CodecName;
  /** RTP payload type to send, and to expect. */
  payloadType: number;
  /** The payload type to expect, where the peer has another of its own. */
  heardAs?: number;
  /** Packet time to send, milliseconds. */
  ptimeMs: number;
  /** opus only: the peer wants in-band FEC (RFC 7587 §6.1 useinbandfec). */
  fec?: boolean;
  /** While it is silent nothing is sent, or word of it: the peer understands (RFC 3389; RFC 7587 §3.1.3). */
  silence?: boolean;
  /** opus only: the peer wants no more bits a second (RFC 7587 §6.1 maxaveragebitrate). */
  maxBitrate?: number;
}

/** One call's sound, as negotiated. */
export interface StreamSettings {
  direction: Direction;
  remote: { host: string; rtpPort: number; rtcpPort: number };
  codec: CodecChoice;
  /** Other codecs of the answer that the peer may switch to without asking (RFC 3264 §5.1). */
  alsoReceives?: CodecChoice[];
  /** RFC 4733 payload type, or absent where the peer has none. */
  telephoneEvent?: number;
  /** The payload type by which the peer sends keys, where that is another. */
  keysHeardAs?: number | undefined;
  /** The peer holds the call: nothing need come of it. */
  mayBeSilent?: boolean;
  /** SRTP: its suite, and master key with salt each way. Absent: plain. */
  crypto?: { suite: string; ours: Uint8Array; theirs: Uint8Array } | undefined;
  /** RTCP goes through the port of RTP (RFC 5761). */
  rtcpMux?: boolean | undefined;
  /** The peer wants to know how good it is heard (RFC 3611). */
  voipMetrics?: boolean | undefined;
  /** Who only listens says its time and is answered, by all or by who sends sound (RFC 3611 §4.4). */
  receiverTimes?: 'all' | 'sender' | undefined;
}

/**
 * With whom a stream talks: the microphone and loudspeaker here; they and every other stream that talks with all (a
 * conference); nobody: it hears silence, and is not heard.
 */
export type Company = 'device' | 'all' | 'nobody';

/** Tones by meaning; what they sound like depends on the country setting. */
export type ToneName =
  | 'dial'
  | 'waiting'
  | 'ringback'
  | 'busy'
  | 'congestion'
  | 'ring'
  | 'answered'
  | 'page'
  | 'refused'
  | 'hangup';

/** Where a tone or file is heard: the loudspeaker here, or the far end of one stream. */
export type Heard = 'here' | { stream: StreamId };

/** What the microphone hears; or that and all that the loudspeaker plays. */
export type Tapped = 'microphone' | 'call';

export type MediaCommand =
  /** Take an RTP/RTCP port pair on this local address. Answered by `opened` or `failed`. */
  | { do: 'open'; stream: StreamId; host: string }
  /** Start, or change, the stream's sound. */
  | { do: 'start'; stream: StreamId; settings: StreamSettings }
  /** Stop it, send RTCP BYE, free the ports. Answered by `closed`. Unknown streams are ignored. */
  | { do: 'close'; stream: StreamId }
  /** Repeats until `stop playing`, or once for tones that end by themselves. One tone at a time here. */
  | { do: 'play tone'; tone: ToneName; at: Heard }
  /** Plays a WAV or an Ogg Opus file once. Answered by `played` (also when the file is bad: `why` says it). */
  | { do: 'play file'; file: string; at: Heard; id: string }
  /** Ends tones and files at this place. */
  | { do: 'stop playing'; at: Heard }
  /** Sends keys as RFC 4733 events (or not at all where the peer has none: answered by `failed`). */
  | { do: 'send dtmf'; stream: StreamId; keys: string; toneMs: number; gapMs: number }
  /** Microphone to this stream on or off; the stream goes on with silence. */
  | { do: 'mute'; stream: StreamId; muted: boolean }
  /** From the start it is `device`. */
  | { do: 'connect'; stream: StreamId; with: Company }
  /** Records what this place hears (`here`) or what the stream receives and sends, into a WAV. */
  | { do: 'record'; stream: StreamId; file: string; what: 'received' | 'sent' }
  /**
   * Pages a zone: with the microphone, what a stream says, or a WAV or Ogg Opus file, and ends with that. Answered by
   * `paged`, which says too where it cannot be. One page a zone.
   */
  | { do: 'page'; zone: PageZone; from: 'microphone' | { stream: StreamId } | { file: string }; caller: string }
  /** Sends to each group that is heard, without a word to others. Answered by `groups tested`, within a second. */
  | { do: 'test groups' }
  /** Unknown zones are ignored. */
  | { do: 'end page'; zone: string }
  /** Records the device as a whole into a WAV, until it is stopped, is this long, or (`call`) no call is up. */
  | { do: 'tap'; what: Tapped; file: string; limitMs: number }
  /** Answered by `recorded`, where something was recorded. */
  | { do: 'stop tap' }
  | { do: 'set volume'; loudspeakerDb: number; microphoneDb: number }
  /** Answered by `report`. */
  | { do: 'report' }
  /** RTP and RTCP are watched: what has gone by since the last time. Answered by `packets`. */
  | { do: 'take packets' }
  /** Ends the thread: streams closed, card closed. Answered by `stopped`. */
  | { do: 'stop' };

export interface StreamStatistics {
  codec: CodecName | undefined;
  sentPackets: number;
  sentBytes: number;
  receivedPackets: number;
  receivedBytes: number;
  /** RFC 3550 §6.4.1 cumulative number of packets lost, as received here. */
  lostPackets: number;
  /** Interarrival jitter of what arrives, milliseconds. */
  jitterMs: number;
  /** Frames that concealment made up. */
  concealedFrames: number;
  /** Arrived after their moment. */
  latePackets: number;
  duplicatePackets: number;
  /** Not RTP, wrong version, wrong payload type, wrong source. */
  malformedPackets: number;
  /** The jitter buffer's delay now, milliseconds. */
  bufferMs: number;
  /** SRTP, and the packets that were not authentic or came again. Absent: the sound is plain. */
  srtp?: { suite: string; refusedPackets: number };
  /** From RTCP, if the peer sends it. */
  remoteLossFraction?: number;
  remoteJitterMs?: number;
  roundTripMs?: number;
  /** How good the conversation is for who listens here, 1 to 4.41 (ITU-T G.107); absent until something was heard. */
  mos?: number;
  /** The same for the far end, where it says so (RFC 3611). */
  remoteMos?: number;
}

/** What is done about echo and noise, and what is known of the place. */
export interface AcousticsReport {
  echo: Exclude<EchoSetting, 'auto'>;
  /** What was wanted and cannot be had on this machine, and why. */
  faults: string[];
  /** The controls of the card's mixer that are set, and how. Absent: loudness is all made here. */
  card?: { loudspeaker?: CardLevel; microphone?: CardLevel };
  /** The sound card's delay that the canceller reckons with. */
  delayMs: number;
  /** How loud the place is while nobody speaks, dB of full scale. Absent: it was never quiet. */
  noiseDb?: number;
  /** The loudspeaker is so much louder for that. */
  raisedDb: number;
}

/** Packets of one group since the start. */
export interface PageCounters {
  pages: number;
  /** Of the talker who had the group. */
  packets: number;
  lost: number;
  /** After their moment: `paging.delay` is too short for this network or sound card. */
  late: number;
  /** Times that a page had to be put back to its moment at once, which is heard. */
  resyncs: number;
  malformed: number;
  /** From an address that may not page. */
  otherSource: number;
  /** Of somebody who talked while another had the group. */
  otherTalker: number;
  /** Of a payload type that is not known. */
  otherCodec: number;
  /** Without the key of the group, or come again. */
  notAuthentic: number;
}

export interface GroupReport {
  /** Why it is not joined. */
  why?: string | undefined;
  /** The page that is on: who talks, whether he is heard, and for how long he has talked. */
  page?: { source: string; caller?: string; heard: boolean; forMs: number };
  counters: PageCounters;
}

/** Who asks in this network who is a member of groups (IGMP): a router or switch must, or switches forget members. */
export type QuerierReport =
  | { is: 'heard'; from: string; agoMs: number }
  /** Nobody, for longer than anybody would wait between two times; or not for so long yet. */
  | { is: 'none' | 'not yet'; forMs: number; leftMs: number }
  | { is: 'unknown'; why: string };

/** RTP or RTCP, as it went over the network. */
export interface SeenPacket {
  /** Wall clock, milliseconds since 1970. */
  atMs: number;
  way: 'in' | 'out';
  /** The address that the ports were taken on: perhaps a wildcard. */
  local: Address;
  remote: Address;
  /** With a buffer of its own. */
  bytes: Uint8Array<ArrayBuffer>;
}

export type MediaEvent =
  | { is: 'ready'; opus: 'libopus' | 'libopus-wasm' | 'none' }
  | { is: 'opened'; stream: StreamId; rtpPort: number; rtcpPort: number }
  | { is: 'failed'; stream: StreamId; doing: MediaCommand['do']; why: string }
  | { is: 'closed'; stream: StreamId; statistics: StreamStatistics }
  /** One key, once, at its end or when it has lasted long enough to be sure. */
  | { is: 'dtmf'; stream: StreamId; key: string; durationMs: number; by: 'rtp' | 'audio' }
  | { is: 'dtmf sent'; stream: StreamId; keys: string }
  /** The first RTP of the stream has been heard. */
  | { is: 'heard'; stream: StreamId; from: string }
  /** Packets come, but none was encrypted with the key that was agreed. Said once. */
  | { is: 'not authentic'; stream: StreamId; packets: number }
  /** No RTP and no RTCP for the configured time: the peer is gone. Said once. */
  | { is: 'silent'; stream: StreamId; forMs: number }
  | { is: 'played'; id: string; why?: string }
  /** A recording of the device is on disk; `why` it ended, or what is wrong with it. No `forMs`: nobody knows. */
  | { is: 'recorded'; file: string; forMs?: number; why?: string }
  | { is: 'audio'; status: AudioStatus }
  | {
      is: 'report';
      audio: AudioCounters;
      streams: Record<StreamId, StreamStatistics>;
      /** By name. */
      groups: Record<string, GroupReport>;
      loudspeakerDb: number;
      acoustics: AcousticsReport;
      /** Why packets are not marked as was asked for. */
      unmarked?: string | undefined;
      /** The sound's ways through the device as they are now, one a line: `microphone → encode PCMA … → rtp …`. */
      graph: string;
    }
  /** A page is heard from now on, goes on being on, has ended, or is not heard because of `why`. */
  | {
      is: 'page';
      state: 'started' | 'goes on' | 'ended' | 'ignored';
      group: string;
      level: Level;
      source: string;
      /** As the sender calls himself. */
      caller?: string;
      forMs: number;
      why?: string;
    }
  /** A page of ours is heard in the zone from now on, or has ended: as it was told to, or because of `why`. */
  | { is: 'paged'; zone: string; state: 'started' | 'ended'; packets: number; forMs: number; why?: string }
  /** Groups whose own packets have come back, by name. */
  | { is: 'groups tested'; arrived: readonly string[]; querier: QuerierReport }
  /** A paging group has been joined, or could not be and is tried again. */
  | { is: 'group'; group: string; why: string | undefined }
  /** `missed`: packets that went by and are not among them. */
  | { is: 'packets'; packets: SeenPacket[]; missed: number }
  | { is: 'stopped' };

/** Pages by multicast. */
export interface PagingSettings {
  groups: readonly PageGroup[];
  levels: LevelRules;
  /** A page without a packet for so long is over. */
  silenceMs: number;
  /** All speakers play a page so long after it was sent. 0: each as soon as it can. */
  delayMs: number;
  /** Groups are joined on the interface of this address; absent: where the machine's routes lead. */
  interfaceHost?: string | undefined;
}

/** What an amplifier of its own is given, on the other half of the loudspeaker's stereo pair. */
export interface LineOutSettings {
  plays: 'everything' | 'pages';
  gainDb: number;
}

/** What the media thread is started with. Plain data. */
export interface MediaSettings {
  audio: AudioSpec;
  rtpPorts: { from: number; to: number };
  /** What RTP and RTCP are marked with, 0 to 63 (RFC 2474). 0: nothing. */
  dscp: number;
  jitter: { minMs: number; maxMs: number };
  /** `silent` is said after this long without RTP and RTCP. 0: never. */
  silentAfterMs: number;
  country: string;
  /** Keys are listened for in the sound: where the peer tells of none by RTP events, always, or never. */
  keysInSound: 'auto' | 'always' | 'never';
  opus: { bitrate: number; complexity: number /** Expected loss in percent, for in-band FEC. */; expectedLoss: number };
  loudspeakerDb: number;
  microphoneDb: number;
  /** Absent: the sound is left as it is. */
  acoustics?: AcousticSettings & { automaticGain: boolean; volumeFollowsNoise: NoiseFollowing };
  /** Absent: there is none. */
  lineOut?: LineOutSettings | undefined;
  /** RTCP CNAME (RFC 3550 §6.5.1). */
  cname: string;
  /** Of this device for its whole life, 32 bits: Polycom telephones know who pages by it. Absent: it has none. */
  serial?: number | undefined;
  /** Absent: the device hears no pages. */
  paging?: PagingSettings;
}

/** The control thread's end, real (a worker) or in-process (simulation). */
export interface Media {
  send(command: MediaCommand): void;
  /** One listener; set before `start`. */
  onEvent: (event: MediaEvent) => void;
  start(): void;
  /** Resolves after `stopped`. */
  stop(): Promise<void>;
}
