/** Settings: RTP, codecs and the jitter buffer. */
import { field, section } from '../field.ts';
import { duration, durationOf, list, oneOf, whole, yesOrNo } from '../types.ts';

const needs = 'restart media';

export const media = section({
  rtpPorts: section({
    from: field(whole(1024, 65_534).prefault(16_384), { help: 'First UDP port for RTP; even (RFC 3550 §11).', needs }),
    to: field(whole(1025, 65_535).prefault(16_583), {
      help: 'Last UDP port for RTP and RTCP; each call takes two.',
      needs,
    }),
  }).prefault({}),
  dscp: field(whole(0, 63).prefault(46), {
    help: 'Mark (DSCP) of the packets with sound, by which switches and routers let them go first: 46 is EF, what networks expect of telephones (RFC 4594 §4.1). 0: no mark.',
    needs,
  }),
  codecs: field(list(oneOf(['opus', 'G722', 'PCMA', 'PCMU']), 4).prefault(['opus', 'G722', 'PCMA', 'PCMU']), {
    help: 'Codecs that are offered and accepted, the best first.',
    needs: 'live',
  }),
  packetTime: field(durationOf(10, 20, 30, 40, 50, 60).prefault('20 ms'), {
    help: 'Sound in one RTP packet, unless the far end asks for another. Opus has no 30 and 50 ms, and takes 20 and 40.',
    needs: 'live',
  }),
  jitter: section({
    min: field(duration(0, 500).prefault('20 ms'), { help: 'The jitter buffer never waits less.', needs }),
    max: field(duration(20, 2000).prefault('400 ms'), { help: 'The jitter buffer never waits longer.', needs }),
  }).prefault({}),
  silentAfter: field(duration(0, 3_600_000).prefault('30 s'), {
    help: 'A call without any RTP and RTCP for so long has lost its peer; `0 s` means never.',
    needs,
  }),
  comfortNoise: field(yesOrNo().prefault(true), {
    help: 'The far end may fall silent and say how loud its silence is (RFC 3389); soft noise is heard then. `false`: it shall send sound all the time.',
    needs: 'live',
  }),
  silenceSuppression: field(yesOrNo().prefault(false), {
    help: 'While nobody speaks here, nothing is sent but word of how loud the silence is (RFC 3389), or what Opus makes of it (DTX); with the other codecs only where `comfortNoise` is `true` too. Spares a thin line; the far end hears soft noise in place of the true one.',
    needs: 'live',
  }),
  rtcpMux: field(yesOrNo().prefault(true), {
    help: 'Reports on the sound (RTCP) may go through the same port as the sound (RFC 5761), which helps through routers. `false`, if a telephone stumbles over it.',
    needs: 'live',
  }),
  qualityReports: field(yesOrNo().prefault(true), {
    help: 'Tells the far end how well it is heard and how long its sound travels, where it wants to know (RTCP XR, RFC 3611).',
    needs: 'live',
  }),
  opus: section({
    bitrate: field(whole(6000, 128_000).prefault(24_000), { help: 'Opus bit rate.', unit: 'bit/s', needs }),
    complexity: field(whole(0, 10).prefault(5), { help: 'Opus effort: 10 sounds best and costs most.', needs }),
    expectedLoss: field(whole(0, 50).prefault(10), {
      help: 'Packet loss that in-band error correction is made for until the far end reports its own (RTCP). 0: none is ever made.',
      unit: '%',
      needs,
    }),
  }).prefault({}),
});
