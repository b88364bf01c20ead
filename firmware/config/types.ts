/** The kinds of value that settings are made of, each with the words for what is wrong. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { durationPattern, notADuration, parseDuration, printDuration } from '../lib/duration.ts';
import { isMulticast, isNetwork } from '../lib/networks.ts';
import { kind } from './field.ts';

/** Entries in one table of named things (contacts, doors, …), where nothing else is said. */
const mostNamedThings = 256;

/** A string judged by code. `judge` returns what is wrong, to follow the value in a sentence. */
function text(
  what: { kind: string; wrong: string; allowed?: string; pattern?: string },
  judge: (value: string) => string | undefined,
) {
  return kind(
    z.string().check(context => {
      const message = judge(context.value);
      if (message !== undefined) context.issues.push({ code: 'custom', message, input: context.value });
    }),
    what,
  );
}

export const matching = (what: { kind: string; wrong: string; allowed?: string }, pattern: RegExp) =>
  text({ ...what, pattern: pattern.source }, value => (pattern.test(value) ? undefined : what.wrong));

/** Free text on one line. */
export const line = (most: number) => {
  const wrong = `is not text of one line, at most ${most} characters`;
  const pattern = new RegExp(`^[^\\u0000-\\u001f\\u007f]{0,${most}}$`, 'u');
  return matching({ kind: 'text', allowed: `one line, at most ${most} characters`, wrong }, pattern);
};

/** `"3 s"` in the document, milliseconds in the configuration. Limits are milliseconds. */
export function duration(least: number, most: number) {
  const allowed = `${printDuration(least)} to ${printDuration(most)}`;
  return kind(
    z.string().transform((value, context) => {
      const ms = parseDuration(value);
      if (ms !== undefined && ms >= least && ms <= most) return ms;
      context.issues.push({
        code: 'custom',
        message: ms === undefined ? notADuration : `is out of range; allowed is ${allowed}`,
        input: value,
      });
      return z.NEVER;
    }),
    { kind: 'duration', allowed, wrong: notADuration, pattern: durationPattern },
  );
}

/** A duration that must be one of a few. */
export function durationOf(...choices: number[]) {
  const allowed = choices.map(printDuration).join(', ');
  return kind(
    z.string().transform((value, context) => {
      const ms = parseDuration(value);
      if (ms !== undefined && choices.includes(ms)) return ms;
      const message = ms === undefined ? notADuration : `is not one of ${allowed}`;
      context.issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    }),
    { kind: 'duration', allowed, wrong: notADuration, pattern: durationPattern },
  );
}

export const whole = (least: number, most: number) =>
  kind(z.int().min(least).max(most), {
    kind: 'whole number',
    allowed: `${least} to ${most}`,
    wrong: `is not a whole number from ${least} to ${most}`,
  });

/** A gain; 0 leaves the level as it is. */
export const decibels = (least: number, most: number) =>
  kind(z.number().min(least).max(most), {
    kind: 'number',
    allowed: `${least} to ${most}`,
    wrong: `is not a number of decibels from ${least} to ${most}`,
  });

export const yesOrNo = () => kind(z.boolean(), { kind: 'true or false', wrong: 'is not true or false' });

export const oneOf = <const Choices extends readonly string[]>(choices: Choices) =>
  kind(z.enum(choices), {
    kind: 'choice',
    allowed: choices.map(choice => `\`${choice}\``).join(', '),
    wrong: `is not one of ${choices.map(choice => JSON.stringify(choice)).join(', ')}`,
  });

export const oneOfNumbers = <const Choices extends readonly number[]>(choices: Choices) =>
  kind(z.literal(choices), {
    kind: 'choice',
    allowed: choices.join(', '),
    wrong: `is not one of ${choices.join(', ')}`,
  });

/** A device's id: a topic level, a file name and a URL segment at once, hence so narrow. */
export const deviceId = () =>
  matching({ kind: 'id', wrong: 'is not an id; use a-z, 0-9 and "-", at most 63 characters' }, /^[a-z0-9-]{1,63}$/);

/** The name of an account, door, button, contact, line or board: one word of an action. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
export const notAName = 'is not a name; use letters, digits, "-" and "_", at most 63 characters';
export const name = () => matching({ kind: 'name', wrong: notAName }, namePattern);

/** Things by name. The result has no prototype, so that looking up `constructor` finds nothing. */
export function named<S extends z.ZodType>(entry: S, most = mostNamedThings) {
  const wrong = `has too many entries; the most is ${most}`;
  return kind(
    z
      .record(z.string().regex(namePattern), entry)
      .check(context => {
        if (Object.keys(context.value).length > most) {
          context.issues.push({ code: 'custom', message: wrong, input: context.value });
        }
      })
      .transform(entries => Object.assign(Object.create(null) as Record<string, z.output<S>>, entries)),
    { kind: 'table', wrong: 'is not a table of named things' },
  );
}

export const list = <S extends z.ZodType>(entry: S, most: number) =>
  kind(z.array(entry).max(most), { kind: 'list', allowed: `at most ${most}`, wrong: 'is not a list' });

const notASipUri = 'is not a SIP URI; write "sip:user@host", with ":port" where it is not 5060';
const host = String.raw`(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)`;
// RFC 3261 §25.1 SIP-URI without password and headers: neither belongs into a configuration.
const user = `(?:[A-Za-z0-9_.!~*'()&=+$,;?/-]|%[0-9A-Fa-f]{2}){1,128}`;
const parameterValue = `(?:[A-Za-z0-9._~!$&'()*+-]|%[0-9A-Fa-f]{2})+`;
const parameters = `(?:;[A-Za-z0-9._~!$&'()*+-]+(?:=${parameterValue})?){0,16}`;
const sipUriForm = new RegExp(`^sips?:${user}@${host}(?::\\d{1,5})?${parameters}$`);
const serverUriForm = new RegExp(`^sips?:(?:${user}@)?${host}(?::\\d{1,5})?${parameters}$`);

