import type { Report } from './report.ts';
import type { Word } from './word.ts';

/** One word given one value in one place. */
export interface Setting {
  readonly word: Word;
  readonly text: string;
  /** As the user typed it, for messages: `DST_PG`, `--dst`, `SERVICES[0].dst`. */
  readonly origin: string;
  /** Flags win over the environment. */
  readonly fromFlag: boolean;
  /** The text is the path of a file that holds the value. */
  readonly isPath: boolean;
}

/** Settings by the word's name; at most one each. */
export class Settings {
  readonly #byWord = new Map<string, Setting>();
  /** Words whose value was refused before it had a text, and where. */
  readonly #refused = new Map<string, string>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  get(word: string): Setting | undefined {
    return this.#byWord.get(word);
  }

  /** Whether somebody set the word, be it to something that was refused. */
  has(word: string): boolean {
    return this.#byWord.has(word) || this.#refused.has(word);
  }

  values(): Iterable<Setting> {
    return this.#byWord.values();
  }

  /** Where the word was set, or how it would be spelt here. */
  origin(word: string): string {
    return this.get(word)?.origin ?? this.#refused.get(word) ?? word;
  }

  /** Notes that a word was set to something that cannot be its value. */
  refuse(word: string, origin: string): void {
    this.#refused.set(word, origin);
  }

  /** Adds a setting. The same word with another value from an equally strong place is a fault that names both. */
  put(setting: Setting): void {
    const held = this.get(setting.word.name);
    if (held === undefined || (setting.fromFlag && !held.fromFlag)) {
      this.#byWord.set(setting.word.name, setting);
    } else if (held.fromFlag === setting.fromFlag) {
      this.#compare(held, setting);
    }
  }

  replace(setting: Setting): void {
    this.#byWord.set(setting.word.name, setting);
  }

  #compare(held: Setting, setting: Setting): void {
    const { origin } = setting;
    if (held.isPath !== setting.isPath) {
      this.#report.fault(origin, `expected ${held.origin} or ${origin}, got both`);
    } else if (held.text !== setting.text) {
      this.#report.fault(
        origin,
        held.origin === origin
          ? 'expected one value, got two different ones'
          : `expected the value of ${held.origin} or to be unset, got another value`,
      );
    }
  }
}
