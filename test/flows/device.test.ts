/** Golden ladders of a whole device: packets between the posts, what the device and the desk do beside them. */
import { expect, test } from 'vitest';
import { presets } from '../sim/lossy-network.ts';
import { building, DESK, DEVICE, World } from '../sim/world.ts';

/** `     123 192.0.2.10:5060 -> 192.0.2.1:5060 INVITE …` as a person draws it. */
function ladder(trace: readonly string[]): string {
  const names: Record<string, string> = { [`${DEVICE.host}:5060`]: 'device', [`${DESK.host}:5060`]: 'desk' };
  const drawn = trace.map(line => {
    const packet = /^ *(\d+) (\S+:\d+) (\S+) (\S+:\d+) (.*)$/.exec(line);
    if (packet !== null) {
      const [, at, from, , , firstLine] = packet;
      const arrow = names[from!] === 'device' ? 'device ──▶ desk' : 'device ◀── desk';
      return `${stamp(at!)}  ${arrow}   ${firstLine!.replace(' SIP/2.0', '').replace('SIP/2.0 ', '')}`;
    }
    const [, at, who, what] = /^ *(\d+) (\w+): (.*)$/.exec(line)!;
    return `${stamp(at!)}  ${who === 'device' ? '│' : '                       │'} ${what}`;
  });
  return `${drawn.join('\n')}\n`;
}

const stamp = (ms: string) => `${(Number(ms) / 1000).toFixed(3).padStart(7)} s`;

async function played(
  story: (world: World, desk: ReturnType<World['desk']>, device: ReturnType<World['device']>) => Promise<void>,
) {
  const world = new World({ seed: 1, impairment: presets.perfect });
  const desk = world.desk();
  const device = world.device(building);
  await world.until(() => device.intercom.status().accounts.pbx?.state === 'registered', 5_000);
  await story(world, desk, device);
  return ladder(world.trace);
}

test('press, talk, a wrong code, the right one, hang up', async () => {
  const drawn = await played(async (world, { desk }, device) => {
    device.hold('button-1', true);
    await world.run(200);
    device.hold('button-1', false);
    await world.run(1_000);
    desk.calls[0]!.answer();
    await world.run(1_000);
    desk.calls[0]!.sendKeys('99#');
    await world.run(1_000);
    desk.calls[0]!.sendKeys('55#');
    await world.run(4_000);
    desk.calls[0]!.hangUp();
    await world.run(100);
  });
  await expect(drawn).toMatchFileSnapshot('press-talk-open.flow');
});

test('a page from the desk, and one from a stranger', async () => {
  const drawn = await played(async (world, { desk }) => {
    const page = desk.call(`sip:front@${DEVICE.host}`, { page: true });
    await world.run(2_000);
    page.hangUp();
    await world.run(100);
    const strange = desk.call(`sip:front@${DEVICE.host}`, { page: true, caller: 'stranger' });
    await world.run(2_000);
    strange.hangUp();
    await world.run(100);
  });
  await expect(drawn).toMatchFileSnapshot('page.flow');
});
