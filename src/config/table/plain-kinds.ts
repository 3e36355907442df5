import { formatDuration, meantDuration, parseDuration } from '../../core/duration.ts';
import { didYouMean, nearest } from '../gather/nearest.ts';
import { accept, expected, oneOf, refuse, type Kind } from './kind.ts';
import type { DurationOption } from './option-values.ts';

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);
/** What YAML and other tools make of the words `off` and `on`. */
const OFF = ['false', 'no'];
const ON = ['true', 'yes'];
const MAX_COUNT = 2_147_483_647;

/** `true/false`, `1/0`, `yes/no`, `on/off`, in any case. */
export const boolean: Kind<boolean, boolean> = {
  label: 'boolean',
  form: 'switch',
  format: (value) => value,
  parse(text) {
    const lower = text.toLowerCase();
    if (TRUE.has(lower)) return accept(true);
    if (FALSE.has(lower)) return accept(false);
    return refuse(expected('true or false (also 1/0, yes/no, on/off)', text));
  },
};

/** `500ms`, `5s`, `1m30s`, `2h`, `0`; in ms. */
export const duration: Kind<number, DurationOption> = {
  label: 'duration',
  form: 'duration',
  format: formatDuration,
  parse(text) {
    const parsed = parseDuration(text);
    return parsed.ok ? accept(parsed.ms) : refuse(`${expected(parsed.reason, text)}${didYouMean(meantDuration(text))}`);
  },
};

export const count: Kind<number, number> = {
  label: 'whole number',
  form: 'one',
  format: (value) => value,
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
  /** What other programs call a choice, lower case: refused, with the choice as a hint. */
  readonly elsewhere?: Readonly<Partial<Record<string, C>>>;
}

/** A closed list of words, which knows what else may have been meant by one of them. */
export interface ChoiceKind<C extends string> extends Kind<C, C> {
  readonly meantBy: (text: string) => C | undefined;
}

/** One of a closed list of words. */
export function choice<const C extends string>(options: ChoiceOptions<C>): ChoiceKind<C> {
  const { choices, synonyms = {}, anyCase = false, elsewhere = {} } = options;
  const known = new Map<string, C>(choices.map((name) => [name, name]));
  for (const [name, meant] of Object.entries(synonyms)) if (meant !== undefined) known.set(name, meant);
  const switches = new Map(choices.flatMap((name) => spellingsOf(name).map((spelling) => [spelling, name])));
  const meantBy = (text: string): C | undefined => {
    const lower = text.toLowerCase();
    // Another number is another choice, not a slip: TLSv1.1 is not supported.
    const alike = choices.map((name) => name.toLowerCase()).filter((name) => digitsOf(name) === digitsOf(text));
    const near = nearest(lower, alike);
    return (
      elsewhere[lower] ??
      choices.find((name) => lettersOf(name) === lettersOf(text)) ??
      choices.find((name) => name.toLowerCase() === near)
    );
  };
  return {
    meantBy,
    label: choices.join(' | '),
    form: 'one',
    format: (value) => value,
    parse(text) {
      const lower = text.toLowerCase();
      const found = known.get(anyCase ? lower : text) ?? switches.get(lower);
      if (found !== undefined) return accept(found);
      return refuse(`${expected(oneOf(choices), text)}${didYouMean(meantBy(text))}`);
    },
  };
}

/** What is left of a word when it does not matter how its parts are joined: `ROUND_ROBIN` is `round-robin`. */
function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, '');
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}

/** Whether a text says `off`, which YAML turns into `false`. */
export function saysOff(text: string): boolean {
  const lower = text.toLowerCase();
  return lower === 'off' || OFF.includes(lower);
}

function spellingsOf(name: string): readonly string[] {
  if (name === 'off') return ['off', ...OFF];
  return name === 'on' ? ['on', ...ON] : [];
}

/** A file's path, or any other text that only has to be there. */
export const path: Kind<string> = {
  label: 'path',
  form: 'one',
  format: (value) => value,
  parse: (text) =>
    /^\P{Cc}+$/u.test(text) ? accept(text) : refuse(expected('a path without control characters', text)),
};

export const text: Kind<string> = {
  label: 'text',
  form: 'json',
  format: (value) => value,
  parse: (value) => (value === '' ? refuse(expected('a text', value)) : accept(value)),
};

/** Never shown, whatever is wrong with it. */
export const secret: Kind<string> = {
  label: 'secret',
  form: 'secret',
  format: () => '(hidden)',
  parse: (value) => (value === '' ? refuse('expected a secret, got an empty value') : accept(value)),
};

/** Given as a secret, and no secret by itself: a report of the configuration shows it. */
export const userName: Kind<string> = { ...secret, format: (value) => value };
