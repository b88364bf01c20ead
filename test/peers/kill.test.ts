/**
 * kill -9 at any moment: while a document is being written, while the relay is closed, while the process starts. What is
 * left is a configuration that loads, and a relay that the next start finds closed and puts at its safe level.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadConfig } from '../../firmware/config/load.ts';
import { ConfigStore } from '../../firmware/config/store.ts';
import type { Status } from '../../firmware/controller/contracts.ts';
import { checkAction } from '../../firmware/io/actions.ts';
import { systemClock, wallClock } from '../../firmware/lib/clock.ts';
import { silentLog } from '../../firmware/lib/log.ts';
import { RpcClient } from '../../firmware/rpc/client.ts';
import { findBoard } from '../../hal/boards/catalog.ts';
import { DocumentFolder } from '../../provisioning/server/folder.ts';
import { ProvisioningServer } from '../../provisioning/server/server.ts';
import { seeded } from '../sim/seeded.ts';
import { Bench } from './support/bench.ts';
import { HOST } from './support/device.ts';
import { sipPort } from './support/ports.ts';
import { passes, until } from './support/until.ts';

const MAIN = resolve(import.meta.dirname, '../../firmware/main.ts');
const KILLS = 12;
/** From the start of the process: before it has opened anything, and up to well after it runs. */
const KILL_WITHIN_MS = 2_500;
/** The last kills find the relay closed, however long a start takes here. */
const CLOSED_KILLS = 3;
const CLOSED_WITHIN_MS = 60_000;

const bench = new Bench();
afterEach(() => bench.stop());

test(`${KILLS} kills leave a configuration that loads and a relay at rest on the next start`, async () => {
  const random = seeded(42);
  const room = bench.room('kill');
  const fleet = join(room, 'fleet');
  const state = join(room, 'state');
  const local = join(room, 'local.json');
  const port = await sipPort();
  mkdirSync(join(fleet, 'devices'), { recursive: true });
  const publish = (generation: number) =>
    writeFileSync(
      join(fleet, 'devices/gate.json'),
      JSON.stringify({
        config: {
          device: { name: `generation ${generation}`, location: 'x'.repeat(100) },
          doors: { main: { relay: 'relay-1', openFor: '60 s', codes: ['55'] } },
        },
      }),
    );
  publish(0);
  const server = new ProvisioningServer(
    { folder: new DocumentFolder(fleet), host: HOST, port: 0 },
    wallClock,
    silentLog,
  );
  const url = await server.start();
  bench.onStop(() => server.stop());
  writeFileSync(
    local,
    JSON.stringify({
      device: { id: 'gate' },
      sip: { listen: { host: HOST, port } },
      // Without a network it opens doors by its last good document, or its local one.
      doors: { main: { relay: 'relay-1' } },
      provisioning: { url, interval: '10 s' },
    }),
  );
  const levelFile = join(state, 'lines/relay-1.level');
  const level = () => (existsSync(levelFile) ? readFileSync(levelFile, 'utf8').trim() : 'none');
  let leftClosed = 0;

  for (let kill = 1; kill <= KILLS; kill++) {
    publish(kill);
    const child = spawn(process.execPath, [MAIN, 'run', '--config', local, '--state', state, '--log', 'silent'], {
      stdio: 'ignore',
    });
    const gone = new Promise<void>(done => child.once('exit', () => done()));
    const rpc = new RpcClient(join(state, 'porter.sock'), systemClock);
    const withinMs = kill > KILLS - CLOSED_KILLS ? CLOSED_WITHIN_MS : KILL_WITHIN_MS * random.next();
    const untilMs = performance.now() + withinMs;
    while (performance.now() < untilMs) {
      // As soon as it answers the door is opened, so that most kills find the relay closed.
      await rpc
        .connect()
        .then(() => rpc.call('perform', { action: 'open main' }))
        .catch(() => passes(20));
      if (level() === '1') break;
    }
    await passes(300 * random.next());
    child.kill('SIGKILL');
    await gone;
    rpc.close();
    if (level() === '1') leftClosed++;

    const stored = await new ConfigStore(state).load();
    const document = JSON.parse(readFileSync(local, 'utf8'));
    const loaded = loadConfig({ local: document, stored, board: findBoard, checkAction });
    expect(loaded.problems, `kill ${kill}`).toEqual([]);
    expect(loaded.config.device.id).toBe('gate');
  }
  expect(leftClosed).toBeGreaterThanOrEqual(CLOSED_KILLS);

  // The next start: from the moment that the firmware owns the line the relay rests, and everything is whole.
  const child = spawn(process.execPath, [MAIN, 'run', '--config', local, '--state', state, '--log', 'silent'], {
    stdio: 'ignore',
  });
  const gone = new Promise<void>(done => child.once('exit', () => done()));
  bench.onStop(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  const rpc = new RpcClient(join(state, 'porter.sock'), systemClock);
  bench.onStop(() => rpc.close());
  // To connect is possible earlier; who is answered speaks with a device that owns its lines.
  const answers = () =>
    rpc
      .connect()
      .then(() => rpc.call('status'))
      .then(() => true)
      .catch(() => false);
  await until('the device answers', answers, { withinMs: CLOSED_WITHIN_MS });
  expect(level()).toBe('0');
  // A device that has a document already lets others go first for up to 30 s.
  const inUse = async () => {
    const status = (await rpc.call('status')) as Status;
    return status.device.name === `generation ${KILLS}` && status.doors.main?.relay === 'at rest';
  };
  await until('the newest document is in use', inUse, { withinMs: 45_000 });
});
