/** A sign that counts the more the surer it is: 0 below `low`, 1 above `high`. */
export const between = (low: number, high: number, value: number): number =>
  Math.min(1, Math.max(0, (value - low) / (high - low)));