function uri(form: RegExp, wrong: string) {
  return text({ kind: 'SIP URI', wrong, pattern: form.source }, value => {
    if (value.length > 255 || !form.test(value)) return wrong;
    const literal = /\[(.*)\]/.exec(value)?.[1];
    if (literal !== undefined && isIP(literal) !== 6) return wrong;
    const wrongParameter = uriParameters(
      value
        .slice(value.indexOf('@') + 1)
        .split(';')
        .slice(1),
    );
    if (wrongParameter !== undefined) return wrongParameter;
    const port = /:(\d+)(?:;|$)/.exec(value.replace(/^sips?:/, '').replace(/\[.*\]/, 'v6'));
    return port && (Number(port[1]) < 1 || Number(port[1]) > 65_535) ? 'has a port that is not 1 to 65535' : undefined;
  });
}

function uriParameters(parameters: string[]): string | undefined {
  const seen = new Set<string>();
  for (const parameter of parameters) {
    const [name = '', value] = parameter.toLowerCase().split('=');
    if (seen.has(name)) return `has the parameter ";${name}" twice`;
    seen.add(name);
    if (name === 'transport' && !['udp', 'tcp', 'tls'].includes(value ?? ''))
      return 'asks for a transport other than udp, tcp and tls';
  }
  return undefined;
}

export const sipUri = () => uri(sipUriForm, notASipUri);

// RFC 3966 §3, with visual separators between the digits; and a number as it is keyed in.
const separators = '[().-]{0,3}';
const globalNumber = String.raw`\+(?:${separators}[0-9]){1,31}${separators}`;
const localNumber = `(?:${separators}[0-9A-Fa-f*#]){1,32}${separators}`;
const telParameters = `(?:;[A-Za-z0-9-]+(?:=${parameterValue})?){0,8}`;
const telephone = String.raw`tel:(?:${globalNumber}|${localNumber})${telParameters}|\+[0-9]{1,31}|[0-9*#]{1,32}`;
const telephoneForm = new RegExp(`^(?:${telephone})$`);
const notATarget = `${notASipUri}; or a number such as "tel:+49-30-123" or "4711"`;
const sipTarget = uri(sipUriForm, notASipUri);

/** Whom to call: a SIP URI, a `tel` URI, a number. */
export const callTarget = () =>
  text(
    {
      kind: 'call target',
      allowed: '`sip:desk@example.org`, `tel:+49-30-123`, `4711`',
      wrong: notATarget,
      pattern: `${sipUriForm.source}|${telephoneForm.source}`,
    },
    value => {
      if (telephoneForm.test(value)) return uriParameters(value.split(';').slice(1));
      const issue = sipTarget.safeParse(value).error?.issues[0];
      return issue && (issue.message === notASipUri ? notATarget : issue.message);
    },
  );

/** A registrar or proxy: the user part may be absent. */
export const sipServer = () =>
  uri(serverUriForm, 'is not the SIP URI of a server; write "sip:host" or "sip:host:port"');

/** RFC 6750 §2.1 b64token. */
export const bearerToken = () =>
  matching(
    { kind: 'token', wrong: 'is not a token; use letters, digits and "-._~+/", at most 512 characters' },
    /^(?=.{1,512}$)[A-Za-z0-9._~+/-]+=*$/,
  );

export const ipAddress = () =>
  text({ kind: 'IP address', wrong: 'is not an IP address' }, value =>
    isIP(value) === 0 ? 'is not an IP address; write such as "192.0.2.1" or "2001:db8::1"' : undefined,
  );

export const multicastAddress = () =>
  text({ kind: 'multicast address', wrong: 'is not a multicast address' }, value =>
    isMulticast(value) ? undefined : 'is not a multicast address; write such as "239.1.2.3" or "ff15::7"',
  );

/** One address, or all of a network. */
export const network = () =>
  text({ kind: 'IP address or network', wrong: 'is not an IP address or network' }, value =>
    isNetwork(value) ? undefined : 'is not an IP address or network; write such as "192.0.2.1" or "192.0.2.0/24"',
  );

/** An absolute URL of one of these schemes, without user, password, query or fragment. */
export function url(...schemes: string[]) {
  const allowed = schemes.map(scheme => `\`${scheme}://host\``).join(', ');
  const wrong = `is not a URL; write such as "${schemes[0]}://host"`;
  return text({ kind: 'URL', allowed, wrong }, value => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (value.length > 1024 || !parsed || !schemes.includes(parsed.protocol.slice(0, -1)) || parsed.hostname === '') {
      return wrong;
    }
    if (parsed.username !== '' || parsed.password !== '')
      return 'carries a user or password; those are settings of their own';
    return parsed.search !== '' || parsed.hash !== '' ? 'carries a query or fragment; leave it out' : undefined;
  });
}

/** Keyed in during a call. */
export const code = () => matching({ kind: 'digits', wrong: 'is not a code of 1 to 12 digits' }, /^[0-9]{1,12}$/);

/** SRTP master key and salt: 30 bytes, or 46 for AES-256, in base64 (RFC 4568 §6.1). */
export const srtpKey = () =>
  matching(
    { kind: 'key', wrong: 'is not a key of 30 or 46 bytes in base64; make one with `openssl rand -base64 30`' },
    /^(?:[A-Za-z0-9+/]{40}|[A-Za-z0-9+/]{62}==)$/,
  );

/** A file or folder; where it is relative, to the folder that the firmware was started in. */
export const path = () => matching({ kind: 'path', wrong: 'is not a path' }, /^[^\0]{1,4096}$/);
