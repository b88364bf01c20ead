/**
 * Days of a device against its telephone system, its provisioning server and a finger, on time that jumps: a call each
 * hour, registration and provisioning all along. Writes a line of JSON for each day; its first argument is how many.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DeviceEvent, Status } from '../../../firmware/controller/contracts.ts';
import { systemClock, wallClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { RpcClient } from '../../../firmware/rpc/client.ts';
import { systemResolve } from '../../../firmware/sip/locate/system.ts';
import { UdpSocket } from '../../../firmware/sip/transport/udp.ts';
import { DocumentFolder } from '../../../provisioning/server/folder.ts';
import { ProvisioningServer } from '../../../provisioning/server/server.ts';
import { Desk } from '../../desk/desk.ts';
import { passes, until } from '../../peers/support/until.ts';
import { seeded } from '../../sim/seeded.ts';
import { deskSound } from './desk-sound.ts';
import { LINE, PiHeader } from './pi-header.ts';
import { sleepingSound } from './sleeping-sound.ts';

export interface Day {
  day: number;
  /** Of 24. */
  calls: number;
  doors: number;
  /** REGISTER requests that the registrar has answered with 200. */
  registered: number;
  /** How often it had forgotten the device: when a REGISTER came, or at the end of an hour. */
  forgotten: number;
  polls: number;
  /** After a collection, every six hours: what the device keeps, without its compiled code. */
  heldMb: number[];
  /** At the end of the day: the same with it, and the whole process. */
  heapMb: number;
  rssMb: number;
  /** Every event of the day: when, and what. */
  trace: [ms: number, what: string][];
}

/** In the folder that both sides see. */
const DAYS_FILE = 'days.jsonl';

const HOST = '127.0.0.1';
const SIP_PORT = 5_070;
const CONFIG_PORT = 8_080;
const HOUR_MS = 3_600_000;
const TALK_MS = 600;
const MEMORY_EVERY_H = 6;

const days = Number(process.argv[2]);
const random = seeded(2);
const folder = mkdtempSync(join(tmpdir(), 'days-'));
const fleet = join(folder, 'fleet');

const publish = (generation: number) =>
  writeFileSync(
    join(fleet, 'devices/gate.json'),
    JSON.stringify({
      config: {
        device: { name: `generation ${generation}` },
        doors: { main: { relay: 'relay-1', openFor: '500 ms', codes: ['55'] } },
      },
    }),
  );

const local = {
  device: { id: 'gate' },
  board: { name: 'raspberry-pi-4' },
  sip: {
    listen: { host: HOST, port: 5_060 },
    accounts: {
      pbx: { uri: `sip:front@${HOST}:${SIP_PORT}`, password: 'secret', expires: '30 min', transport: 'udp' },
    },
  },
  contacts: { desk: { uri: `sip:desk@${HOST}:${SIP_PORT}` } },
  buttons: { front: { input: 'button-1', press: 'call desk', led: 'led-1' } },
  media: { codecs: ['PCMA'], rtpPorts: { from: 20_000, to: 20_199 } },
  audio: {
    driver: 'alsa',
    capture: 'hw:Loopback,0,0',
    playback: 'hw:Loopback,0,0',
    echo: 'off',
    noiseSuppression: false,
  },
  provisioning: { url: `http://${HOST}:${CONFIG_PORT}`, interval: '30 min' },
};

let registered = 0;
let forgotten = 0;
const desk = new Desk(
  {
    clock: systemClock,
    wallClock,
    random,
    log: silentLog,
    resolve: systemResolve,
    media: sleepingSound(deskSound, seeded(5)),
    socket: new UdpSocket({ host: HOST, port: SIP_PORT }),
  },
  {
    host: HOST,
    port: SIP_PORT,
    user: 'desk',
    realm: 'rig',
    passwords: { front: 'secret' },
    callers: [],
    codecs: ['PCMA'],
    onCall: call => call.answer(),
    onEvent() {},
  },
);
desk.userAgent.onRequest('REGISTER', transaction => {
  const isNew = !isKnown();
  const respond = transaction.respond.bind(transaction);
  transaction.respond = (status, reply) => {
    if (status === 200 && isNew && registered > 0) forgotten++;
    if (status === 200) registered++;
    return respond(status, reply);
  };
  desk.registrar.serve(transaction);
});
const isKnown = () => desk.registrar.contactFor('front') !== undefined;

const events: DeviceEvent[] = [];
let told: Partial<Record<string, number>> = {};

