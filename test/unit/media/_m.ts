import { readFileSync, writeFileSync } from 'node:fs';
import { loadLibopus } from '../../../firmware/audio/codecs/libopus.ts';
import { wavHeader } from '../../../firmware/audio/wav.ts';
import { OPUS, PCMA, speaksTone, World } from '../../sim/phone.ts';
import { blockSnr, longestGapMs } from '../../sim/tone.ts';
const opus = loadLibopus(16000)!;
const speechBytes = readFileSync('test/fixtures/speech/visitor.wav');
const speech = new Int16Array(speechBytes.buffer.slice(speechBytes.byteOffset+44, speechBytes.byteOffset+speechBytes.length));
for (const codec of [PCMA, OPUS]) for (const loss of [0, .05,.1,.2]) for (const delayMs of [[1,1],[5,60]] as [number,number][]) {
  const res:number[]=[]; let gap=0; let conc=0; let late=0, stats: any;
  for (let seed=1; seed<=5; seed++){
    const w=new World({loss, delayMs}, seed);
    const a=w.phone('192.0.2.1',{speaks: speaksTone(440,8000,16000), opus}); const b=w.phone('192.0.2.2',{opus});
    w.connect(a,b,codec); w.run(10000);
    const s=b.heard(2000); res.push(blockSnr(s,440,16000)); gap=Math.max(gap,longestGapMs(s,16000,400));
    b.send({do:'report'}); w.run(1); stats=b.told('report').at(-1)!.streams.call!; conc=stats.concealedFrames; late=stats.latePackets;
  }
  console.log(codec.name, loss, delayMs.join('-'), 'snr', res.map(x=>x.toFixed(1)).join(' '), 'gap', gap.toFixed(1), 'concealed', conc, 'late', late, 'lost',stats.lostPackets, 'buf', stats.bufferMs.toFixed(0), 'jit', stats.jitterMs.toFixed(1));
}
for (const codec of [PCMA, OPUS]) for (const loss of [0, .1, .2]) {
    const w=new World({loss, delayMs:[5,40]}, 1); const t0=performance.now();
    const a=w.phone('192.0.2.1',{speaks: (f,i)=>{ for(let k=0;k<f.length;k++) f[k]=speech[(i*f.length+k)%speech.length]!}, opus}); const b=w.phone('192.0.2.2',{opus});
    w.connect(a,b,codec); w.run(9000);
    const s=b.heard(0); writeFileSync(`/tmp/b2/${codec.name}-${loss*100}.wav`, Buffer.concat([wavHeader(16000,s.byteLength), Buffer.from(s.buffer)]));
    console.log(codec.name, loss, 'cpu ms per s', ((performance.now()-t0)/9).toFixed(1));
}
