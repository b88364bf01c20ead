/** `porter status` for a person: first what is wrong and what to do about it, then each part in a line. Pure. */
import type { CallStatus, Status } from '../controller/contracts.ts';
import { columns, count, plain, span, wrap } from './text.ts';

const LABEL = 10;
/** A device that has just started is still connecting. Seconds. */
const MQTT_PATIENCE_S = 15;

/** Lines of at most 80 columns (a single longer word, such as a URI, stays whole). */
export function showStatus(status: Status): string[] {
  const { device } = status;
  const title = `${[device.name, device.location].filter(Boolean).join(', ')} (${device.id}), Porter ${device.version} on ${device.board}, up ${span(device.upForSeconds)}`;
  const wrong = problems(status);
  return [
    ...wrap(title, 2),
    ...(wrong.length === 0 ? ['Nothing is wrong.'] : wrong.flatMap(problem => wrap(problem, 2, '! '))),
    '',
    ...part('Call', call(status)),
    ...part('Accounts', accounts(status)),
    ...part('Contacts', contacts(status)),
    ...part('Buttons', buttons(status)),
    ...part('Doors', doors(status)),
    ...part('Sound', [sound(status)]),
    ...part('Recording', status.recording ? [`the ${status.recording.what}, into ${status.recording.file}`] : []),
    ...part('Paging', paging(status)),
    ...part('Sends', sends(status)),
    ...part('Ignored', ignored(status)),
    ...part('Config', [config(status)]),
    ...part('MQTT', [mqtt(status)]),
  ].map(plain);
}

/** What a technician should look at, most urgent first: the cause and the next step in one sentence. */
export function problems({ accounts, audio, buttons, config, device, doors, faults, mqtt, paging }: Status): string[] {
  const list = Object.entries(faults).map(([what, why]) => `${what} cannot be used: ${why}.`);
  if (audio.state === 'down') {
    list.push(`The sound card is away: ${audio.why ?? 'no reason given'}. Check its cable and the names in \`audio\`.`);
  }
  if (audio.state === 'up' && audio.why !== undefined)
    list.push(`Half of the sound is away: ${audio.why}. The other half works. If the device has none, write "none".`);
  if (audio.unmarked !== undefined)
    list.push(`Sound is not marked for the network (\`media.dscp\`): ${audio.unmarked}. Calls work all the same.`);
  for (const [id, account] of Object.entries(accounts)) {
    if (account.state === 'failed' && !list.some(problem => problem.includes(account.detail)))
      list.push(`Account ${id} is not registered: ${account.detail}. \`porter sip status\` says what to do.`);
  }
  for (const [name, { why }] of Object.entries(paging.groups)) {
    if (why !== undefined) list.push(`Paging group ${name}: ${why}.`);
  }
  for (const [name, door] of Object.entries(doors)) {
    if (door.relay === 'fault')
      list.push(`The relay of door ${name} does not follow. Check its wiring and \`doors.${name}.relay\`.`);
  }
  for (const [name, button] of Object.entries(buttons)) {
    if (button.stuck)
      list.push(`Button ${name} is stuck: it has been down for too long. Free it, or check its wiring.`);
  }
  if (config.problem !== undefined) list.push(`Configuration: ${config.problem}`);
  // Right after the start the broker has not been asked yet.
  if (mqtt.state === 'connecting' && device.upForSeconds > MQTT_PATIENCE_S) {
    list.push(`The MQTT broker ${mqtt.url ?? ''} is not connected. The log says why; the device works on without it.`);
  }
  return list;
}

/** A label, then its lines; nothing where there are none. */
function part(label: string, lines: string[]): string[] {
  return lines.flatMap((line, index) => wrap(line, LABEL, (index === 0 ? label : '').padEnd(LABEL)));
}

const DOING: Record<Status['call']['state'], string> = {
  idle: 'none',
  calling: 'calling',
  ringback: 'ringing at',
  ringing: 'rings here, from',
  talking: 'talking with',
  held: 'on hold with',
  paging: 'paging',
  ending: 'ending with',
};

