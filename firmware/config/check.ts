/** Checks that span several settings: names that must exist, values that must not meet. */
import { isIPv6 } from 'node:net';
import type { Problem } from './problems.ts';
import type { Config } from './schema.ts';

/** What an action can name. */
export interface Names {
  contacts: readonly string[];
  accounts: readonly string[];
  doors: readonly string[];
  buttons: readonly string[];
  zones: readonly string[];
}

/** What the caller knows beyond the document. Each part that is absent is not checked. */
export interface Surroundings {
  /** What is wrong with an action's text, or with a name in it, as a sentence; undefined where it can be done. */
  checkAction?(text: string, names: Names): string | undefined;
  /** Lines that the board definition has by itself. */
  lines?: { inputs: readonly string[]; outputs: readonly string[] };
}

export function crossCheck(config: Config, surroundings: Surroundings): Problem[] {
  return [
    ...checkMedia(config),
    ...checkGroups(config),
    ...checkZones(config),
    ...checkPagingRelays(config, surroundings),
    ...checkContacts(config),
    ...checkAddedLines(config, surroundings),
    ...checkLines(config, surroundings),
    ...checkActions(config, surroundings),
    ...checkCodes(config),
  ];
}

function* checkMedia({ media, audio, sip }: Config): Generator<Problem> {
  const { from, to } = media.rtpPorts;
  if (from % 2 !== 0)
    yield { path: ['media', 'rtpPorts', 'from'], message: `${from} is odd; RTP takes an even port (RFC 3550 §11)` };
  // Two a call, and as many again for calls whose ports have not come back yet.
  const least = 4 * sip.maxCalls;
  if (to - from + 1 < least) {
    yield {
      path: ['media', 'rtpPorts', 'to'],
      message: `${to} leaves too few ports; ${sip.maxCalls} calls need ${least}`,
    };
  }
  if (media.jitter.min > media.jitter.max) {
    yield { path: ['media', 'jitter', 'min'], message: `${media.jitter.min} ms is above media.jitter.max` };
  }
  if (media.codecs.length === 0) yield { path: ['media', 'codecs'], message: 'is empty; at least one codec is needed' };
  if (new Set(media.codecs).size < media.codecs.length)
    yield { path: ['media', 'codecs'], message: 'names a codec twice' };
  if (audio.period !== undefined && audio.buffer !== undefined && audio.buffer < 2 * audio.period) {
    yield { path: ['audio', 'buffer'], message: `${audio.buffer} ms is less than two periods of ${audio.period} ms` };
  }
  if (audio.lineOut.side === audio.loudspeakerSide)
    yield { path: ['audio', 'lineOut', 'side'], message: `the ${audio.loudspeakerSide} half is the loudspeaker's` };
}

const noPolycomKey = 'means nothing with "format": "polycom", which cannot be encrypted';

function* checkGroups({ paging }: Config): Generator<Problem> {
  const earlier: { name: string; address: string; port: number; format: string; channel: number | undefined }[] = [];
  for (const [name, { address, port, format, channel, key }] of Object.entries(paging.groups)) {
    const path = ['paging', 'groups', name];
    if (format === 'polycom' && key !== undefined) yield { path: [...path, 'key'], message: noPolycomKey };
    if (format === 'polycom' && channel === undefined)
      yield { path: [...path, 'channel'], message: 'is missing; a Polycom group has one, page group 1 is 26' };
    if (format !== 'polycom' && channel !== undefined)
      yield { path: [...path, 'channel'], message: `means nothing with "format": "${format}"` };
    // Polycom groups share an address: the channel tells them apart.
    const other = earlier.find(
      other =>
        other.address === address &&
        other.port === port &&
        (format !== 'polycom' || other.format !== 'polycom' || other.channel === channel),
    );
    const where = `${address} port ${port}${format === 'polycom' ? ` channel ${channel}` : ''}`;
    if (other !== undefined) yield { path, message: `${where} is already that of paging.groups.${other.name}` };
    earlier.push({ name, address, port, format, channel });
  }
}

function* checkZones({ paging, contacts }: Config): Generator<Problem> {
  const earlier = new Map<string, string>();
  for (const [name, { address, port, soundPort, format, channel, codec, key }] of Object.entries(paging.zones)) {
    const path = ['paging', 'zones', name];
    if (format === 'polycom' && key !== undefined) yield { path: [...path, 'key'], message: noPolycomKey };
    if (format === 'polycom' && channel === undefined)
      yield { path: [...path, 'channel'], message: 'is missing; a Polycom zone has one, page group 1 is 26' };
    if (format !== 'polycom' && channel !== undefined)
      yield { path: [...path, 'channel'], message: `means nothing with "format": "${format}"` };
    if (format === 'polycom' && !['PCMU', 'PCMA', 'G722'].includes(codec))
      yield { path: [...path, 'codec'], message: 'is not one that Polycom telephones take; write "G722" or "PCMU"' };
    if (name in contacts) yield { path, message: `is already the name of contacts.${name}, which can be paged too` };
    const where = `${address} port ${port}${format === 'polycom' ? ` channel ${channel}` : ''}`;
    const other = earlier.get(where);
    if (other !== undefined) yield { path, message: `${where} is already that of paging.zones.${other}` };
    earlier.set(where, name);
    if (format !== 'linksys') continue;
    if (isIPv6(address))
      yield { path: [...path, 'address'], message: 'is IPv6, which the words of "format": "linksys" cannot name' };
    const sound = `${address} port ${soundPort}`;
    const neighbour = earlier.get(sound);
    if (neighbour !== undefined) {
      const whose = neighbour === name ? 'where its own words go' : `already that of paging.zones.${neighbour}`;
      yield { path: [...path, 'soundPort'], message: `${sound} is ${whose}; the sound needs one of its own` };
    }
    earlier.set(sound, name);
  }
}

