import { expect, test } from 'vitest';
import { presets } from '/work/main/test/sim/lossy-network.ts';
import { ready } from '/work/main/test/sim/ready.ts';
import { building, DESK } from '/work/main/test/sim/world.ts';
test('bye lost', async () => {
  const { world, press, desk, intercom, state, told } = await ready({sip:{...building.sip, maxCalls:1}}, call => call.answer());
  await press(); await world.run(500); console.log(state());
  (presets.perfect as any).loss = 1;
  intercom.perform({do:'hang up'},'cli');
  for (let i=0;i<40;i++){ await world.run(1000); if(i<3||state()!=='ending'){ console.log(i,state(), JSON.stringify(intercom.perform({do:'call',target:'desk'},'cli'))); if(state()!=='ending') break; } }
  console.log(JSON.stringify(told('call','ended')));
});
test('cancel lost', async () => {
  (presets.perfect as any).loss = 0;
  const { world, press, desk, intercom, state, told } = await ready({sip:{...building.sip, maxCalls:1}}, call => call.ring());
  (presets.perfect as any).loss = 1;
  intercom.perform({do:'call',target:'desk'},'cli'); await world.run(1000); console.log(state());
  intercom.perform({do:'hang up'},'cli');
  for (let i=0;i<80;i++){ await world.run(1000); if(i<3||state()!=='ending'){ console.log('c',i,state(), JSON.stringify(intercom.perform({do:'call',target:'desk'},'cli'))); if(state()!=='ending') break; } }
  (presets.perfect as any).loss = 0; intercom.perform({do:'hang up'},'cli'); await world.run(40000);
  intercom.perform({do:'call',target:'desk'},'cli'); await world.run(1000); console.log(state()); (presets.perfect as any).loss = 1;
  intercom.perform({do:'hang up'},'cli');
  for (let i=0;i<80;i++){ await world.run(1000); if(i<3||state()!=='ending'){ console.log('r',i,state(), JSON.stringify(intercom.perform({do:'call',target:'desk'},'cli'))); if(state()!=='ending') break; } }
});
