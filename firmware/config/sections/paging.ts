/** Settings: pages by multicast, which groups are heard, and what a page does to other sound. */
import { field, section } from '../field.ts';
import {
  code,
  decibels,
  duration,
  ipAddress,
  list,
  multicastAddress,
  name,
  named,
  network,
  oneOf,
  srtpKey,
  whole,
  yesOrNo,
} from '../types.ts';

const needs = 'restart media';
/** As many as are heard at once. */
const mostGroups = 32;
const mostZones = 64;
const l16Rates = ['L16/8000', 'L16/16000', 'L16/44100', 'L16/48000'] as const;

const group = section({
  address: field(multicastAddress(), { help: 'Multicast address that pages of this group are sent to.', needs }),
  port: field(whole(1, 65_535), {
    help: 'UDP port. Polycom telephones use 5001, Linksys and Cisco SPA 6061.',
    needs,
  }),
  format: field(oneOf(['rtp', 'polycom', 'linksys']).prefault('rtp'), {
    help: 'How pages are packed: `rtp`, plain, as most speakers and telephones send them; `polycom`, group page and push-to-talk; `linksys`, where a word on this address says where the sound is.',
    needs,
  }),
  channel: field(whole(1, 50).optional(), {
    help: 'With `polycom`: 1 to 25 for push-to-talk, 26 to 50 for page groups 1 to 25.',
    needs,
  }),
  level: field(oneOf(['background', 'normal', 'high', 'emergency']).optional(), {
    help: 'How urgent its pages are. By default `normal`; Polycom groups 24 are `high`, 25 `emergency`.',
    needs,
  }),
  codec: field(oneOf(['opus', ...l16Rates, 'L16/44100/2', 'L16/48000/2']).optional(), {
    help: 'What payload types 96 to 127 are, which a page cannot say. G.711 and G.722 need no word. `L16/44100`: with it also types 10 and 11. `/2` is stereo, of which the middle is heard.',
    needs,
  }),
  sources: field(list(network(), 64).prefault([]), {
    help: 'Addresses and networks that may page: `192.0.2.7`, `192.0.2.0/24`. By default all.',
    needs,
  }),
  volume: field(decibels(-60, 20).prefault(0), { help: 'Added to the gain of its pages.', unit: 'dB', needs }),
  key: field(srtpKey().optional(), {
    help: 'Its pages are encrypted with this key (SRTP), and others are not heard: `openssl rand -base64 30` makes one. Not with `polycom`.',
    secret: true,
    needs,
  }),
});

const zone = section({
  address: field(multicastAddress(), { help: 'Multicast address that pages to this zone are sent to.', needs: 'live' }),
  port: field(whole(1024, 65_535), {
    help: 'UDP port. Polycom telephones listen at 5001, Linksys and Cisco SPA at 6061.',
    needs: 'live',
  }),
  format: field(oneOf(['rtp', 'polycom', 'linksys']).prefault('rtp'), {
    help: 'How pages are packed: `rtp`, plain, as most speakers and telephones take them; `polycom`, group page and push-to-talk; `linksys`, a word on this address, and the sound at `soundPort`.',
    needs: 'live',
  }),
  channel: field(whole(1, 50).optional(), {
    help: 'With `polycom`: 1 to 25 for push-to-talk, 26 to 50 for page groups 1 to 25.',
    needs: 'live',
  }),
  soundPort: field(whole(1024, 65_535).prefault(34_567), {
    help: 'With `linksys`: UDP port of the sound, on the same address.',
    needs: 'live',
  }),
  codec: field(oneOf(['PCMU', 'PCMA', 'G722', 'opus', ...l16Rates]).prefault('PCMU'), {
    help: 'What the sound is packed in. All receivers take `PCMU`; `G722` and `opus` sound better; `L16` is not packed at all. `polycom`: none but `PCMU`, `PCMA`, `G722`.',
    needs: 'live',
  }),
  payloadType: field(whole(96, 127).prefault(96), {
    help: 'Number of the codec in each packet, where it has no fixed one (`opus`, `L16`; `L16/44100` has 11); receivers must be told the same.',
    needs: 'live',
  }),
  ttl: field(whole(1, 255).prefault(1), {
    help: 'How many routers may pass the page on, and one: 1 stays in this network.',
    needs: 'live',
  }),
  dscp: field(whole(0, 63).optional(), {
    help: 'Mark (DSCP) of its packets. By default that of `media.dscp`.',
    needs: 'live',
  }),
  gong: field(yesOrNo().prefault(true), { help: 'A gong before the first word.', needs: 'live' }),
  longest: field(duration(1000, 3_600_000).prefault('5 min'), {
    help: 'A page is over after so long, whoever still speaks.',
    needs: 'live',
  }),
  reports: field(yesOrNo().prefault(true), {
    help: 'Each second, what time it is goes to the next port, so that speakers play together (RTCP); only where the port is even. `false`, if another page is sent to that port.',
    needs: 'live',
  }),
  key: field(srtpKey().optional(), {
    help: 'Pages are encrypted with this key (SRTP), the same as at the groups that hear them. Not with `polycom`.',
    secret: true,
    needs: 'live',
  }),
  code: field(code().optional(), {
    help: 'Keys that page this zone when dialled in a call, before the terminator; the same keys again, or hanging up, end it.',
    secret: true,
    needs: 'live',
  }),
});

