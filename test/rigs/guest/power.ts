/**
 * A device on a disk that outlives the kernel: tells how it came up, calls, opens the door for a minute and takes one new
 * document after another, until the power is cut. With the argument `last` it stops once it has told.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wallClock } from '../../../firmware/lib/clock.ts';
import { silentLog } from '../../../firmware/lib/log.ts';
import { DocumentFolder } from '../../../provisioning/server/folder.ts';
import { ProvisioningServer } from '../../../provisioning/server/server.ts';
import { Bench } from '../../peers/support/bench.ts';
import { knowing, startDesk } from '../../peers/support/desk.ts';
import { HOST, startDevice } from '../../peers/support/device.ts';
import { until } from '../../peers/support/until.ts';
import { PiHeader } from './pi-header.ts';

export interface CameUp {
  /** Physical levels of the relay's line since the kernel runs; it rests high. */
  relay: boolean[];
  /** Of the document in use: `generation 7`. */
  document: string;
  problem: string | undefined;
}

/** What was taken for certain before the cut. */
export interface InCall {
  generation: number;
}

/** Pulled up from power-up on, as a relay board wants it that closes when its input is low. */
const RELAY_LINE = 7;
const share = process.env.rig_share!;
const fleet = join(share, 'fleet');

/** On the disk, not only on its way there. */
function keep(name: string, content: object) {
  const part = join(share, `${name}.part`);
  const file = openSync(part, 'w');
  writeFileSync(file, JSON.stringify(content));
  fsyncSync(file);
  closeSync(file);
  renameSync(part, join(share, name));
}

const [boot = '0', last] = process.argv.slice(2);
let generation = 1_000 * Number(boot);
const publish = () =>
  writeFileSync(
    join(fleet, 'devices/gate.json'),
    JSON.stringify({ config: { device: { location: `generation ${++generation}` } } }),
  );

mkdirSync(join(fleet, 'devices'), { recursive: true });
const header = new PiHeader();
const bench = new Bench(share);
const desk = await startDesk(bench);
const server = new ProvisioningServer(
  { folder: new DocumentFolder(fleet), host: HOST, port: 8_080 },
  wallClock,
  silentLog,
);
// On the first boot there is nothing to have; later ones come up without their server.
if (boot === '0') {
  publish();
  await server.start();
}
const device = await startDevice(bench, {
  config: {
    device: { id: 'gate' },
    board: { name: 'raspberry-pi-4', outputs: { 'relay-1': { line: RELAY_LINE, activeLow: true } } },
    audio: { driver: 'alsa', capture: 'hw:Loopback,0,0', playback: 'hw:Loopback,0,0' },
    doors: { main: { relay: 'relay-1', openFor: '60 s', codes: ['55'] } },
    provisioning: { url: `http://${HOST}:8080`, interval: '10 s' },
    ...knowing(desk),
  },
});
const inUse = async () => (await device.status()).device.location;
if (boot === '0') await until('the first document', async () => (await inUse()) !== '');
const { config, device: said } = await device.status();
const cameUp: CameUp = { relay: header.history(RELAY_LINE), document: said.location ?? '', problem: config.problem };
keep(`boot-${boot}.json`, cameUp);
// What was told is what the disk had, and nothing newer.
if (boot !== '0') await server.start();

if (last !== undefined) {
  await bench.stop();
  await server.stop();
  process.exit();
}
await device.do('call desk');
await device.event('call', 'answered');
await device.do('open main');
if (header.active(RELAY_LINE)) throw new Error('the relay was not moved');
const taken = async () => (await device.status()).config.revision;
for (let documents = 0; ; documents++) {
  const before = await taken();
  publish();
  await until('the next document', async () => (await taken()) !== before, { withinMs: 60_000 });
  // The door stays open and the call goes on, whatever comes; from the second document on the power may be cut.
  await device.do('open main');
  if (documents === 1) keep(`in-call-${boot}.json`, { generation } satisfies InCall);
}
