/** Hears what becomes of a call that was refused before it was one. */
import type { CallHandler } from '../sip/contracts.ts';

export const nobody: CallHandler = {
  onProgress() {},
  onAnswered() {},
  onOffer: (_, answer) => answer.refuse(488),
  onReoffered() {},
  onRefresh: () => ({ contentType: 'application/sdp', bytes: new Uint8Array() }),
  onEnded() {},
};