/** `preset`: what is done unless something else is said. */
const level = (preset: { call: Effect; pages: Exclude<Effect, 'ignore'>; atLeast: number }) =>
  section({
    call: field(oneOf(['mix', 'duck', 'interrupt', 'ignore']).prefault(preset.call), {
      help: 'A page while a call is up: `mix`, both are heard; `duck`, the call softly; `interrupt`, the page alone, and the caller hears nothing; `ignore`, the call alone.',
      needs,
    }),
    pages: field(oneOf(['mix', 'duck', 'interrupt']).prefault(preset.pages), {
      help: 'What it does to pages of lower levels. Of two pages of one level the first is heard.',
      needs,
    }),
    volume: field(decibels(-60, 20).prefault(0), { help: 'Added to the gain of its pages.', unit: 'dB', needs }),
    atLeast: field(decibels(-60, 20).prefault(preset.atLeast), {
      help: 'Its pages have at least this gain, however low `audio.loudspeaker` is.',
      unit: 'dB',
      needs,
    }),
    gong: field(yesOrNo().prefault(false), { help: 'A gong over the beginning.', needs }),
    relay: field(name().optional(), {
      help: 'Output line that is on during its pages: an amplifier, a lamp. Not one of a door.',
      needs: 'restart lines',
    }),
  }).prefault({});

type Effect = 'mix' | 'duck' | 'interrupt' | 'ignore';

export const paging = section({
  groups: field(named(group, mostGroups).prefault({}), { help: 'Paging groups that are heard.', needs }),
  zones: field(named(zone, mostZones).prefault({}), {
    help: 'Zones that this device pages, each with a name: `page hall` on a button or a command line.',
    needs: 'live',
  }),
  levels: section({
    background: level({ call: 'ignore', pages: 'mix', atLeast: -60 }),
    normal: level({ call: 'ignore', pages: 'interrupt', atLeast: -60 }),
    high: level({ call: 'duck', pages: 'interrupt', atLeast: -60 }),
    emergency: level({ call: 'interrupt', pages: 'interrupt', atLeast: 0 }),
  }).prefault({}),
  silence: field(duration(100, 30_000).prefault('1 s'), {
    help: 'A page without a packet for so long is over, and its group free for another.',
    needs,
  }),
  delay: field(duration(0, 1_000).prefault('200 ms'), {
    help: 'From the sending of a page to its being heard: long enough for the slowest sound card and the worst of the network. Where it is the same on all speakers, they play a page at the same moment. `0 s`: each as soon as it can.',
    needs,
  }),
  interface: field(ipAddress().optional(), {
    help: "Address of the network port on which groups are joined and zones are paged. By default that of `sip.listen.host`, or where the machine's routes lead.",
    needs,
  }),
});
