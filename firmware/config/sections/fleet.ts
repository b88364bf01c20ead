/** Settings: MQTT, provisioning, the control socket, the log. */
import { field, section } from '../field.ts';
import { bearerToken, duration, line, matching, oneOf, url, yesOrNo } from '../types.ts';

const topicRoot = () =>
  matching(
    { kind: 'topic', wrong: 'is not the root of MQTT topics; no "+", "#", "/" at either end, at most 128 characters' },
    /^(?!\/)(?!\$)[^+#\0\s]{1,128}(?<!\/)$/,
  );

export const mqtt = section({
  url: field(url('mqtt', 'mqtts').optional(), { help: 'The broker. Absent: no MQTT.', needs: 'restart mqtt' }),
  username: field(line(256).optional(), { help: 'User at the broker.', needs: 'restart mqtt' }),
  password: field(line(256).optional(), { help: 'Password at the broker.', secret: true, needs: 'restart mqtt' }),
  topicRoot: field(topicRoot().prefault('porter/v1'), {
    help: 'Topics are `<root>/<device id>/…`.',
    needs: 'restart mqtt',
  }),
  keepAlive: field(duration(5000, 3_600_000).prefault('60 s'), {
    help: 'Pause after which the connection is tested.',
    needs: 'restart mqtt',
  }),
  commands: field(yesOrNo().prefault(true), { help: 'Whether commands are taken over MQTT.', needs: 'live' }),
  openDoors: field(yesOrNo().prefault(false), { help: 'Whether such a command may open a door.', needs: 'live' }),
  reconnectSpread: field(duration(0, 600_000).prefault('2 s'), {
    help: 'Devices that lost the broker together come back within this time.',
    needs: 'restart mqtt',
  }),
});

export const provisioning = section({
  url: field(url('https', 'http').optional(), {
    help: 'Base URL of the provisioning server. Absent: no provisioning.',
    needs: 'restart provisioning',
  }),
  token: field(bearerToken().optional(), {
    help: 'Proves to the server who asks.',
    secret: true,
    needs: 'restart provisioning',
  }),
  interval: field(duration(10_000, 604_800_000).prefault('1 h'), {
    help: 'How often the server is asked for a new document.',
    needs: 'restart provisioning',
  }),
  timeout: field(duration(1000, 300_000).prefault('10 s'), {
    help: 'How long an answer may take.',
    needs: 'restart provisioning',
  }),
});

// A socket's path is no longer on Linux: unix(7), sun_path.
const socket = () => matching({ kind: 'path', wrong: 'is not a path of at most 107 characters' }, /^[^\0]{0,107}$/);

export const control = section({
  socket: field(socket().prefault(''), {
    help: 'Unix socket for the command line; empty: `porter.sock` in the state directory.',
    needs: 'restart process',
  }),
});

export const log = section({
  level: field(oneOf(['debug', 'info', 'warn', 'error', 'silent']).prefault('info'), {
    help: 'The least serious event that is logged.',
    needs: 'live',
  }),
});
