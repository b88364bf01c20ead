/** The device as a process: what is started in which order, and stopped in reverse. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openBoard } from '../hal/board.ts';
import { findBoard } from '../hal/boards/catalog.ts';
import type { Systemd } from '../hal/systemd.ts';
import { changesBetween } from './config/changes.ts';
import type { JsonObject } from './config/document.ts';
import { effectiveSettings } from './config/layers.ts';
import { type Loaded, loadConfig, readLocal, resolveLayers } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { ConfigStore, type Provisioned } from './config/store.ts';
import { boardOf } from './controller/board-of.ts';
import type { Status } from './controller/contracts.ts';
import { Intercom } from './controller/intercom.ts';
import type { IntercomParts } from './controller/intercom-parts.ts';
import { checkAction } from './io/actions.ts';
import { makeFolder } from './lib/folder.ts';
import { instanceId } from './lib/instance-id.ts';
import type { LogLevel } from './lib/log.ts';
import type { Connect } from './report/broker.ts';
import { MqttReport } from './report/mqtt.ts';
import type { Offered } from './rpc/methods.ts';
import { SocketError, SocketServer } from './rpc/socket-server.ts';
import { inOneLine } from './supervise/in-one-line.ts';
import { Supervisor } from './supervise/supervisor.ts';
import { wiringErrors, wiringWarnings } from './wiring.ts';

/** A provisioning client, as far as the device knows one: the room above brings it. */
export interface ProvisioningPart {
  start(): void;
  /** Asks the server at once. */
  checkNow(): void;
  stop(): Promise<void>;
}

export interface ProvisioningSpec {
  config: Config;
  store: ConfigStore;
  current: Provisioned | undefined;
  onDocument(document: JsonObject, revision: string): { accepted: true } | { accepted: false; reasons: string[] };
  /** `type` is a word (`applied`, `unreachable`, …), `line` the whole for a person. */
  onStatus(type: string, line: string): void;
}

export interface DeviceOptions extends Omit<IntercomParts, 'openBoard' | 'soundsDirectory'> {
  /** The local configuration document. */
  configFile: string;
  /** Where what must survive the process is kept. */
  stateDirectory: string;
  openProvisioning(spec: ProvisioningSpec): ProvisioningPart;
  onLogLevel(level: LogLevel): void;
  /** The `connect` of the `mqtt` package. */
  connectMqtt: Connect;
  /** What has started the process, where it waits for word. */
  systemd?: Systemd | undefined;
}

/** Settings that are read once, before the device runs. */
const READ_ONCE = ['board.watchdog', 'control.socket'];