function* checkPagingRelays({ paging, doors, buttons, board }: Config, { lines }: Surroundings): Generator<Problem> {
  const known = lines && [...lines.outputs, ...Object.keys(board.outputs)];
  for (const [level, { relay }] of Object.entries(paging.levels)) {
    if (relay === undefined) continue;
    const path = ['paging', 'levels', level, 'relay'];
    const door = Object.entries(doors).find(([, door]) => door.relay === relay)?.[0];
    const lamp = Object.entries(buttons).find(([, button]) => button.led === relay)?.[0];
    if (known && !known.includes(relay)) yield { path, message: noSuch(relay, 'output', known) };
    else if (door !== undefined) yield { path, message: `${JSON.stringify(relay)} already serves doors.${door}` };
    else if (lamp !== undefined) yield { path, message: `${JSON.stringify(relay)} already serves buttons.${lamp}` };
  }
}

function* checkContacts({ contacts, sip }: Config): Generator<Problem> {
  for (const [name, { uri, account }] of Object.entries(contacts)) {
    if (!/^sips?:/i.test(uri) && Object.keys(sip.accounts).length === 0) {
      yield {
        path: ['contacts', name, 'uri'],
        message: `${JSON.stringify(uri)} is a number, and no account knows it; write "sip:user@host"`,
      };
    }
    if (account !== undefined && !(account in sip.accounts)) {
      yield { path: ['contacts', name, 'account'], message: noSuch(account, 'account', Object.keys(sip.accounts)) };
    }
  }
}

function* checkAddedLines({ board }: Config, { lines }: Surroundings): Generator<Problem> {
  for (const side of ['inputs', 'outputs'] as const) {
    for (const [name, said] of Object.entries(board[side])) {
      if (lines === undefined || lines[side].includes(name)) continue;
      for (const key of ['chip', 'line'] as const) {
        if (said[key] === undefined) {
          yield { path: ['board', side, name, key], message: 'is missing; the board itself has no line of this name' };
        }
      }
    }
  }
}

function* checkLines({ board, buttons, doors }: Config, { lines }: Surroundings): Generator<Problem> {
  const inputs = lines && [...lines.inputs, ...Object.keys(board.inputs)];
  const outputs = lines && [...lines.outputs, ...Object.keys(board.outputs)];
  const users = new Map<string, string>();
  function* use(
    what: 'input' | 'output',
    line: string,
    path: string[],
    known: string[] | undefined,
  ): Generator<Problem> {
    const earlier = users.get(`${what} ${line}`);
    if (known && !known.includes(line)) yield { path, message: noSuch(line, what, known) };
    else if (earlier !== undefined) yield { path, message: `${JSON.stringify(line)} already serves ${earlier}` };
    else users.set(`${what} ${line}`, path.slice(0, 2).join('.'));
  }
  for (const [name, { input, led }] of Object.entries(buttons)) {
    yield* use('input', input, ['buttons', name, 'input'], inputs);
    // Several buttons may share one lamp; a lamp and a relay may not be one line.
    if (led !== undefined && outputs && !outputs.includes(led)) {
      yield { path: ['buttons', name, 'led'], message: noSuch(led, 'output', outputs) };
    }
  }
  for (const [name, { relay }] of Object.entries(doors)) yield* use('output', relay, ['doors', name, 'relay'], outputs);
  for (const [name, { led }] of Object.entries(buttons)) {
    const door = led === undefined ? undefined : users.get(`output ${led}`);
    if (door !== undefined)
      yield { path: ['buttons', name, 'led'], message: `${JSON.stringify(led)} is the relay of ${door}` };
  }
}

function* checkActions(
  { buttons, contacts, doors, paging, sip }: Config,
  { checkAction }: Surroundings,
): Generator<Problem> {
  const names: Names = {
    contacts: Object.keys(contacts),
    accounts: Object.keys(sip.accounts),
    doors: Object.keys(doors),
    buttons: Object.keys(buttons),
    zones: Object.keys(paging.zones),
  };
  for (const [name, button] of Object.entries(buttons)) {
    for (const key of ['press', 'longPress', 'release'] as const) {
      const text = button[key];
      const why = text === undefined ? undefined : checkAction?.(text, names);
      if (why !== undefined) yield { path: ['buttons', name, key], message: `${JSON.stringify(text)}: ${why}` };
    }
  }
}

function* checkCodes({ doors, paging }: Config): Generator<Problem> {
  const ownerOf = new Map<string, string>();
  for (const [name, { codes }] of Object.entries(doors)) {
    for (const [index, code] of codes.entries()) {
      const other = ownerOf.get(code);
      if (other !== undefined)
        yield { path: ['doors', name, 'codes', index], message: `the secret is already a code of ${other}` };
      ownerOf.set(code, `doors.${name}`);
    }
  }
  for (const [name, { code }] of Object.entries(paging.zones)) {
    if (code === undefined) continue;
    const other = ownerOf.get(code);
    if (other !== undefined)
      yield { path: ['paging', 'zones', name, 'code'], message: `the secret is already a code of ${other}` };
    ownerOf.set(code, `paging.zones.${name}`);
  }
}

function noSuch(name: string, what: string, existing: readonly string[]): string {
  const some = existing.length === 0 ? 'there is none' : `there is ${existing.slice(0, 20).join(', ')}`;
  return `there is no ${what} ${JSON.stringify(name)}; ${some}`;
}
