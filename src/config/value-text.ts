import { formatMode } from './table/socket-mode.ts';
import type { SettingSpec } from './table/setting-spec.ts';

/** A JSON or JavaScript value as the text a variable would have held. */
export type ValueText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/**
 * @param numbers what a number is for a duration: `text` as typed (so that `5` is refused for want of a unit), or `ms`,
 * where a mode is a number such as 0o660, too
 */
export function textOfValue(value: unknown, spec: SettingSpec, numbers: 'text' | 'ms'): ValueText {
  if (Array.isArray(value)) return textOfList(value, spec);
  if (typeof value === 'number' && numbers === 'ms' && spec.kind.form === 'duration') return textOfMs(value);
  if (typeof value === 'number' && numbers === 'ms' && spec.kind.form === 'mode') return textOfMode(value);
  return textOfScalar(value) ?? refused(spec, value);
}

/** `an object`, `null`, `a number`: what a value is, without showing it. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  const type = typeof value;
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function textOfList(values: readonly unknown[], spec: SettingSpec): ValueText {
  if (spec.kind.form !== 'list') return { ok: false, message: 'expected one value, got a list' };
  const texts: string[] = [];
  for (const value of values) {
    const item = textOfScalar(value) ?? refused(spec, value);
    if (!item.ok) return item;
    texts.push(item.text);
  }
  return { ok: true, text: texts.join(',') };
}

function textOfMs(value: number): ValueText {
  if (Number.isSafeInteger(value) && value >= 0) return { ok: true, text: value === 0 ? '0' : `${value}ms` };
  return { ok: false, message: `expected a duration such as "5s", or whole milliseconds, got ${value}` };
}

function textOfMode(value: number): ValueText {
  return { ok: true, text: Number.isSafeInteger(value) && value >= 0 ? formatMode(value) : String(value) };
}

function textOfScalar(value: unknown): ValueText | undefined {
  if (typeof value === 'string') return { ok: true, text: value };
  if (typeof value === 'number' || typeof value === 'boolean') return { ok: true, text: String(value) };
  return undefined;
}

function refused(spec: SettingSpec, value: unknown): ValueText {
  const what = spec.kind.form === 'list' ? 'a string or a list of strings' : 'a string, a number or a boolean';
  return { ok: false, message: `expected ${what}, got ${describeType(value)}` };
}
