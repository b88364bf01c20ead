/** The opening of most stories: a registered device, a desk, a good network, and words for what is done and seen. */
import { parseConfig } from '../../firmware/config/parse.ts';
import type { DeviceEvent } from '../../firmware/controller/contracts.ts';
import type { DeskCall } from '../desk/desk.ts';
import { presets } from './lossy-network.ts';
import { building, tone, World } from './world.ts';

/** `changes` go over `building`, section by section. */
export async function ready(changes: object = {}, onCall: (call: DeskCall) => void = call => call.ring()) {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const desk = world.desk({ onCall, speaks: tone(1_000) });
  const device = world.device({ ...building, ...changes }, tone(600));
  const { intercom } = device;
  await world.until(() => intercom.status().accounts.pbx?.state === 'registered', 5_000);
  const told = (source: DeviceEvent['source'], type: string) =>
    device.events.filter(event => event.source === source && event.type === type);
  const press = async (forMs = 150) => {
    device.hold('button-1', true);
    await world.run(forMs);
    device.hold('button-1', false);
    await world.run(200);
  };
  const state = () => intercom.status().call.state;
  const led = () => intercom.status().buttons.front?.led;
  /** As a document that was accepted. */
  const apply = (document: object) => {
    const parsed = parseConfig({ ...building, ...document });
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    intercom.apply(parsed.config);
  };
  return { world, desk: desk.desk, deskEars: desk.ears, device, intercom, told, press, state, led, apply };
}
