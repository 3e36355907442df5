import type { ConfigFault } from '../../core/errors.ts';
import type { Flags } from './given-flags.ts';
import type { RawSetting } from './raw-setting.ts';
import { settingsElsewhere } from './named-elsewhere.ts';
import { didYouMean, nearest } from './nearest.ts';
import { balancePolicy } from '../table/balance-kinds.ts';
import { boolean } from '../table/plain-kinds.ts';
import type { SettingSpec } from '../table/setting-spec.ts';
import { flagNames, readName, variableOfFlag } from '../table/settings.ts';

/** The meaning of the arguments after a command. */
export type ReadFlags =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'flags';
      readonly flags: Flags;
      readonly switches: ReadonlySet<string>;
      readonly values: ReadonlyMap<string, string>;
      /** What stands without a flag; undefined when nothing does. */
      readonly argument: string | undefined;
    };

/** Flags of one command that are no settings. */
export interface OwnFlags {
  /** Those that take no value. */
  readonly switches?: readonly string[];
  readonly values?: readonly string[];
  /** The name of what may stand without a flag, once; undefined: nothing may. */
  readonly argument?: string | undefined;
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
  readonly #own: Required<Omit<OwnFlags, 'argument'>>;
  readonly #takesArgument: boolean;
  #argument: string | undefined;
  readonly #switches = new Set<string>();
  readonly #values = new Map<string, string>();
  readonly #given: RawSetting[] = [];
  readonly #faults: ConfigFault[] = [];
  #next = 0;

  constructor(args: readonly string[], { switches = [], values = [], argument }: OwnFlags) {
    this.#takesArgument = argument !== undefined;
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
    return { kind: 'flags', flags, switches: this.#switches, values: this.#values, argument: this.#argument };
  }

  #readOne(arg: string): void {
    // Its text stays unseen: it may be the value of a flag that was misspelt.
    if (!arg.startsWith('-') || (arg === '-' && this.#mayTake())) {
      if (this.#mayTake()) {
        this.#argument = arg;
        return;
      }
      const fault = 'expected a flag, got a value that belongs to none';
      this.#fault(`argument ${this.#next}`, `${fault}${this.#remedyOfStray()}`);
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
    const spec = flag === '' ? undefined : specOf(name);
    if (spec === undefined) this.#refuse(arg);
    else this.#take({ spec, name, origin: `--${flag}`, value });
  }

  #take({ spec, name, origin, value }: Taken): void {
    const text = value ?? this.#valueOf(spec);
    if (text === undefined) this.#fault(origin, 'expected a value, got none');
    else this.#given.push({ name, text, origin, fromFlag: true });
  }

  /** For what stands behind a flag that takes no more, or no such, value. */
  #remedyOfStray(): string {
    const last = this.#given.at(-1);
    const form = last && specOf(last.name)?.kind.form;
    const before = this.#args[this.#next - 2];
    if (form === 'list' && last?.text === before) return `; several values of ${last?.origin} are joined by commas`;
    return form === 'switch' && last?.origin === before ? `; ${last?.origin} takes true, false or nothing` : '';
  }

  #mayTake(): boolean {
    return this.#takesArgument && this.#argument === undefined;
  }

  /** The next argument, unless it is a flag: without one a boolean flag is true. */
  #valueOf(spec: SettingSpec): string | undefined {
    const next = this.#args[this.#next];
    if (spec.kind.form !== 'switch' || next === '') return this.#nextValue();
    const isValue = next !== undefined && (boolean.parse(next).ok || (spec.name === 'LB' && isPolicy(next)));
    return isValue ? this.#nextValue() : 'true';
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
    const bare = typed.replace(/^-+/, '').toLowerCase().replaceAll('_', '-');
    const near = known.includes(bare) ? bare : (settingsElsewhere[bare] ?? nearest(bare, known));
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
  readonly spec: SettingSpec;
  readonly name: string;
  readonly origin: string;
  readonly value: string | undefined;
}

/** Such a word is shown, which no other text behind a flag without a value is: it may be anything. */
function isPolicy(text: string): boolean {
  return balancePolicy.meantBy(text) !== undefined;
}

function specOf(name: string): SettingSpec | undefined {
  return readName(name)?.spec;
}

/** Repeated flags of a list are one list. */
function joinLists(given: readonly RawSetting[]): readonly RawSetting[] {
  const joined = new Map<string, RawSetting>();
  const rest: RawSetting[] = [];
  for (const one of given) {
    const reading = readName(one.name);
    // An empty one is no item: `--dst "$FIRST" --dst "$SECOND"`.
    if (reading?.spec.kind.form !== 'list' || one.text === '') {
      rest.push(one);
      continue;
    }
    const held = joined.get(one.name);
    joined.set(one.name, held === undefined ? one : { ...held, text: `${held.text},${one.text}` });
  }
  return [...joined.values(), ...rest];
}
