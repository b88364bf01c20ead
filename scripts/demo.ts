/** The main job, shown: a device that is provisioned, calls, is heard, opens the door, is paged; and reports it all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import mqtt from 'mqtt';
import { systemClock, wallClock } from '../firmware/lib/clock.ts';
import { silentLog } from '../firmware/lib/log.ts';
import { RpcClient } from '../firmware/rpc/client.ts';
import { DocumentFolder } from '../provisioning/server/folder.ts';
import { ProvisioningServer } from '../provisioning/server/server.ts';
import { startBroker } from '../test/demo/broker.ts';
import { DEVICE, writeFleet } from '../test/demo/fleet.ts';
import { freePort } from '../test/demo/free-port.ts';
import { pause, Timeline } from '../test/demo/timeline.ts';
import { listen, MARKERS, markedSpeech } from '../test/demo/verify.ts';
import type { Desk, DeskCall, DeskEvent } from '../test/desk/desk.ts';
import { realDesk } from '../test/desk/real-desk.ts';
import { V8_FLAGS } from './v8-flags.ts';

const root = resolve(import.meta.dirname, '..');
const HOST = '127.0.0.1';
const TALK_MS = 7_000;

const help = `Usage: scripts/demo [--stay] [--out FOLDER]

Starts on loopback a provisioning server, an MQTT broker, a desk and one intercom on the
simulated board; then presses its button, talks, opens the door, hangs up and pages it.
Exits 0 when all of it was seen and heard, otherwise 1 and says what is missing.

  --stay        leaves everything running at the end and prints a SIP URI to call
  --out FOLDER  where recordings and logs go (default: out/demo)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { stay: { type: 'boolean' }, out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const out = resolve(values.out ?? join(root, 'out/demo'));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const timeline = new Timeline(line => process.stdout.write(`${line}\n`));
  const demo = new Demo(out, timeline);
  const interrupted = new Promise<'interrupted'>(resolve => process.once('SIGINT', () => resolve('interrupted')));
  const story = async () => {
    await demo.start();
    await demo.play();
    if (!values.stay) return demo.pullThePlug();
    process.stdout.write(`\nEverything is left running. Call the intercom from any softphone on this machine:\n`);
    process.stdout.write(`  ${demo.deviceUri}\nCtrl-C ends it.\n`);
    await interrupted;
  };
  try {
    const end = await Promise.race([story(), interrupted]);
    if (end === 'interrupted' && !demo.told) {
      await demo.stop();
      process.stderr.write('interrupted\n');
      process.exit(130);
    }
  } catch (error) {
    timeline.check('the demo itself went through', false, error instanceof Error ? error.message : String(error));
  }
  await demo.stop();
  if (demo.told) demo.verify();
  process.stdout.write(`\nRecordings and logs: ${out}\n`);
  if (timeline.missing.length === 0) {
    process.stdout.write('All of it was seen and heard.\n');
    return 0;
  }
  process.stderr.write(`\nMissing:\n${timeline.missing.map(what => `  - ${what}`).join('\n')}\n`);
  return 1;
}

class Demo {
  readonly #out: string;
  readonly #timeline: Timeline;
  readonly #stops: (() => Promise<unknown> | unknown)[] = [];
  /** What MQTT said, newest last. */
  readonly #heard: { topic: string; payload: string; retained: boolean }[] = [];
  readonly #deskEvents: DeskEvent[] = [];
  #desk!: Desk;
  #device!: ChildProcess;
  #rpc!: RpcClient;
  #deviceCall: DeskCall | undefined;
  #devicePort = 0;
  /** The story went through to its end, so that there are recordings. */
  told = false;

  constructor(out: string, timeline: Timeline) {
    this.#out = out;
    this.#timeline = timeline;
  }

  get deviceUri() {
    return `sip:front@${HOST}:${this.#devicePort}`;
  }

  // ---- what stands around the device --------------------------------------------------------------------------

  async start() {
    const { tell, chapter } = this.#speech();
    chapter('Around the device');
    for (const name of ['visitor', 'desk', 'page'] as const)
      markedSpeech(join(root, `test/fixtures/speech/${name}.wav`), MARKERS[name], join(this.#out, `${name}.wav`));

    const broker = await startBroker(this.#out);
    this.#stops.push(() => broker.stop());
    tell('broker', `${broker.name} at ${broker.url}`);
    await this.#listen(broker.url);

    const deskPort = await freePort('udp');
    this.#devicePort = await freePort('udp', 5060);
    await this.#startDesk(deskPort);
    tell('desk', `registrar and telephone at sip:desk@${HOST}:${deskPort}`);

    const fleet = join(this.#out, 'fleet');
    writeFleet(fleet, {
      deskUri: `sip:desk@${HOST}:${deskPort}`,
      registrar: `${HOST}:${deskPort}`,
      password: 'front-secret',
      broker: broker.url,
      devicePort: this.#devicePort,
      microphone: join(this.#out, 'visitor.wav'),
      loudspeaker: join(this.#out, 'intercom-heard.wav'),
    });
    const server = new ProvisioningServer(
      { folder: new DocumentFolder(fleet), host: HOST, port: 0 },
      wallClock,
      silentLog,
    );
    const url = await server.start();
    this.#stops.push(() => server.stop());
    tell('server', `provisioning at ${url}`);

    chapter('1. The device starts: it fetches its configuration, registers, reports itself');
    await this.#startDevice(url);
  }

  async #listen(url: string) {
    const client = await mqtt.connectAsync(url);
    this.#stops.push(() => client.endAsync());
    client.on('message', (topic, payload, packet) => {
      this.#heard.push({ topic, payload: payload.toString(), retained: packet.retain });
    });
    await client.subscribeAsync('porter/v1/#');
  }

  async #startDesk(port: number) {
    this.#desk = realDesk({
      host: HOST,
      port,
      rtpPorts: { from: 42_400, to: 42_799 },
      user: 'desk',
      callers: ['stranger'],
      realm: 'desk.example',
      passwords: { front: 'front-secret' },
      codecs: ['opus', 'PCMA', 'PCMU'],
      onCall: call => call.ring(),
      onEvent: event => this.#deskEvent(event),
    });
    this.#desk.start();
    this.#stops.push(() => this.#desk.stop());
  }

  async #startDevice(provisioning: string) {
    const config = join(this.#out, 'local.json');
    const state = join(this.#out, 'state');
    writeFileSync(
      config,
      JSON.stringify({
        device: { id: DEVICE },
        sip: { listen: { host: HOST, port: this.#devicePort } },
        provisioning: { url: provisioning, interval: '10 s' },
      }),
    );
    const log = openSync(join(this.#out, 'device.log'), 'w');
    // As `scripts/porter` does it.
    const args = [...V8_FLAGS, join(root, 'firmware/main.ts'), 'run', '--config', config, '--state', state];
    const child = spawn(process.execPath, args, { stdio: ['ignore', log, log] });
    this.#device = child;
    const gone = new Promise<void>(done => child.once('exit', () => done()));
    this.#stops.push(async () => {
      child.kill('SIGTERM');
      await gone;
    });
    this.#rpc = new RpcClient(join(state, 'porter.sock'), systemClock);
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#rpc.connect();
        break;
      } catch (error) {
        if (child.exitCode !== null) throw new Error(`the device ended with code ${child.exitCode}; see device.log`);
        if (attempt >= 200) throw error;
        await pause(50);
      }
    }
    this.#stops.push(() => this.#rpc.close());
  }

  // ---- the story ----------------------------------------------------------------------------------------------

  async play() {
    await this.#comesUp();
    await this.#callsTheDesk();
    await this.#opensTheDoor();
    await this.#isPaged();
    this.#checkReports();
    this.told = true;
  }

  async #comesUp() {
    const { wait } = this.#speech();
    await wait('its configuration was fetched and applied', () => this.#event('config', 'applied'));
    await wait('it registered with digest', () => this.#deskEvents.some(event => event.is === 'registered'));
    await wait('the broker shows it online, retained', () => this.#last('availability') === 'online');
    await wait('the broker shows the registration', () =>
      (this.#last('state/accounts') ?? '').includes('"registered"'),
    );
  }

  async #callsTheDesk() {
    const { chapter, wait, tell } = this.#speech();
    chapter('2. A visitor presses the button `front`');
    await this.#do('move input button-1 on');
    await pause(150);
    await this.#do('move input button-1 off');
    await wait('the desk rings', () => this.#deviceCall !== undefined);
    await wait('the intercom is in ringback', () => this.#last('state/call')?.includes('"ringback"') ?? false);
    await wait('its lamp blinks slowly', () => this.#last('state/buttons')?.includes('"blink-slow"') ?? false);
    await pause(2_500);
    const call = this.#deviceCall!;
    call.answer();
    await wait('the call is up', () => this.#last('state/call')?.includes('"talking"') ?? false);
    await wait('its lamp is on', () => this.#last('state/buttons')?.includes('"on"') ?? false);
    call.record(this.#out, 'desk');
    await pause(300);
    call.say(join(this.#out, 'desk.wav'));
    tell('both', `speak for ${TALK_MS / 1000} s`);
    await pause(TALK_MS);
  }

  async #opensTheDoor() {
    const { chapter, wait, tell } = this.#speech();
    const call = this.#deviceCall!;
    chapter('3. The desk opens the door');
    tell('desk', 'keys in 9 9 #, a wrong code');
    call.sendKeys('99#');
    await wait('the wrong code was reported', () => this.#event('door', 'wrong code'));
    this.#timeline.check('and nothing was opened', !this.#event('door', 'unlocked'));
    tell('desk', 'keys in 5 5 #');
    call.sendKeys('55#');
    await wait('the door relay closed', () => this.#event('door', 'unlocked'));
    await wait('the broker shows it', () => this.#last('state/doors')?.includes('"energised"') ?? false);
    await wait('the relay opened again', () => this.#event('door', 'locked'), 5_000);
    const [on, off] = ['unlocked', 'locked'].map(type => Date.parse(this.#find('door', type)!.ts as string));
    this.#timeline.check('after 3 s', Math.abs(off! - on! - 3_000) < 500, `${((off! - on!) / 1000).toFixed(2)} s`);
    tell('desk', 'hangs up');
    call.hangUp();
    await wait('the intercom is idle again', () => this.#last('state/call')?.includes('"idle"') ?? false);
  }

  async #isPaged() {
    const { chapter, wait, tell } = this.#speech();
    chapter('4. The desk pages the intercom');
    const contact = this.#desk.registrar.contactFor('front') ?? this.deviceUri;
    const page = this.#desk.call(contact, { page: true });
    await wait('it answered by itself', () => page.state === 'talking');
    let said = false;
    page.say(join(this.#out, 'page.wav'), () => {
      said = true;
    });
    await wait('the page was spoken', () => said, 20_000);
    page.hangUp();
    await wait('the intercom is idle again', () => this.#last('state/call')?.includes('"idle"') ?? false);
    tell('stranger', 'asks for an automatic answer too, but is not on the allow list');
    const strange = this.#desk.call(contact, { page: true, caller: 'stranger' });
    await wait('it rings and is not answered', () => strange.state === 'ringing');
    await pause(1_500);
    this.#timeline.check('still ringing', strange.state === 'ringing');
    strange.hangUp();
    await wait('why was reported', () => this.#event('call', 'auto-answer refused'));
    await wait('the intercom is idle again', () => this.#last('state/call')?.includes('"idle"') ?? false);
  }

  #checkReports() {
    const { chapter } = this.#speech();
    const { check } = this.#timeline;
    chapter('5. MQTT told all of it');
    const events: [source: string, type: string][] = [
      ['config', 'applied'],
      ['sip', 'registered'],
      ['button', 'pressed'],
      ['call', 'calling'],
      ['call', 'ringback'],
      ['call', 'answered'],
      ['door', 'wrong code'],
      ['door', 'unlocked'],
      ['door', 'locked'],
      ['call', 'incoming'],
      ['call', 'ended'],
    ];
    const missing = events.filter(([source, type]) => !this.#event(source, type));
    check.call(this.#timeline, `${events.length} kinds of event`, missing.length === 0, missing.join('; '));
    const retained = this.#heard.filter(({ topic, retained }) => retained && topic.includes('/event/'));
    check.call(this.#timeline, 'no event was retained', retained.length === 0);
  }

  /** The broker itself must say that the device has gone: its last will. */
  async pullThePlug() {
    const { tell, wait } = this.#speech();
    this.#device.kill('SIGKILL');
    tell('device', 'loses its power (kill -9)');
    await wait('the broker shows it offline, by its last will', () => this.#last('availability') === 'offline');
  }

  /** After everything has stopped: what is in the recordings. */
  verify() {
    const { chapter } = this.#speech();
    chapter('What each side heard');
    const hears = (file: string, who: string, hz: number) => {
      try {
        const hearing = listen(join(this.#out, file));
        const detail = `${hz} Hz at ${hearing.markerDb(hz).toFixed(0)} dB, speech at ${hearing.speechDb.toFixed(0)} dB, ${hearing.seconds.toFixed(1)} s`;
        this.#timeline.check(`${file} has ${who}`, hearing.markerDb(hz) > -30 && hearing.speechDb > -35, detail);
      } catch (error) {
        this.#timeline.check(`${file} has ${who}`, false, String(error));
      }
    };
    hears('desk-heard.wav', "the visitor's voice", MARKERS.visitor);
    hears('intercom-heard.wav', 'the ringback tone', 425);
    hears('intercom-heard.wav', "the desk's voice", MARKERS.desk);
    hears('intercom-heard.wav', 'the page', MARKERS.page);
  }

  async stop() {
    for (const stop of this.#stops.reverse()) await stop();
    this.#stops.length = 0;
  }

  // ---- small words --------------------------------------------------------------------------------------------

  #speech() {
    const { tell, chapter, wait } = this.#timeline;
    const story = this.#timeline;
    return { tell: tell.bind(story), chapter: chapter.bind(story), wait: wait.bind(story) };
  }

  #deskEvent(event: DeskEvent) {
    this.#deskEvents.push(event);
    const { tell } = this.#speech();
    if (event.is === 'registered') tell('desk', `${event.user} registered as ${event.contact}`);
    else {
      if (event.is === 'incoming') this.#deviceCall = event.call;
      if (event.is === 'ended') tell('desk', `call with ${event.call.remote} ended: ${JSON.stringify(event.end)}`);
      else if (event.is !== 'key') tell('desk', `${event.is} ${event.call.remote}`);
    }
  }

  async #do(action: string) {
    const result = (await this.#rpc.call('perform', { action })) as { done: boolean; why?: string };
    if (!result.done) this.#timeline.check(action, false, result.why);
  }

  /** The newest payload of one of the device's topics. */
  #last(topic: string): string | undefined {
    return this.#heard.findLast(message => message.topic === `porter/v1/${DEVICE}/${topic}`)?.payload;
  }

  #find(source: string, type: string): Record<string, unknown> | undefined {
    for (const { topic, payload } of this.#heard) {
      if (topic !== `porter/v1/${DEVICE}/event/${source}`) continue;
      const event = JSON.parse(payload) as Record<string, unknown>;
      if (event.type === type) return event;
    }
    return undefined;
  }

  #event(source: string, type: string): boolean {
    return this.#find(source, type) !== undefined;
  }
}

process.exitCode = await main();
