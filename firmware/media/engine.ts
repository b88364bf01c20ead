/**
 * The media engine: everything that happens to sound, without I/O. Commands come from the control thread, frames from
 * the sound card's clock, packets from the network; packets, frames and events leave.
 */
import type { AudioCounters, AudioStatus } from '../../hal/contracts.ts';
import { Bridge } from '../audio/bridge.ts';
import type { Opus } from '../audio/codecs/opus.ts';
import type { AcousticEngines } from '../audio/echo/choose.ts';
import { frameSamples } from '../audio/frame.ts';
import { type Chain, printGraph } from '../audio/graph.ts';
import { Mixer } from '../audio/mixer.ts';
import { toneOf } from '../audio/tones.ts';
import type { Clock, WallClock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { Acoustics } from './acoustics.ts';
import { CardLoudness, type SetCardGain } from './card-loudness.ts';
import { type Codecs, makeCodecs } from './codecs.ts';
import type { Files } from './files.ts';
import { FilesToPlay } from './files-to-play.ts';
import type { MediaNetwork, MulticastNetwork, PortPair } from './network.ts';
import { PacketTap } from './packet-tap.ts';
import { Pages } from './pages.ts';
import { Player } from './player.ts';
import type { Heard, MediaCommand, MediaEvent, MediaSettings, StreamId } from './protocol.ts';
import { Recorder } from './recorder.ts';
import { SentPages } from './sent-pages.ts';
import { Stream } from './stream.ts';
import { Tally } from './tally.ts';

/** Streams at once: as many calls as a device takes (sip.maxCalls, 32), what is opened ahead of them, and room. */
const MAX_STREAMS = 64;
/** Gaps in the sound are told of at most this often. */
const XRUN_EVENT_EVERY_MS = 1000;

export interface EngineOptions {
  clock: Clock;
  wallClock: WallClock;
  random: Random;
  network: MediaNetwork;
  /** For pages. Absent: none are heard. */
  multicast?: MulticastNetwork;
  files: Files;
  settings: MediaSettings;
  opus: Opus | undefined;
  /** Samples per second of the sound card. */
  rate: number;
  audioCounters(): AudioCounters;
  /** From a frame's leaving here to its leaving the loudspeaker. Absent: none. */
  playbackDelayMs?(): number;
  /** The same as of the very moment in which it is asked, within a frame. Absent: none. */
  heardInMs?(): number;
  /** Loudness by the card's mixer. Absent: it has none. */
  setCardGain?: SetCardGain;
  /** How far the wall clock may be off, milliseconds; absent or undefined: nobody keeps it right. */
  wallClockErrorMs?(): number | undefined;
  /** What works on echo and noise. Absent: nothing does. */
  acoustics?: AcousticEngines | undefined;
  emit(event: MediaEvent): void;
}

type Of<Do extends MediaCommand['do']> = Extract<MediaCommand, { do: Do }>;

export class Engine {
  readonly #options: EngineOptions;
  readonly #codecs: Codecs;
  readonly #tap: PacketTap;
  readonly #network: MediaNetwork;
  readonly #streams = new Map<StreamId, Stream>();
  /** The same, and gone through by number at every frame: any other way makes an object each time. */
  #all: readonly Stream[] = [];
  /** Streams whose ports are being taken. */
  readonly #opening = new Set<StreamId>();
  readonly #pages: Pages | undefined;
  readonly #sentPages: SentPages | undefined;
  readonly #here: Player;
  readonly #card: CardLoudness;
  readonly #acoustics: Acoustics;
  readonly #recorder: Recorder;
  readonly #mixer: Mixer;
  readonly #bridge: Bridge;
  readonly #microphone: Int16Array;
  readonly #playerFrame: Int16Array;
  readonly #filesToPlay: FilesToPlay;
  #lastXrunMs = Number.NEGATIVE_INFINITY;
  #stopping = false;

  constructor(options: EngineOptions) {
    const { rate, settings, emit } = options;
    this.#options = options;
    this.#tap = new PacketTap(options.clock, options.wallClock);
    this.#network = this.#tap.on(options.network);
    this.#codecs = makeCodecs(options.opus, settings.opus);
    const { clock, wallClock, random, multicast } = options;
    if (multicast !== undefined) {
      const parts = { clock, random, network: multicast, codecs: this.#codecs, rate, emit };
      const isOurs = (port: number, id: number) => this.#sentPages!.isOurs(port, id);
      const { heardInMs = () => 0, wallClockErrorMs = () => undefined } = options;
      this.#pages = new Pages({ ...parts, wallClock, wallClockErrorMs, heardInMs, settings, isOurs });
      const { files, opus } = options;
      this.#sentPages = new SentPages({
        ...parts,
        wallClock,
        files,
        opus,
        cname: settings.cname,
        serial: settings.serial,
        gong: toneOf('page', settings.country),
        talkerAt: zone => this.#pages!.talkerAt(zone),
        playerOf: from => this.#playerAt(from === 'microphone' ? 'here' : from),
      });
    }
    const playerAt = (at: Heard) => this.#playerAt(at);
    this.#filesToPlay = new FilesToPlay({ files: options.files, opus: options.opus, playerAt, emit });
    this.#here = new Player(rate, (id, why) => emit({ is: 'played', id, ...(why && { why }) }));
    this.#card = new CardLoudness(settings, options.setCardGain);
    this.#acoustics = new Acoustics(rate, settings, options.acoustics, options.playbackDelayMs, this.#card);
    this.#recorder = new Recorder(rate, options.files, emit);
    this.#mixer = new Mixer(frameSamples(rate));
    this.#bridge = new Bridge(frameSamples(rate));
    this.#microphone = new Int16Array(frameSamples(rate));
    this.#playerFrame = new Int16Array(frameSamples(rate));
  }

  start() {
    this.#options.emit({ is: 'ready', opus: this.#options.opus?.library ?? 'none' });
    this.#pages?.start();
  }

  /** The sound card's callback: one frame in, one frame out. Allocates nothing but what a datagram costs. */
  process(captured: Int16Array, toPlay: Int16Array, lineOut?: Int16Array) {
    this.#network.poll?.();
    this.#acoustics.hear(captured, this.#microphone);
    this.#mixer.clear();
    this.#bridge.clear();
    // Who pages with this microphone wants other pages to do to him what they do to a call.
    this.#pages?.decide(this.#callIsUp() || this.#sentPages?.useMicrophone === true);
    const all = this.#all;
    for (let at = 0; at < all.length; at++) all[at]!.listen(this.#mixer, this.#bridge);
    this.#pages?.hush(this.#mixer);
    this.#pages?.hushMicrophone(this.#microphone);
    for (let at = 0; at < all.length; at++) all[at]!.speak(this.#microphone, this.#bridge);
    this.#sentPages?.frame(this.#microphone, this.#voiceOf);
    if (this.#here.read(this.#playerFrame)) this.#mixer.add(this.#playerFrame);
    this.#acoustics.play(this.#mixer.sum, toPlay, this.#pages, lineOut);
    this.#recorder.tap(this.#microphone, toPlay, this.#callIsUp() ? 'heard' : this.#callIsHeld() ? 'on hold' : 'none');
  }

  readonly #voiceOf = (stream: StreamId) => this.#streams.get(stream)?.voice;

  #callIsUp(): boolean {
    for (let at = 0; at < this.#all.length; at++) if (this.#all[at]!.isHeardHere) return true;
    return false;
  }

  #callIsHeld(): boolean {
    for (let at = 0; at < this.#all.length; at++) if (this.#all[at]!.isOnHold) return true;
    return false;
  }

  audioStatus(status: AudioStatus) {
    if (status.is === 'xrun') {
      const nowMs = this.#options.clock.now();
      if (nowMs - this.#lastXrunMs < XRUN_EVENT_EVERY_MS) return;
      this.#lastXrunMs = nowMs;
    }
    if (status.is === 'up') {
      this.#acoustics.applyCard();
      this.#pages?.setVolume(this.#acoustics.loudspeakerDb, this.#card.loudspeakerDb);
    }
    this.#options.emit({ is: 'audio', status });
  }

  handle(command: MediaCommand) {
    if (this.#stopping) return;
    switch (command.do) {
      case 'open':
        return this.#open(command);
      case 'start':
        return this.#start(command);
      case 'close':
        return this.#close(command.stream, () => {});
      case 'play tone':
        return this.#playerAt(command.at)?.tone(toneOf(command.tone, this.#options.settings.country));
      case 'play file':
        return this.#filesToPlay.play(command);
      case 'stop playing':
        return this.#filesToPlay.stopAt(command.at);
      case 'send dtmf':
        return this.#sendKeys(command);
      case 'mute':
        return this.#mute(command);
      case 'connect':
        return this.#connect(command);
      case 'record':
        return this.#record(command);
      case 'page':
        return this.#sentPages?.ask(command);
      case 'test groups':
        return this.#pages?.test();
      case 'end page':
        return this.#sentPages?.end(command.zone);
      case 'tap':
        return this.#recorder.begin(command.what, command.file, command.limitMs);
      case 'stop tap':
        return this.#recorder.end();
      case 'set volume':
        this.#acoustics.setVolume(command.loudspeakerDb, command.microphoneDb);
        this.#pages?.setVolume(command.loudspeakerDb, this.#card.loudspeakerDb);
        return;
      case 'report':
        return this.#report();
      case 'take packets':
        return this.#options.emit({ is: 'packets', ...this.#tap.take() });
      case 'stop':
        return this.#stop();
    }
  }

  #fail(stream: StreamId, doing: MediaCommand['do'], why: string) {
    this.#options.emit({ is: 'failed', stream, doing, why });
  }

  // ---- streams -----------------------------------------------------------------------------------------------

  #open({ stream: id, host }: Of<'open'>) {
    if (this.#streams.has(id) || this.#opening.has(id)) return this.#fail(id, 'open', `stream ${id} is open already`);
    if (this.#streams.size + this.#opening.size >= MAX_STREAMS) {
      return this.#fail(id, 'open', `${MAX_STREAMS} streams are open, which is the limit`);
    }
    this.#opening.add(id);
    let stream: Stream | undefined;
    const handlers = {
      onRtp: (bytes: Uint8Array, from: { host: string; port: number }, arrivedMs?: number) =>
        stream?.onRtp(bytes, from, arrivedMs),
      onRtcp: (bytes: Uint8Array, from: { host: string; port: number }) => stream?.onRtcp(bytes, from),
    };
    this.#network.open(host, handlers, pair => {
      const wanted = this.#opening.delete(id);
      if ('why' in pair) {
        if (wanted) this.#fail(id, 'open', pair.why);
      } else if (!wanted) {
        pair.close();
      } else {
        stream = this.#makeStream(id, pair);
        this.#streams.set(id, stream);
        this.#all = [...this.#streams.values()];
        this.#options.emit({ is: 'opened', stream: id, rtpPort: pair.rtpPort, rtcpPort: pair.rtcpPort });
      }
    });
  }

  #makeStream(id: StreamId, port: PortPair): Stream {
    const { rate, settings, clock, wallClock, random, files, emit } = this.#options;
    return new Stream({ id, port, rate, settings, codecs: this.#codecs, clock, wallClock, random, files, emit });
  }

  #start({ stream: id, settings }: Of<'start'>) {
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#fail(id, 'start', `there is no stream ${id}`);
    try {
      stream.start(settings);
    } catch (error) {
      this.#fail(id, 'start', error instanceof Error ? error.message : String(error));
    }
  }

  #close(id: StreamId, closed: () => void) {
    if (this.#opening.delete(id)) {
      this.#options.emit({ is: 'closed', stream: id, statistics: new Tally().statistics(undefined) });
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return closed();
    this.#filesToPlay.streamClosed(id);
    this.#sentPages?.streamClosed(id);
    this.#streams.delete(id);
    this.#all = [...this.#streams.values()];
    stream.close(closed);
  }

  #sendKeys({ stream: id, keys, toneMs, gapMs }: Of<'send dtmf'>) {
    const stream = this.#streams.get(id);
    const why = stream ? stream.sendKeys(keys, toneMs, gapMs) : `there is no stream ${id}`;
    if (why) this.#fail(id, 'send dtmf', why);
  }

  #mute({ stream: id, muted }: Of<'mute'>) {
    const stream = this.#streams.get(id);
    if (stream) stream.mute(muted);
    else this.#fail(id, 'mute', `there is no stream ${id}`);
  }

  #connect({ stream: id, with: company }: Of<'connect'>) {
    const stream = this.#streams.get(id);
    if (stream) stream.connect(company);
    else this.#fail(id, 'connect', `there is no stream ${id}`);
  }

  #record({ stream: id, what, file }: Of<'record'>) {
    const stream = this.#streams.get(id);
    if (stream) stream.record(what, file);
    else this.#fail(id, 'record', `there is no stream ${id}`);
  }

  // ---- tones and files ---------------------------------------------------------------------------------------

  #playerAt(at: Heard): Player | undefined {
    return at === 'here' ? this.#here : this.#streams.get(at.stream)?.player;
  }

  // ---- the whole ---------------------------------------------------------------------------------------------

  #report() {
    this.#options.emit({
      is: 'report',
      audio: { ...this.#options.audioCounters() },
      streams: Object.fromEntries([...this.#streams].map(([id, stream]) => [id, stream.statistics])),
      groups: this.#pages?.report() ?? {},
      loudspeakerDb: this.#acoustics.loudspeakerDb,
      acoustics: this.#acoustics.report(),
      unmarked: this.#options.network.unmarked,
      graph: this.describe(),
    });
  }

  #stop() {
    this.#filesToPlay.stop();
    this.#sentPages?.stop();
    this.#pages?.stop();
    this.#here.close('stopped');
    let left = this.#streams.size + 2;
    const closed = () => {
      left--;
      if (left > 0) return;
      this.#acoustics.close();
      this.#options.emit({ is: 'stopped' });
    };
    for (const id of this.#opening) this.#close(id, () => {});
    for (const id of [...this.#streams.keys()]) this.#close(id, closed);
    this.#stopping = true;
    this.#recorder.close(closed);
    closed();
  }

  /** The sound's ways as they are now, one a line. */
  describe(): string {
    const here: Chain[] = this.#here.playing ? [[{ name: 'player' }, { name: 'mixer' }]] : [];
    return printGraph([
      this.#acoustics.microphoneChain(),
      ...[...this.#streams.values()].flatMap(stream => stream.chains()),
      ...(this.#pages?.chains() ?? []),
      ...(this.#sentPages?.chains() ?? []),
      ...here,
      ...this.#acoustics.loudspeakerChains(),
    ]);
  }
}
