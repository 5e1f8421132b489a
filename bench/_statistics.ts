/** Statistics of rounds: medians and ranges, and ratios that are never rounded in favor of this service. */

/** Median and range of the rounds. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** @throws {RangeError} there are no values */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("Cannot summarize a measurement without rounds");
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** @param part fraction of the values: 0.95 for p95 */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? NaN;
}

/** Ratio of two variants in each round, which other work of the machine affects less than either of them. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ours.map((value, round) => value / theirs[round]!));
}

/** Which values are good for this service. */
export type Better = "higher" | "lower";

/** Formats a ratio with two decimals, rounded against this service: 1.299 becomes 1.29 if higher is better. */
export function formatRatio(value: number, better: Better): string {
  const hundredths = Number((value * 100).toPrecision(12)); // without the binary error of 1.15 * 100
  return ((better === "higher" ? Math.floor(hundredths) : Math.ceil(hundredths)) / 100).toFixed(2);
}

/** "1.29 (1.10–1.41)": the median and the range, rounded against this service. */
export function formatRatios({ median, low, high }: Spread, better: Better): string {
  return `${formatRatio(median, better)} (${formatRatio(low, better)}–${formatRatio(high, better)})`;
}

/** "12,900 (11,000–14,100)". Values below 100 get a decimal, and those below 10 two. */
export function formatSpread({ median, low, high }: Spread): string {
  return `${formatNumber(median)} (${formatNumber(low)}–${formatNumber(high)})`;
}

export function formatNumber(value: number): string {
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
