/** Calls that the device places: whom a name means, whether there is a line, and what the INVITE asks of the far end. */
import { resolve } from 'node:path';
import { isDialable } from '../io/actions.ts';
import type { SipUserAgent } from '../sip/contracts.ts';
import { printUri } from '../sip/message/uri.ts';
import { parseTarget } from '../sip/target.ts';
import { badRequest, done, notNow, unknownName } from './action-results.ts';
import type { CallPlan } from './call-plan.ts';
import type { CallSettings } from './call-settings.ts';
import type { ActionResult } from './contracts.ts';
import type { DeviceCall } from './device-call.ts';
import type { LineUp } from './line-up.ts';

export interface OutgoingCallsParts {
  lines: LineUp;
  userAgent: () => SipUserAgent | undefined;
  settings: () => CallSettings;
  soundsDirectory: string;
  begin: (remoteHost: string, plan: CallPlan) => DeviceCall;
}

/** Asks a far end to answer by itself, in the words of the three families of phones. */
const PAGE_HEADERS = [
  ['Call-Info', '<sip:page>;answer-after=0'],
  ['Alert-Info', '<http://localhost>;info=alert-autoanswer;delay=0'],
  ['Answer-Mode', 'Auto'],
] as const;

export class OutgoingCalls {
  readonly #parts: OutgoingCallsParts;

  constructor(parts: OutgoingCallsParts) {
    this.#parts = parts;
  }

  /** `target`: a contact, a SIP URI or a number. */
  call(target: string, account: string | undefined): ActionResult {
    return this.#place(target, { account, page: false, file: undefined });
  }

  /** With a file the call ends with it. */
  page(target: string, file: string | undefined): ActionResult {
    const path = file === undefined ? undefined : resolve(this.#parts.soundsDirectory, file);
    return this.#place(target, { account: undefined, page: true, file: path });
  }

  /** The URI that a contact stands for, or that is one. */
  uriOf(target: string): string | ActionResult {
    const { contacts } = this.#parts.settings();
    const contact = contacts[target];
    if (contact === undefined && !isDialable(target)) return unknownName('contact', target, Object.keys(contacts));
    const parsed = this.#targetUri(contact?.uri ?? target, contact?.account);
    return 'done' in parsed ? parsed : parsed.text;
  }

  /** A SIP URI as it is written; a number as one of the server of the account that would call. */
  #targetUri(uri: string, account: string | undefined): { text: string; host: string } | ActionResult {
    const parsed = this.#parts.userAgent()?.targetUri(uri, account) ?? parseTarget(uri);
    if ('kind' in parsed) return badRequest(`${uri} cannot be called: ${parsed.why}`);
    return { text: /^sips?:/i.test(uri) ? uri : printUri(parsed), host: parsed.host };
  }

  #place(target: string, how: { account: string | undefined; page: boolean; file: string | undefined }): ActionResult {
    const { lines, settings, begin } = this.#parts;
    const { contacts, accounts, maxCalls } = settings();
    const userAgent = this.#parts.userAgent();
    if (userAgent === undefined) return notNow('the telephone part is starting');
    const contact = contacts[target];
    const uri = contact?.uri ?? target;
    if (contact === undefined && !isDialable(target)) return unknownName('contact', target, Object.keys(contacts));
    const account = how.account ?? contact?.account;
    if (account !== undefined && !accounts.includes(account)) return unknownName('account', account, accounts);
    const parsed = this.#targetUri(uri, account);
    if ('done' in parsed) return parsed;
    if (lines.taken >= maxCalls) return notNow(`${lines.taken} of ${maxCalls} calls are up; hang up first`);
    const headers = how.page ? PAGE_HEADERS : [];
    begin(parsed.host, {
      direction: 'outgoing',
      remote: { uri: parsed.text },
      account,
      headers,
      page: how.page,
      file: how.file,
      invite: (body, handler) => userAgent.call({ target: uri, account, body, headers }, handler),
    });
    return done;
  }
}
