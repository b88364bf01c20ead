/** Settings: who this device is. */
import { field, section } from '../field.ts';
import { deviceId, line } from '../types.ts';

export const device = section({
  id: field(deviceId().prefault('porter'), {
    help: 'Names the device to the fleet: MQTT topics, provisioning. Unique within a site.',
    needs: 'restart process',
  }),
  name: field(line(64).prefault('Porter'), { help: 'What people call it.', needs: 'live' }),
  location: field(line(128).prefault(''), { help: 'Where it is mounted.', needs: 'live' }),
});
