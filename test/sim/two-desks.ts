/** The opening of stories with several calls: a device with room for three, and two desks that speak in their own tones. */
import type { DeviceEvent } from '../../firmware/controller/contracts.ts';
import { presets } from './lossy-network.ts';
import { decibels, toneLevel } from './tone.ts';
import { building, DEVICE, tone, World } from './world.ts';

const RATE = 8_000;
export const HALL = { host: '192.0.2.2', port: 5060 };
export const FRONT = `sip:front@${DEVICE.host}:${DEVICE.port}`;
/** What each says all the time. */
const HZ = { device: 600, desk: 1_000, hall: 1_500 };
type Name = keyof typeof HZ;

export async function twoDesks(changes: object = {}) {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const desk = world.desk({ speaks: tone(HZ.desk) });
  const hall = world.desk({ speaks: tone(HZ.hall), address: HALL, user: 'hall' });
  const document = {
    ...building,
    sip: { ...building.sip, maxCalls: 3 },
    contacts: { ...building.contacts, hall: { uri: `sip:hall@${HALL.host}` } },
    ...changes,
  };
  const device = world.device(document, tone(HZ.device));
  const { intercom } = device;
  await world.until(() => intercom.status().accounts.pbx?.state === 'registered', 5_000);
  const ears = { device: () => device.ears, desk: () => desk.ears, hall: () => hall.ears };
  /** Whose voices this one has heard in the last 300 ms. */
  const hears = (who: Name): Name[] => {
    const heard = ears[who]().heard(300);
    return (Object.keys(HZ) as Name[]).filter(name => decibels(toneLevel(heard, HZ[name], RATE) / 8_000) > -6);
  };
  const told = (source: DeviceEvent['source'], type: string) =>
    device.events.filter(event => event.source === source && event.type === type);
  const does = (action: Parameters<typeof intercom.perform>[0]) => intercom.perform(action, 'cli');
  /** The desk's call, answered; then the hall's. */
  const talkWithBoth = async () => {
    const first = desk.desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(700);
    const second = hall.desk.call(FRONT);
    await world.run(300);
    does({ do: 'answer' });
    await world.run(2_000);
    return { first, second };
  };
  const states = () => {
    const { call, otherCalls } = intercom.status();
    return [call, ...otherCalls].map(({ remote, state }) =>
      `${/sip:(\w+)/.exec(remote ?? '')?.[1] ?? ''} ${state}`.trim(),
    );
  };
  return { world, desk: desk.desk, hall: hall.desk, device, intercom, hears, told, does, talkWithBoth, states };
}
