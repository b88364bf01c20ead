/** Extended reports (RFC 3611) as Wireshark reads them. No right to capture is needed. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { printRtcp } from '../../firmware/rtp/rtcp.ts';
import { Bench } from './support/bench.ts';
import { Capture } from './support/tshark.ts';

const bench = new Bench();
afterAll(() => bench.stop());

const LEVELS = '_ws.malformed || _ws.expert.severity >= 0x600000';

/** One datagram in a file of its own. */
function captured(bytes: Uint8Array): Capture {
  const [text, file] = ['hex', 'pcapng'].map(end => join(bench.folder, `report.${end}`)) as [string, string];
  writeFileSync(text, `000000 ${[...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ')}\n`);
  const { status, stderr } = spawnSync('text2pcap', ['-q', '-u', '5001,5003', text, file], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return new Capture(file, undefined, ['-d', 'udp.port==5003,rtcp']);
}

test('VoIP metrics are read as they were meant, and nothing is remarkable about them', () => {
  const loss = { lossRate: 12, discardRate: 3, burstDensity: 128, gapDensity: 1, burstMs: 240, gapMs: 8000 };
  const quality = { roundTripMs: 70, endSystemMs: 60, rFactor: 82, listeningMos: 42, conversationMos: 41 };
  const metrics = { ssrc: 2, ...loss, ...quality, bufferMs: 40, bufferLimitMs: 400 };
  const capture = captured(
    printRtcp([
      { type: 'RR', ssrc: 1, reports: [] },
      { type: 'SDES', sources: [{ ssrc: 1, cname: 'front' }] },
      { type: 'XR', ssrc: 1, metrics: [metrics] },
    ]),
  );
  const names = ['burstdensity', 'gapdensity', 'burstduration', 'gapduration'].concat([
    'rtdelay',
    'esdelay',
    'rfactor',
    'moslq',
    'moscq',
    'jbnominal',
    'jbmax',
  ]);
  const fields = ['rtcp.ssrc.fraction', 'rtcp.ssrc.discarded', ...names.map(name => `rtcp.xr.voipmetrics.${name}`)];
  expect(capture.fields('rtcp', fields)).toEqual([
    ['12', '3', '128', '1', '240', '8000', '70', '60', '82', '4.2', '4.1', '40', '400'],
  ]);
  expect(capture.fields(LEVELS, ['_ws.expert.message'])).toEqual([]);
});

test('times of who only listens, and the answer to them, are read as they were meant', () => {
  const capture = captured(
    printRtcp([
      { type: 'RR', ssrc: 1, reports: [] },
      { type: 'SDES', sources: [{ ssrc: 1, cname: 'front' }] },
      {
        type: 'XR',
        ssrc: 1,
        metrics: [],
        referenceTime: { seconds: 3_976_214_400, fraction: 0x8000_0000 },
        delays: [{ ssrc: 2, lastRr: 77, delaySinceLastRr: 65_536 }],
      },
    ]),
  );
  const fields = ['rtcp.xr.timestamp', 'rtcp.xr.lrr', 'rtcp.xr.dlrr'];
  expect(capture.fields('rtcp', fields)).toEqual([[expect.stringMatching(/2026.*00:00:00[.]5/), '77', '65536']]);
  expect(capture.fields(LEVELS, ['_ws.expert.message'])).toEqual([]);
});
