/** What one call is to be, and what it is given: whoever begins a call says it in these words. */
import type { Clock } from '../lib/clock.ts';
import type { CallSound } from '../media/call-sound.ts';
import type { Media } from '../media/protocol.ts';
import type { Body, CallHandler, HeaderFields, Party, Call as SipCall } from '../sip/contracts.ts';
import type { AnswerMode } from './answer-rules.ts';
import type { DeviceCall } from './device-call.ts';
import type { EventLog } from './event-log.ts';
import type { LocalTones } from './local-tones.ts';

export type CallPlan =
  | {
      direction: 'outgoing';
      remote: Party;
      account: string | undefined;
      headers: HeaderFields;
      /** A WAV to play when answered; the call ends with it. */
      file: string | undefined;
      page: boolean;
      /** Sends the INVITE. Throws where the target cannot be called. */
      invite(body: Body, handler: CallHandler): SipCall;
      /** It comes of a transfer of that call, which is not held for it. */
      besides?: DeviceCall;
      /** Each status that the INVITE meets, for who asked for this call. The last is 200 or higher. */
      onStatus?(status: number): void;
    }
  | {
      direction: 'incoming';
      remote: Party;
      account: string | undefined;
      session: SipCall;
      offer: Body | undefined;
      /** Answers by itself after this long; the caller has been told already that it rings until then. */
      answerAfterMs: number | undefined;
      /** Callers that are not answered by themselves are not let ring either. */
      refuse: boolean;
      mode: AnswerMode;
      /** A gong says that it was answered by itself. */
      gong: boolean;
      /** The 200 says whether it was answered by itself (RFC 5373 §4). */
      tellsMode: boolean;
      /** The caller hears it ring, or has its answer. Called once, before anything else is told of it. */
      onTold?(): void;
      /** It has been answered: what it takes the place of may go. */
      onAccepted?(): void;
    };

export interface DeviceCallParts {
  clock: Clock;
  events: EventLog;
  media: Media;
  sound: CallSound;
  tones: LocalTones;
  /** The address of ours that the other side can send sound to now; undefined while there is none. */
  hostNow(): string | undefined;
  limits: { ringForMs: number; talkForMs: number };
  /** Something in the call's status changed. */
  changed(): void;
  /** A key, told by INFO. */
  onKey(key: string, lastedMs: number): void;
  /** The other side wants us to talk to somebody else. */
  onTransfer: NonNullable<CallHandler['onTransfer']>;
  /** The other side wants the call answered, taken off hold, or held (NOTIFY `talk`, `hold`). */
  onTalk: NonNullable<CallHandler['onTalk']>;
  onHold: NonNullable<CallHandler['onHold']>;
  /** Somebody else talks already. */
  othersTalk(): boolean;
  /** It is answered and takes the device's ear. */
  onTalking(): void;
  /** The call is over and has let go of everything. */
  finished(): void;
}

/** What may be heard of whom. */
export const modeOf = (plan: CallPlan): AnswerMode => (plan.direction === 'incoming' ? plan.mode : 'talk');
