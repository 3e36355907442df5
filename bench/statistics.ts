export interface Summary {
  readonly median: number;
  /** (max - min) / median: 0 with one value; undefined when the median is 0. */
  readonly spread: number | undefined;
  readonly count: number;
}

/** Median and spread; undefined without a finite value. */
export function summarize(values: readonly number[]): Summary | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined) return undefined;
  const median = middle(sorted);
  return { median, spread: median === 0 ? undefined : (high - low) / median, count: sorted.length };
}

/** How many times `other` this one is, by medians; undefined when either has no value or `other` is 0. */
export function ratio(own: Summary | undefined, other: Summary | undefined): number | undefined {
  if (own === undefined || other === undefined || other.median === 0) return undefined;
  return own.median / other.median;
}

function middle(sorted: readonly number[]): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
}
