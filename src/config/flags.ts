import type { ConfigFault } from '../core/errors.ts';
import type { Flags } from './gather.ts';
import type { Given } from './given.ts';
import { didYouMean, nearest } from './nearest.ts';
import { boolean } from './plain-kinds.ts';
import type { Word } from './word.ts';
import { flagNames, readName, variableOfFlag } from './words.ts';

/** What the arguments after a command come to. */
export type ReadFlags =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'flags';
      readonly flags: Flags;
      readonly switches: ReadonlySet<string>;
      readonly values: ReadonlyMap<string, string>;
    };

/** Flags of one command that are no words of the configuration. */
export interface OwnFlags {
  /** Those that take no value. */
  readonly switches?: readonly string[];
  readonly values?: readonly string[];
}

const FLAG = /^--([a-z][a-z0-9-]*)(?:=([^]*))?$/;

/**
 * Reads `--flag value`, `--flag=value` and `--boolean`. `--help` or `--version` anywhere wins over everything else.
 *
 * @param own the command's own flags
 */
export function readFlags(args: readonly string[], own: OwnFlags = {}): ReadFlags {
  const reader = new FlagReader(args, own);
  return reader.read();
}

class FlagReader {
  readonly #args: readonly string[];
  readonly #own: Required<OwnFlags>;
  readonly #switches = new Set<string>();
  readonly #values = new Map<string, string>();
  readonly #given: Given[] = [];
  readonly #faults: ConfigFault[] = [];
  #next = 0;

  constructor(args: readonly string[], { switches = [], values = [] }: OwnFlags) {
    this.#args = args;
    this.#own = { switches, values };
  }

  read(): ReadFlags {
    while (this.#next < this.#args.length) {
      const arg = this.#args[this.#next++] ?? '';
      if (arg === '--help' || arg === '-h') return { kind: 'help' };
      if (arg === '--version' || arg === '-v') return { kind: 'version' };
      this.#readOne(arg);
    }
    const flags = { given: joinLists(this.#given), faults: this.#faults };
    return { kind: 'flags', flags, switches: this.#switches, values: this.#values };
  }

  #readOne(arg: string): void {
    // Its text stays unseen: it may be the value of a flag that was misspelt.
    if (!arg.startsWith('-')) {
      this.#fault(`argument ${this.#next}`, 'expected a flag, got a value that belongs to none');
      return;
    }
    const [, flag = '', value] = FLAG.exec(arg) ?? [];
    if (this.#own.switches.includes(flag) && value === undefined) {
      this.#switches.add(flag);
      return;
    }
    if (this.#own.values.includes(flag)) {
      const text = value ?? this.#nextValue();
      if (text === undefined) this.#fault(`--${flag}`, 'expected a value, got none');
      else this.#values.set(flag, text);
      return;
    }
    const name = variableOfFlag(flag);
    const word = flag === '' ? undefined : wordOf(name);
    if (word === undefined) this.#refuse(arg);
    else this.#take({ word, name, origin: `--${flag}`, value });
  }

  #take({ word, name, origin, value }: Taken): void {
    const text = value ?? this.#valueOf(word);
    if (text === undefined) this.#fault(origin, 'expected a value, got none');
    else this.#given.push({ name, text, origin, fromFlag: true });
  }

  /** The next argument, unless it is a flag; a boolean flag takes it only when it is a boolean, and else is true. */
  #valueOf(word: Word): string | undefined {
    const next = this.#args[this.#next];
    if (word.kind.form === 'switch' && (next === undefined || !boolean.parse(next).ok)) return 'true';
    return this.#nextValue();
  }

  #nextValue(): string | undefined {
    const next = this.#args[this.#next];
    if (next === undefined || next.startsWith('--')) return undefined;
    this.#next++;
    return next;
  }

  #refuse(arg: string): void {
    const typed = arg.replace(/=[^]*/, '');
    const known = [...this.#own.switches, ...this.#own.values, ...flagNames, 'help', 'version'];
    const near = nearest(typed.replace(/^-+/, '').toLowerCase(), known);
    this.#fault(typed, `expected a flag of this program, got an unknown one${didYouMean(near && `--${near}`)}`);
    const next = this.#args[this.#next];
    // Its value goes with it, unseen.
    if (!arg.includes('=') && next !== undefined && !/^(?:--.*|-h|-v)$/s.test(next)) this.#next++;
  }

  #fault(setting: string, message: string): void {
    this.#faults.push({ setting, message });
  }
}

interface Taken {
  readonly word: Word;
  readonly name: string;
  readonly origin: string;
  readonly value: string | undefined;
}

function wordOf(name: string): Word | undefined {
  return readName(name)?.word;
}

/** Repeated flags of a list are one list. */
function joinLists(given: readonly Given[]): readonly Given[] {
  const joined = new Map<string, Given>();
  const rest: Given[] = [];
  for (const one of given) {
    const reading = readName(one.name);
    if (reading?.word.kind.form !== 'list') {
      rest.push(one);
      continue;
    }
    const held = joined.get(one.name);
    joined.set(one.name, held === undefined ? one : { ...held, text: `${held.text},${one.text}` });
  }
  return [...joined.values(), ...rest];
}
