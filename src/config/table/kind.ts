import { quote } from '../quote.ts';

/** A value as it is shown: by `check`, in JSON and in `/status`. */
export type Plain = string | number | boolean | readonly string[];

/**
 * A sort of value: how its text is read, how it is shown, and how the reference describes it.
 *
 * @typeParam O what the library takes; unknown: a text
 */
export interface Kind<T, O = unknown> {
  /** For readers: `duration`, `list of addresses`. */
  readonly label: string;
  readonly form: Form;
  /** Never throws. */
  readonly parse: (text: string) => Parsed<T>;
  /** What is shown of a value, never a secret; undefined: nothing. A method, so that every kind is a `Kind<unknown>`. */
  format(value: T): Plain | undefined;
  /** What is shown when there is no value; absent: nothing. */
  readonly absent?: Plain;
  /** Carries `O`; nobody sets it. */
  readonly option?: O;
}

/**
 * What else may be written than one text:
 * - `one`: nothing;
 * - `list`: repeated flags and JSON arrays, joined by commas;
 * - `switch`: a flag without a value, meaning true;
 * - `duration`: in the library a number, meaning ms;
 * - `secret`: `<NAME>_FILE`; the value is never shown;
 * - `json`: blanks and line breaks around it;
 * - `mode`: in the library a number, such as 0o660.
 */
export type Form = 'one' | 'list' | 'switch' | 'duration' | 'secret' | 'json' | 'mode';

/** `faults` are whole sentences, "expected X, got Y", at least one. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly string[] };

export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refuse(...faults: readonly string[]): Parsed<never> {
  return { ok: false, faults };
}

/** The sentence of a fault: what was expected, then the value as it may be shown. */
export function expected(what: string, got: string): string {
  return `expected ${what}, got ${quote(got)}`;
}

/** `a`, `a or b`, `a, b or c`. */
export function oneOf(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
}

export interface ListOptions<T> {
  readonly label: string;
  readonly item: (text: string) => Parsed<T>;
  /** An item as it is shown. */
  readonly format: (item: T) => string;
  /** What two equal items share; undefined for an item that may come again. */
  readonly identity: (item: T) => string | undefined;
}

/** Comma separated, blanks around commas ignored, no empty and no duplicate item. Each faulty item is a fault. */
export function listOf<T>(options: ListOptions<T>): Kind<readonly T[], string | readonly string[]> {
  const parse = (text: string): Parsed<readonly T[]> => {
    if (text.trim() === '') return refuse(expected(`a ${options.label}`, text));
    const items: T[] = [];
    const faults: string[] = [];
    const seen = new Set<string>();
    for (const part of text.split(',').map((raw) => raw.trim())) {
      const parsed = part === '' ? refuse('expected an item between commas, got an empty one') : options.item(part);
      if (!parsed.ok) {
        faults.push(...parsed.faults);
        continue;
      }
      const identity = options.identity(parsed.value);
      if (identity !== undefined && seen.has(identity))
        faults.push(`expected each item once, got ${quote(part)} twice`);
      if (identity !== undefined) seen.add(identity);
      items.push(parsed.value);
    }
    return faults.length > 0 ? refuse(...new Set(faults)) : accept(items);
  };
  return { label: options.label, form: 'list', parse, format: (items) => items.map(options.format) };
}
