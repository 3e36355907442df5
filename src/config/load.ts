import type { Address } from '../core/address.ts';
import { cleanWords } from './clean.ts';
import type { Config, LogLevel } from './config.ts';
import { gather, noFlags, type Flags } from './gather.ts';
import { givenInEnvironment } from './given.ts';
import type { Environment } from './injected.ts';
import type { Parsed } from './kind.ts';
import { processWords } from './process-words.ts';
import { Report } from './report.ts';
import { resolve } from './resolve.ts';
import { Settings } from './setting.ts';
import { readSmallFile, type ReadFile } from './small-file.ts';
import { readName } from './words.ts';

export interface LoadOptions {
  /** Default: none. */
  readonly flags?: Flags;
  readonly env: Environment;
  /** Reads `SERVICES_FILE` and `*_FILE`; default: the file system, at most 1 MiB a file. */
  readonly readFile?: ReadFile;
}

/**
 * The configuration that flags, environment and the files they name come to; frozen, all the way down.
 *
 * @throws ConfigError with every fault there is
 */
export function loadConfig({ flags = noFlags, env, readFile = readSmallFile }: LoadOptions): Config {
  const report = new Report(flags.faults);
  return resolve(gather({ flags, env, readFile }, report), report);
}

/**
 * One address of the process alone, undefined when off: commands that ask a running attache run beside it, often without
 * the flags that declared its services, so nothing else may be asked for.
 *
 * @throws ConfigError
 */
export function loadAddress(
  name: 'HTTP_ADDR' | 'ADMIN_ADDR',
  { flags = noFlags, env }: Pick<LoadOptions, 'flags' | 'env'>,
): Address | undefined {
  const report = new Report(flags.faults);
  const settings = new Settings(report);
  for (const { name: given, text, origin, fromFlag } of [...flags.given, ...givenInEnvironment(env, report)]) {
    const reading = readName(given);
    if (reading?.kind !== 'word' || reading.word.name !== name) continue;
    settings.put({ word: reading.word, text, origin, fromFlag, isPath: false });
  }
  const { address } = cleanAddress(name, settings, report);
  report.throwIfFaulty();
  return address === 'off' ? undefined : address;
}

function cleanAddress(
  name: 'HTTP_ADDR' | 'ADMIN_ADDR',
  settings: Settings,
  report: Report,
): { address: Address | 'off' } {
  if (name === 'HTTP_ADDR') {
    return { address: cleanWords({ HTTP_ADDR: processWords.HTTP_ADDR }, settings, { report }).HTTP_ADDR };
  }
  return { address: cleanWords({ ADMIN_ADDR: processWords.ADMIN_ADDR }, settings, { report }).ADMIN_ADDR };
}

/** `LOG_LEVEL` from a text of later. @returns the level, or what was expected in place of the text */
export function readLogLevel(text: string): Parsed<LogLevel> {
  return processWords.LOG_LEVEL.kind.parse(text);
}
