import { cleanEnv, EnvError, makeExactValidator, type ReporterOptions, type ValidatorSpec } from 'envalid';
import type { Kind } from '../table/kind.ts';
import type { Report } from '../report.ts';
import type { Settings } from './setting.ts';
import type { Values, SettingTable } from '../table/setting-spec.ts';

/** Where values come from that were not set: another level's, else the table's own default. */
export interface CleanOptions {
  readonly fallback?: Readonly<Record<string, unknown>>;
  readonly report: Report;
}

/**
 * Validates what was given against a table of settings, through envalid. Faults go to the report under the name the user
 * typed; a faulty setting comes out as its default, so that later checks find a value of the right type.
 */
export function cleanSettings<W extends SettingTable>(table: W, settings: Settings, options: CleanOptions): Values<W> {
  const { fallback = {}, report } = options;
  const texts: Record<string, string> = {};
  const specs: Record<string, ValidatorSpec<unknown>> = {};
  for (const [name, row] of Object.entries(table)) {
    const given = settings.get(name);
    if (given !== undefined) texts[name] = given.text;
    specs[name] = specOf(row.kind, fallback[name] ?? defaultOf(row));
  }
  const reporter = ({ errors, env }: ReporterOptions<typeof specs>): void => {
    const cleaned = env as Record<string, unknown>;
    for (const [name, error] of Object.entries(errors)) {
      if (!(error instanceof SettingFault)) throw error ?? new TypeError(`envalid reported nothing for ${name}`);
      const remedy = settings.get(name)?.text === '' ? table[name]?.refusesEmpty : undefined;
      for (const sentence of error.sentences) {
        report.fault(settings.origin(name), remedy === undefined ? sentence : `${sentence}; ${remedy}`);
      }
      settings.refuse(name, settings.origin(name));
      cleaned[name] = specs[name]?.default;
    }
  };
  // The keys are the table's, each value is its kind's or its default: what `Values` says, built row by row.
  // Copied, as envalid's own object throws on names it has not heard of, which a fallback may be asked for.
  return { ...cleanEnv(texts, specs, { reporter }) } as unknown as Values<W>;
}

/** A table without some of its settings. */
export function omit<W extends SettingTable, K extends keyof W & string>(table: W, names: readonly K[]): Omit<W, K> {
  const kept = Object.entries(table).filter(([name]) => !names.some((omitted) => omitted === name));
  return Object.fromEntries(kept) as unknown as Omit<W, K>;
}

/** envalid carries one message an error; a list can have several faulty items. */
class SettingFault extends EnvError {
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[]) {
    super(sentences.join('; '));
    this.sentences = sentences;
  }
}

function specOf(kind: Kind<unknown>, fallback: unknown): ValidatorSpec<unknown> {
  const validator = makeExactValidator<unknown>((text) => {
    const parsed = kind.parse(text);
    if (parsed.ok) return parsed.value;
    throw new SettingFault(parsed.faults);
  });
  return validator({ default: fallback ?? undefined });
}

function defaultOf(row: SettingTable[string]): unknown {
  const parsed = row.default === undefined ? undefined : row.kind.parse(row.default);
  return parsed?.ok === true ? parsed.value : undefined;
}
