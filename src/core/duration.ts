export type ParsedDuration =
  { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly reason: string };

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const WHOLE = /^(?:\d+(?:ms|s|m|h))+$/;
const PART = /(\d+)(ms|s|m|h)/g;

/** Longest time one Node timer can wait (2^31 - 1 ms); a longer setting would fire at once. */
export const MAX_DURATION_MS = 2_147_483_647;

/**
 * Parses `500ms`, `5s`, `1m30s`, `2h`, and `0` (off). Never throws; `reason` fits behind "expected".
 */
export function parseDuration(text: string): ParsedDuration {
  if (text === '0') return { ok: true, ms: 0 };
  if (/^\d+$/.test(text)) return { ok: false, reason: `a duration with its unit (${text}s or ${text}ms?)` };
  if (!WHOLE.test(text)) return { ok: false, reason: 'a duration such as 500ms, 5s, 1m30s or 2h' };
  let ms = 0;
  for (const [, count, unit] of text.matchAll(PART)) ms += Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  return ms <= MAX_DURATION_MS ? { ok: true, ms } : { ok: false, reason: 'a duration of at most 24 days' };
}

/** The shortest exact text of a duration: 90000 is `1m30s`, 0 is `0`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  let rest = ms;
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms'] as const) {
    const size = UNIT_MS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** How other programs write units, and times without an end. */
const UNITS_ELSEWHERE: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|msecs?|milliseconds?|millis)$/i, 1],
  [/^(?:s|secs?|seconds?)$/i, 1_000],
  [/^(?:m|mins?|minutes?)$/i, 60_000],
  [/^(?:h|hrs?|hours?)$/i, 3_600_000],
  [/^(?:d|days?)$/i, 86_400_000],
];
const NEVER = /^(?:off|never|none|no|false|disabled?|infinite|infinity|unlimited)$/i;

/** What a text that is no duration was probably meant to be: `1.5s` is `1s500ms`, `1d` is `24h`, `never` is `0`. */
export function meantDuration(text: string): string | undefined {
  if (NEVER.test(text)) return '0';
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]+)$/i.exec(text) ?? [];
  const size = UNITS_ELSEWHERE.find(([form]) => form.test(unit))?.[1];
  if (number === undefined || size === undefined) return undefined;
  const ms = Math.round(Number(number) * size);
  return ms > 0 && ms <= MAX_DURATION_MS ? formatDuration(ms) : undefined;
}