function call({ call, otherCalls, waiting }: Status): string[] {
  if (call.state === 'idle') return ['none'];
  const lines = [briefly(call)];
  const heard = call.statistics;
  if (heard && heard.receivedPackets + heard.sentPackets > 0) {
    const expected = heard.receivedPackets + heard.lostPackets;
    lines.push(
      `heard ${count(heard.receivedPackets, 'packet')}, ${percent(heard.lostPackets, expected)} lost, ` +
        `jitter ${Math.round(heard.jitterMs)} ms, buffer ${Math.round(heard.bufferMs)} ms` +
        (heard.mos === undefined ? '' : `, MOS ${heard.mos.toFixed(1)}`),
    );
    lines.push(
      [
        `said ${count(heard.sentPackets, 'packet')}`,
        heard.remoteLossFraction === undefined
          ? 'the far end reports nothing'
          : `${percent(heard.remoteLossFraction, 1)} lost there`,
        heard.remoteMos === undefined ? undefined : `MOS ${heard.remoteMos.toFixed(1)}`,
        heard.roundTripMs === undefined ? undefined : `round trip ${Math.round(heard.roundTripMs)} ms`,
      ]
        .filter(fact => fact !== undefined)
        .join(', '),
    );
  }
  for (const other of otherCalls) lines.push(`and ${briefly(other)}`);
  if (waiting.length > 0) lines.push(`waiting for a line: ${waiting.join(', ')}`);
  return lines;
}

/** Only where there was something: on a closed network it stays away for years. */
function ignored({ sip: { scannerRequests, overloadRefusals, overloadDrops } }: Status): string[] {
  const lines = [
    scannerRequests > 0 ? `${count(scannerRequests, 'SIP request')} of scanners and strangers` : undefined,
    overloadRefusals + overloadDrops > 0
      ? `${count(overloadRefusals + overloadDrops, 'SIP message')} too many, ${overloadRefusals} of them answered 503`
      : undefined,
  ];
  return lines.filter(line => line !== undefined);
}

/** One call in a line. */
function briefly(call: CallStatus): string {
  const uri = call.remote ?? '';
  const whom = call.displayName === undefined ? uri : `${call.displayName} <${uri}>`;
  const facts = [
    call.direction,
    call.mode === 'listen' || call.mode === 'page' ? 'listening only' : undefined,
    call.held === 'there' ? 'held by the other side' : call.held === 'both' ? 'held by both sides' : undefined,
    call.joined ? 'in a conference' : undefined,
    call.codec,
    call.answeredFor === undefined ? undefined : span(call.answeredFor),
  ].filter(fact => fact !== undefined);
  return [`${call.state === 'idle' ? '' : DOING[call.state]} ${whom}`, ...facts].join(', ');
}

function accounts({ accounts }: Status): string[] {
  const rows = Object.entries(accounts).map(([id, { aor, state, detail }]) => [id, aor, standing(state, detail)]);
  return rows.length === 0 ? ['none; calls go from peer to peer'] : columns(rows);
}

/** Those that are watched. */
const contacts = ({ contacts }: Status): string[] =>
  columns(Object.entries(contacts).map(([name, { is, why }]) => [name, why === undefined ? is : `${is}: ${why}`]));

/** A failure's reason stands among the problems; that of an account which is not to register says all by itself. */
function standing(state: string, detail: string): string {
  if (state === 'failed') return 'FAILED';
  if (detail === '') return state;
  return state === 'unregistered' ? detail : `${state}, ${detail}`;
}

function buttons({ buttons }: Status): string[] {
  return columns(
    Object.entries(buttons).map(([name, { pressed, stuck, fault }]) => [
      name,
      fault !== undefined ? 'MISSING' : stuck ? 'STUCK' : pressed ? 'pressed' : 'ready',
    ]),
  );
}

