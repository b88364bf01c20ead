/** How loud a sound is within its edge, 0 at its outside to 1: a raised cosine, so that the edge itself has no corners. */
export const softEdge = (share: number): number => 0.5 - 0.5 * Math.cos(Math.PI * share);
