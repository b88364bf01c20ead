/** What the calls need of the configuration, in one place: names as in the document, times in milliseconds. */
import type { Config } from '../config/schema.ts';
import type { EncryptionPolicy } from '../media/call-sound.ts';
import type { AnswerSettings } from './answer-rules.ts';
import type { Codes, DtmfSettings } from './dtmf-commands.ts';

export interface CallSettings {
  contacts: Readonly<Record<string, { uri: string; account?: string | undefined }>>;
  accounts: readonly string[];
  maxCalls: number;
  ringForMs: number;
  /** 0: no limit. */
  talkForMs: number;
  /** What a press means while there is a call. */
  press: { hangUpAfterMs: number; answers: boolean; answersKnock: boolean };
  incoming: 'ring' | 'refuse';
  /** `whenBusy`: what becomes of it, and of the other, where a call is up already. */
  autoAnswer: AnswerSettings & { whenBusy: 'refuse' | 'hold' | 'end' };
  /** Callers who wait while all lines are busy. */
  waiting: { limit: number; forMs: number; allow: readonly string[] };
  /** Where a call may be transferred to. */
  transferTo: readonly string[];
  dtmf: DtmfSettings;
  codes: Codes;
  capabilities: {
    codecs: readonly ('opus' | 'G722' | 'PCMA' | 'PCMU')[];
    ptimeMs: number;
    telephoneEvent: true;
    opusFec: boolean;
    comfortNoise: boolean;
    silenceSuppression: boolean;
    rtcpMux: boolean;
    extendedReports: boolean;
  };
  /** How the sound of an account's calls is encrypted; without an account, that of the first, which calls then. */
  encryption(account: string | undefined): EncryptionPolicy;
  bind: string;
}

/** The same, made anew only where the configuration is another: a call asks for them several times. */
export function callSettingsOf(config: () => Config, hasOpus: () => boolean): () => CallSettings {
  let made: { config: Config; hasOpus: boolean; settings: CallSettings } | undefined;
  return () => {
    const now = { config: config(), hasOpus: hasOpus() };
    if (made?.config !== now.config || made.hasOpus !== now.hasOpus)
      made = { ...now, settings: callSettings(now.config, now.hasOpus) };
    return made.settings;
  };
}

/** `hasOpus`: a library for it was found; without one it is not offered. */
function callSettings({ sip, media, calls, contacts, doors, paging }: Config, hasOpus: boolean): CallSettings {
  return {
    contacts,
    accounts: Object.keys(sip.accounts),
    maxCalls: sip.maxCalls,
    ringForMs: calls.ringFor,
    talkForMs: calls.talkFor,
    press: {
      hangUpAfterMs: calls.pressHangsUpAfter,
      answers: calls.answerButton,
      answersKnock: calls.waitingPress === 'answer',
    },
    incoming: calls.incoming,
    autoAnswer: calls.autoAnswer,
    waiting: { limit: calls.waiting.limit, forMs: calls.waiting.for, allow: calls.waiting.allow },
    transferTo: calls.transfer.allow,
    dtmf: { terminator: calls.dtmf.terminator, timeoutMs: calls.dtmf.timeout, maxWrong: calls.dtmf.maxWrong },
    codes: {
      doors: Object.fromEntries(Object.entries(doors).map(([door, { codes }]) => [door, codes])),
      zones: Object.fromEntries(Object.entries(paging.zones).map(([zone, { code }]) => [zone, code])),
    },
    capabilities: {
      codecs: media.codecs.filter(codec => hasOpus || codec !== 'opus'),
      ptimeMs: media.packetTime,
      telephoneEvent: true,
      opusFec: media.opus.expectedLoss > 0,
      comfortNoise: media.comfortNoise,
      silenceSuppression: media.silenceSuppression,
      rtcpMux: media.rtcpMux,
      extendedReports: media.qualityReports,
    },
    encryption: account => encryptionOf(sip.accounts[account ?? Object.keys(sip.accounts)[0] ?? '']),
    bind: sip.listen.host,
  };
}

/** A key that is sent in the clear keeps nobody out: it is offered where TLS carries it. */
function encryptionOf(account: Config['sip']['accounts'][string] | undefined): EncryptionPolicy {
  if (account === undefined) return 'taken';
  const { srtp, transport, uri, registrar = '', outboundProxy = '', outboundProxies } = account;
  if (srtp !== 'optional') return srtp;
  const isSecure =
    transport === 'tls' ||
    [uri, registrar, outboundProxy, ...outboundProxies].some(text => /^sips:|;transport=tls/i.test(text));
  return isSecure ? 'offered' : 'taken';
}