async function main() {
  mkdirSync(join(fleet, 'devices'), { recursive: true });
  publish(0);
  writeFileSync(join(folder, 'local.json'), JSON.stringify(local));
  const header = new PiHeader();
  desk.start();
  const server = new ProvisioningServer(
    { folder: new DocumentFolder(fleet), host: HOST, port: CONFIG_PORT },
    wallClock,
    silentLog,
  );
  await server.start();
  const device = spawn(
    process.execPath,
    [
      '--expose-gc',
      ...process.execArgv,
      join(import.meta.dirname, 'days-device.ts'),
      join(folder, 'local.json'),
      join(folder, 'state'),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = new Promise<number | null>(done => device.once('exit', done));
  createInterface(device.stdout).on('line', line => {
    told = JSON.parse(line);
  });
  const rpc = new RpcClient(join(folder, 'state/porter.sock'), systemClock);
  rpc.onNotification = (method, params) => method === 'event' && void events.push(params as DeviceEvent);
  await until('the device answers', () =>
    rpc.connect().then(
      () => true,
      () => false,
    ),
  );
  await rpc.call('events');
  const status = () => rpc.call('status') as Promise<Status>;
  await until('it is registered', async () => (await status()).accounts.pbx?.state === 'registered');

  const beganMs = systemClock.now();
  let pollsBefore = 0;
  for (let day = 1; day <= days; day++) {
    const [registeredBefore, forgottenBefore] = [registered, forgotten];
    const done = { calls: 0, doors: 0, heldMb: [] as number[], heapMb: 0, rssMb: 0 };
    let polls = pollsBefore;
    for (let hour = 24 * (day - 1); hour < 24 * day; hour++) {
      await passes(beganMs + (hour + 0.5) * HOUR_MS - systemClock.now());
      const { answered, opened } = await oneCall(header, status);
      if (answered) done.calls++;
      if (opened) done.doors++;
      await passes(beganMs + (hour + 1) * HOUR_MS - systemClock.now());
      if (!isKnown()) forgotten++;
      if ((hour + 1) % MEMORY_EVERY_H !== 0) continue;
      const memory = await ask(device);
      polls = memory.polls;
      Object.assign(done, { heapMb: memory.heapMb, rssMb: memory.rssMb });
      done.heldMb.push(memory.heapMb - memory.codeMb);
    }
    const { device: named, accounts } = await status();
    const sound = accounts.pbx?.state === 'registered' && named.name === `generation ${day - 1}`;
    if (!sound) throw new Error(`day ${day} ends as ${JSON.stringify({ named, accounts })}`);
    const line: Day = {
      day,
      ...done,
      registered: registered - registeredBefore,
      forgotten: forgotten - forgottenBefore,
      polls: polls - pollsBefore,
      trace: events.splice(0).map(({ ts, source, type, seq, session, heldMs, ...facts }) => [
        Date.parse(ts),
        // How many packets came is a matter of microseconds, and how long a finger held one of the kernel's tick.
        JSON.stringify(type === 'quality' ? { source, type } : { source, type, ...facts }),
      ]),
    };
    appendFileSync(join(process.env.rig_share!, DAYS_FILE), `${JSON.stringify(line)}\n`);
    pollsBefore = polls;
    publish(day);
  }
  device.stdin.write('stop\n');
  if ((await ended) !== 0) throw new Error('the device did not stop as it should');
  header.discard();
  process.exit();
}

/** A press, an answer, a code, the relay's line, a hang-up. What is not seen within seconds was missed. */
async function oneCall(header: PiHeader, status: () => Promise<Status>) {
  const from = events.length;
  const seen = (source: string, type: string) =>
    until(`${source} ${type}`, () => events.slice(from).some(event => event.source === source && event.type === type));
  await header.press(LINE.button1);
  await seen('call', 'answered');
  await passes(TALK_MS / 3);
  desk.calls[0]!.sendKeys('55#');
  await seen('door', 'unlocked');
  const moved = header.active(LINE.relay1);
  await seen('door', 'locked');
  const opened = moved && !header.active(LINE.relay1);
  await passes(TALK_MS / 3);
  const { call } = await status();
  const answered = call.state === 'talking' && (call.statistics?.receivedPackets ?? 0) > TALK_MS / 30;
  desk.calls[0]!.hangUp();
  await seen('call', 'ended');
  return { answered, opened };
}

async function ask(device: ChildProcess) {
  told = {};
  device.stdin!.write('memory\n');
  await until('its memory', () => told.rssMb !== undefined);
  return told as { polls: number; heapMb: number; codeMb: number; rssMb: number };
}

await main();
