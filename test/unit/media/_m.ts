import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { OPUS, PCMA, speaksTone, World } from '../../sim/phone.ts';
import { blockSnr, longestGapMs, largestStep } from '../../sim/tone.ts';
const opus = loadLibopus(16000)!;
for (const codec of [PCMA, OPUS]) for (const ppm of [-5000,-500, 500,5000]) {
  const w = new World({delayMs:[5,40]});
  const d = { now: () => w.clock.now()*(1+ppm/1e6), after: (ms: number, t: ()=>void, n?: string) => w.clock.after(ms/(1+ppm/1e6), t, n)};
  const a=w.phone('192.0.2.1',{speaks: speaksTone(440,8000,16000), opus, clock: d}); const b=w.phone('192.0.2.2',{opus});
  w.connect(a,b,codec); w.run(50000); b.send({do:'report'}); w.run(1);
  const st=b.told('report').at(-1)!.streams.call!; const s=b.heard(3000);
  console.log(codec.name, ppm, 'snr', blockSnr(s,440*(1+ppm/1e6),16000).toFixed(1),'gap', longestGapMs(s,16000,400).toFixed(1),'step', largestStep(s), 'buf', st.bufferMs.toFixed(0), 'conc', st.concealedFrames, 'late', st.latePackets);
}
// allocation & cpu in steady state