export class PorterDevice {
  readonly #options: DeviceOptions;
  /** What a configuration is judged by, wherever it comes from. */
  readonly #rules = { board: findBoard, checkAction, checkBoard: wiringErrors };
  readonly #store: ConfigStore;
  #local: JsonObject = {};
  #loaded!: Loaded;
  #intercom!: Intercom;
  #offered!: Offered;
  #socket: SocketServer | undefined;
  #mqtt: MqttReport | undefined;
  #provisioning: ProvisioningPart | undefined;
  #supervisors: Supervisor[] = [];
  /** A part that stops, to start anew. */
  #mqttRestart: Promise<void> | undefined;
  #provisioningRestart: Promise<void> | undefined;
  #stopping = false;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#store = new ConfigStore(options.stateDirectory);
  }

  /**
   * Rejects where the device cannot be what it is: nothing configures it, or another device holds its socket. A disk that
   * takes nothing is no such reason: a help point calls without it.
   */
  async start(): Promise<void> {
    const { log, configFile, stateDirectory } = this.#options;
    try {
      makeFolder(stateDirectory);
    } catch (error) {
      log.error('nothing can be kept', { why: (error as Error).message });
    }
    const stored = await this.#store.load();
    const nothingElse = stored.latest === undefined && stored.previous === undefined;
    const missing = !existsSync(configFile);
    if (missing && nothingElse)
      throw new Error(
        `there is no file ${configFile}, and nothing has been provisioned yet; name the local configuration`,
      );
    const local = missing ? { why: `there is no file ${configFile}` } : await readLocal(configFile);
    // Alone, the defaults are no device: whoever broke the file is told while they look.
    if ('why' in local && nothingElse) throw new Error(local.why);
    if ('why' in local) log.error('local configuration left out', { why: local.why });
    else this.#local = local.document;
    this.#loaded = loadConfig({ local: this.#local, stored, ...this.#rules });
    if (nothingElse && this.#loaded.layers.local === undefined)
      throw new Error([`${configFile} is not sound:`, ...this.#loaded.problems].join('\n  '));
    // A local document that was left out must not be held against the next one from the server.
    this.#local = this.#loaded.layers.local ?? {};
    for (const problem of this.#loaded.problems) log.error('configuration', { problem });

    // The socket first: it tells whether another device already owns the lines.
    const { config } = this.#loaded;
    this.#options.onLogLevel(config.log.level);
    this.#intercom = new Intercom(
      {
        ...this.#options,
        instanceId: instanceId(join(stateDirectory, 'instance-id'), this.#options.random),
        openBoard: config => this.#openBoard(config),
        soundsDirectory: join(stateDirectory, 'sounds'),
      },
      config,
    );
    this.#intercom.onResync = () => this.#provisioning?.checkNow();
    this.#offered = { device: this.#intercom, settings: () => effectiveSettings(this.#loaded.layers) };
    this.#socket = await this.#claimSocket(config.control.socket || join(stateDirectory, 'porter.sock'));
    this.#surround({
      revision: this.#loaded.provisioned?.revision,
      source: sourceOf(this.#loaded, configFile),
      problem: withCount('why' in local ? [local.why, ...this.#loaded.problems] : this.#loaded.problems),
    });
    // Before the device starts, so that its first events are not missed.
    this.#startMqtt();
    this.#intercom.start();
    await this.#socket?.start();
    this.#startSupervisors();
    this.#startProvisioning(this.#loaded.provisioned);
    this.#tellSystemd(systemd => systemd.ready());
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#tellSystemd(systemd => systemd.stopping());
    await Promise.all([this.#mqttRestart, this.#provisioningRestart]);
    await this.#provisioning?.stop();
    await this.#intercom?.stop();
    await this.#mqtt?.stop();
    for (const supervisor of this.#supervisors) supervisor.stop();
    await this.#socket?.stop();
  }

  async #claimSocket(path: string): Promise<SocketServer | undefined> {
    const { clock, log } = this.#options;
    const socket = new SocketServer({ path, clock, log: log.part('socket'), offered: this.#offered });
    try {
      await socket.claim();
      return socket;
    } catch (error) {
      if (!(error instanceof SocketError) || error.code === 'in use' || error.code === 'bad path') throw error;
      log.error('no control socket', { why: error.message });
      return undefined;
    }
  }

  #openBoard(config: Config) {
    const { clock, log, stateDirectory } = this.#options;
    const definition = findBoard(config.board.name) ?? this.#loaded.board;
    for (const remark of wiringWarnings(definition, config)) log.warn('wiring', { remark });
    return openBoard(boardOf(definition, config), {
      clock,
      stateDirectory: config.board.stateDirectory ?? join(stateDirectory, 'lines'),
    });
  }

  #startSupervisors() {
    const { clock, systemd } = this.#options;
    const log = this.#options.log.part('watchdog');
    // Alive means that both threads answer: this one runs the timer, the other reports.
    const probe = (answered: () => void) => this.#intercom.probe(answered);
    const { watchdog } = this.#intercom;
    if (watchdog !== undefined && this.#loaded.config.board.watchdog)
      this.#supervisors.push(new Supervisor({ clock, log, watchdog, probe }));
    if (systemd !== undefined) systemd.describe = () => inOneLine(this.#intercom.status());
    if (systemd?.timeoutMs !== undefined)
      this.#supervisors.push(new Supervisor({ clock, log, watchdog: systemd, timeoutMs: systemd.timeoutMs, probe }));
    for (const supervisor of this.#supervisors) supervisor.start();
  }

  #tellSystemd(tell: (systemd: Systemd) => void) {
    const { systemd, log } = this.#options;
    if (systemd === undefined) return;
    try {
      tell(systemd);
    } catch (error) {
      log.error('systemd is not told', { why: (error as Error).message });
    }
  }

  #startMqtt() {
    const { clock, wallClock, random, log, connectMqtt } = this.#options;
    const { device, mqtt } = this.#loaded.config;
    const showState = () => this.#intercom.surround({ mqtt: this.#mqtt?.state() ?? { state: 'off' } });
    if (mqtt.url !== undefined) {
      this.#mqtt = new MqttReport({
        clock,
        wallClock,
        random,
        log: log.part('mqtt'),
        offered: this.#offered,
        settings: {
          deviceId: device.id,
          url: mqtt.url,
          topicRoot: mqtt.topicRoot,
          username: mqtt.username,
          password: mqtt.password,
          keepAliveMs: mqtt.keepAlive,
          reconnectSpreadMs: mqtt.reconnectSpread,
        },
        policy: () => this.#intercom.config.mqtt,
        connect: connectMqtt,
        onState: showState,
      });
      this.#mqtt.start();
    }
    showState();
  }

  /** What changes while the old one stops is in the configuration that the new one starts with. */
  #restartMqtt() {
    const mqtt = this.#mqtt;
    this.#mqtt = undefined;
    this.#mqttRestart ??= Promise.resolve(mqtt?.stop()).then(() => {
      this.#mqttRestart = undefined;
      if (!this.#stopping) this.#startMqtt();
    });
  }

  #restartProvisioning() {
    const provisioning = this.#provisioning;
    this.#provisioning = undefined;
    this.#provisioningRestart ??= Promise.resolve(provisioning?.stop())
      .then(() => this.#store.load())
      .then(({ latest }) => {
        this.#provisioningRestart = undefined;
        if (!this.#stopping) this.#startProvisioning(latest);
      });
  }

  /** `current`: what is on the disk, so that it is not fetched once more. */
  #startProvisioning(current: Provisioned | undefined) {
    const { config } = this.#loaded;
    if (config.provisioning.url === undefined) return;
    this.#provisioning = this.#options.openProvisioning({
      config,
      store: this.#store,
      current,
      onDocument: (document, revision) => this.#provisioned(document, revision),
      onStatus: (type, line) => {
        this.#intercom.events.tell('provisioning', type, type === line ? {} : { status: line });
        this.#surround({ source: `provisioning server, ${line}` });
      },
    });
    this.#provisioning.start();
  }

  /** A new document from the server: taken whole or refused whole. */
  #provisioned(document: JsonObject, revision: string) {
    const result = resolveLayers({ provisioned: document, local: this.#local, ...this.#rules });
    if ('problems' in result) {
      this.#intercom.events.tell('config', 'refused', { revision, reasons: result.problems });
      this.#surround({ problem: `revision ${revision} was refused: ${withCount(result.problems)}` });
      return { accepted: false, reasons: result.problems } as const;
    }
    const before = this.#loaded.config;
    this.#loaded = { ...this.#loaded, ...result, problems: [] };
    this.#surround({ revision, problem: undefined });
    this.#options.onLogLevel(result.config.log.level);
    this.#intercom.apply(result.config);
    const changes = changesBetween(before, result.config);
    const renamed = before.device.id !== result.config.device.id;
    if (renamed || changes.some(({ needs }) => needs === 'restart mqtt')) this.#restartMqtt();
    if (renamed || changes.some(({ needs }) => needs === 'restart provisioning')) this.#restartProvisioning();
    const late = changes.map(({ path }) => path).filter(path => READ_ONCE.includes(path));
    if (late.length > 0)
      this.#intercom.events.tell('config', 'waiting', { paths: late, why: 'the process must be started anew' });
    return { accepted: true } as const;
  }

  #surround(config: Partial<Status['config']>) {
    this.#intercom.surround({ config: { ...this.#intercom.surroundings.config, ...config } });
  }
}

/** In a line for a person: what the configuration in use was made of. */
function sourceOf({ provisioned, layers }: Loaded, configFile: string): string {
  if (provisioned !== undefined) return 'the last provisioned document';
  return layers.local === undefined ? 'the defaults alone' : `local file ${configFile}`;
}

/** The first problem, and how many more there are. */
const withCount = ([first, ...more]: readonly string[]) =>
  more.length === 0 ? first : `${first} (and ${more.length} more: see the log)`;
