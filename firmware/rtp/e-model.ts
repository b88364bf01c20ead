/** How good a conversation is by what the network does to it: the E-model of ITU-T G.107, its other values at default. */

/** G.107 §7.2: what is left of 100 by the noise of a room and a telephone, all else at its default. */
export const BEST_R = 93.2;
/**
 * Ie and Bpl of ITU-T G.113 Appendix I for G.711 with concealment. G.722 and Opus have no figures on this scale, which
 * ends at the telephone's best; they conceal no worse, so they get the same.
 */
const EQUIPMENT_IMPAIRMENT = 0;
const LOSS_ROBUSTNESS = 25.1;
/** Above this a delay is felt as one. Cole and Rosenbluth's fit of G.107's Id, "Voice over IP performance monitoring". */
const FELT_DELAY_MS = 177.3;

export interface Way {
  /** From mouth to ear, one way. */
  delayMs: number;
  /** 0 to 1. */
  lossShare: number;
  /** G.107 BurstR: 1 is loss by chance. */
  burstRatio: number;
}

/** R of the E-model, 0 to 93.2. */
export function rFactor({ delayMs, lossShare, burstRatio }: Way): number {
  const delayImpairment = 0.024 * delayMs + 0.11 * Math.max(0, delayMs - FELT_DELAY_MS);
  return Math.max(0, BEST_R - delayImpairment - lossImpairment(lossShare, burstRatio));
}

/** G.107 §7.6 Ie,eff; the loss in percent. */
function lossImpairment(share: number, burstRatio: number): number {
  const percent = 100 * share;
  return EQUIPMENT_IMPAIRMENT + ((95 - EQUIPMENT_IMPAIRMENT) * percent) / (percent / burstRatio + LOSS_ROBUSTNESS);
}

/** G.107 Annex B: 1 is bad, 4.5 the most that a scale of five reaches. */
export function meanOpinion(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