function doors({ doors }: Status): string[] {
  return columns(
    Object.entries(doors).map(([name, { relay, unlocked }]) => [
      name,
      unlocked ? 'unlocked' : 'locked',
      relay === 'fault' ? 'relay FAULT' : `relay ${relay}`,
    ]),
  );
}

function sound({ audio }: Status): string {
  const state = audio.state === 'down' ? 'AWAY' : audio.state === 'xrun' ? 'up' : audio.state;
  const { counters } = audio;
  return [
    audio.driver === '' ? state : `${audio.driver}, ${state}`,
    counters === undefined ? undefined : count(counters.xruns, 'gap'),
    counters === undefined || counters.reopened === 0 ? undefined : `reopened ${count(counters.reopened, 'time')}`,
    counters === undefined || counters.driftPpm === 0 ? undefined : `clocks ${Math.abs(counters.driftPpm)} ppm apart`,
    opusOf(audio.opus),
    ...acoustics(audio.acoustics),
  ]
    .filter(fact => fact !== undefined)
    .join(', ');
}

function acoustics(report: Status['audio']['acoustics']): string[] {
  if (report === undefined) return [];
  const { echo, noiseDb, raisedDb, faults, card } = report;
  const turned = [card?.loudspeaker, card?.microphone].filter(level => level !== undefined);
  return [
    ...turned.map(({ name, db }) => `the card's ${name} at ${db} dB`),
    echo === 'off' ? 'no echo canceller' : `echo: ${echo}`,
    ...(noiseDb === undefined
      ? []
      : [`noise ${noiseDb} dB${raisedDb > 0 ? `, loudspeaker raised ${raisedDb} dB` : ''}`]),
    ...faults,
  ];
}

/** Nothing where no group is configured. */
function paging({ paging: { pages, groups } }: Status): string[] {
  const on = new Map(pages.map(page => [page.group, page]));
  return columns(
    Object.entries(groups).map(
      ([name, { why, pages, packets, lost, late, malformed, otherSource, otherTalker, otherCodec, notAuthentic }]) => {
        const page = on.get(name);
        const dropped = malformed + otherSource + otherTalker + otherCodec;
        const heard = [
          pages === 0 && dropped + notAuthentic === 0 ? 'nothing has come yet' : count(pages, 'page'),
          lost > 0 ? `${percent(lost, lost + packets)} lost` : undefined,
          late > 0 ? `${percent(late, lost + packets)} too late` : undefined,
          dropped > 0 ? `${dropped} dropped` : undefined,
          notAuthentic > 0 ? `${notAuthentic} without its key` : undefined,
        ];
        const state =
          why !== undefined ? 'FAULT' : page === undefined ? 'quiet' : `${page.level} page from ${page.from}`;
        return [name, state, heard.filter(fact => fact !== undefined).join(', ')];
      },
    ),
  );
}

const SOURCES = { microphone: 'the microphone', file: 'a file', call: 'a call' } as const;

/** The zones that it pages now. */
const sends = ({ paging: { sent } }: Status): string[] =>
  columns(
    sent.map(({ zone, from, remote }) => [
      zone,
      `from ${SOURCES[from]}${remote === undefined ? '' : ` with ${remote}`}`,
    ]),
  );

const config = ({ config }: Status) =>
  config.revision === undefined ? config.source : `revision ${config.revision}, ${config.source}`;

function mqtt({ mqtt }: Status): string {
  if (mqtt.state === 'off') return 'off';
  return `${mqtt.state === 'connected' ? 'connected to' : 'NOT CONNECTED to'} ${mqtt.url ?? 'the broker'}`;
}

function percent(part: number, whole: number): string {
  const share = whole > 0 ? (100 * part) / whole : 0;
  // A single lost packet must not read as none.
  return share > 0 && share < 0.1 ? 'below 0.1 %' : `${Number(share.toFixed(1))} %`;
}

/** Nothing while it is not known. */
const opusOf = (library: string | undefined) =>
  library === 'none' ? 'no Opus, which is not offered: install libopus0' : library && `Opus by ${library}`;
