/** An MQTT broker for the demo: Mosquitto where it is installed, otherwise aedes. On loopback, on a free port. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { freePort } from './free-port.ts';
import { pause } from './timeline.ts';

export interface Broker {
  name: string;
  url: string;
  stop(): Promise<void>;
}

const mosquitto = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/usr/local/sbin/mosquitto'].find(path =>
  existsSync(path),
);

export async function startBroker(folder: string): Promise<Broker> {
  const port = await freePort('tcp');
  return mosquitto === undefined ? startAedes(port) : startMosquitto(mosquitto, port, folder);
}

async function startMosquitto(program: string, port: number, folder: string): Promise<Broker> {
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
  const child = spawn(program, ['-c', config], { stdio: 'ignore' });
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  await pause(300);
  if (child.exitCode !== null) throw new Error(`${program} ended at once with code ${child.exitCode}`);
  return {
    name: 'Mosquitto',
    url: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      child.kill();
      await gone;
    },
  };
}

async function startAedes(port: number): Promise<Broker> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return {
    name: 'aedes',
    url: `mqtt://127.0.0.1:${port}`,
    stop: () =>
      new Promise(resolve => {
        broker.close(() => server.close(() => resolve()));
      }),
  };
}
