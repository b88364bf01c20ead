/** The provisioning server's folder for the demo: one site, one group of doors, one device. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FleetSettings {
  deskUri: string;
  registrar: string;
  password: string;
  broker: string;
  devicePort: number;
  microphone: string;
  loudspeaker: string;
}

export const DEVICE = 'front-gate';

export function writeFleet(folder: string, settings: FleetSettings) {
  const { deskUri, registrar, password, broker, devicePort, microphone, loudspeaker } = settings;
  const deskHost = deskUri.replace(/^sip:/, '').replace(/:\d+$/, '');
  const files = {
    'site.json': {
      config: {
        contacts: { desk: { uri: deskUri } },
        calls: { ringFor: '20 s', autoAnswer: { allow: [`sip:${deskHost}`] } },
        mqtt: { url: broker },
        media: { rtpPorts: { from: 42_000, to: 42_399 } },
      },
    },
    'groups/gates.json': {
      config: {
        doors: { main: { relay: 'relay-1', openFor: '3 s', codes: ['55'] } },
        buttons: { front: { input: 'button-1', press: 'call desk', led: 'led-1' } },
      },
    },
    [`devices/${DEVICE}.json`]: {
      group: 'gates',
      config: {
        device: { name: 'Front gate', location: 'Main entrance' },
        sip: {
          listen: { host: '127.0.0.1', port: devicePort },
          accounts: { pbx: { uri: `sip:front@${registrar}`, displayName: 'Front gate', password } },
        },
        audio: { captureFile: microphone, playbackFile: loudspeaker },
      },
    },
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  }
}
