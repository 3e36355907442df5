import { parseDuration } from '../core/duration.ts';
import { accept, expected, oneOf, refuse, type Kind } from './kind.ts';

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);
const MAX_COUNT = 2_147_483_647;

/** `true/false`, `1/0`, `yes/no`, `on/off`, in any case. */
export const boolean: Kind<boolean> = {
  label: 'boolean',
  form: 'switch',
  parse(text) {
    const lower = text.toLowerCase();
    if (TRUE.has(lower)) return accept(true);
    if (FALSE.has(lower)) return accept(false);
    return refuse(expected('true or false (also 1/0, yes/no, on/off)', text));
  },
};

/** `500ms`, `5s`, `1m30s`, `2h`, `0`; in ms. */
export const duration: Kind<number> = {
  label: 'duration',
  form: 'duration',
  parse(text) {
    const parsed = parseDuration(text);
    return parsed.ok ? accept(parsed.ms) : refuse(expected(parsed.reason, text));
  },
};

export const count: Kind<number> = {
  label: 'whole number',
  form: 'one',
  parse(text) {
    if (!/^\d+$/.test(text)) return refuse(expected('a whole number, 0 or more', text));
    const value = Number(text);
    return value <= MAX_COUNT ? accept(value) : refuse(expected(`a whole number of at most ${MAX_COUNT}`, text));
  },
};

export interface ChoiceOptions<C extends string> {
  readonly choices: readonly C[];
  /** Other spellings, lower case. */
  readonly synonyms?: Readonly<Partial<Record<string, C>>>;
  readonly anyCase?: boolean;
}

/** One of a closed list of words. */
export function choice<const C extends string>(options: ChoiceOptions<C>): Kind<C> {
  const { choices, synonyms = {}, anyCase = false } = options;
  const known = new Map<string, C>(choices.map((name) => [name, name]));
  for (const [name, meant] of Object.entries(synonyms)) if (meant !== undefined) known.set(name, meant);
  return {
    label: choices.join(' | '),
    form: 'one',
    parse(text) {
      const found = known.get(anyCase ? text.toLowerCase() : text);
      if (found !== undefined) return accept(found);
      return refuse(expected(oneOf(choices), text));
    },
  };
}

/** A file's path, or any other text that only has to be there. */
export const path: Kind<string> = {
  label: 'path',
  form: 'one',
  parse: (text) =>
    /^\P{Cc}+$/u.test(text) ? accept(text) : refuse(expected('a path without control characters', text)),
};

export const text: Kind<string> = {
  label: 'text',
  form: 'one',
  parse: (value) => (value === '' ? refuse(expected('a text', value)) : accept(value)),
};

/** Never shown, whatever is wrong with it. */
export const secret: Kind<string> = {
  label: 'secret',
  form: 'secret',
  parse: (value) => (value === '' ? refuse('expected a secret, got an empty value') : accept(value)),
};
