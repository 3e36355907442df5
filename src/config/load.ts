import type { Address } from '../core/address.ts';
import { cleanWords } from './clean.ts';
import type { Config } from './config.ts';
import { gather, noFlags, type Flags } from './gather.ts';
import { givenInEnvironment } from './given.ts';
import type { Environment } from './injected.ts';
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
 * `HTTP_ADDR` alone, undefined when off: the health check runs beside the proxy, often without the flags that
 * declared its services, so nothing else may be asked for.
 *
 * @throws ConfigError
 */
export function loadHttpAddress({ flags = noFlags, env }: Pick<LoadOptions, 'flags' | 'env'>): Address | undefined {
  const report = new Report(flags.faults);
  const settings = new Settings(report);
  for (const { name, text, origin, fromFlag } of [...flags.given, ...givenInEnvironment(env, report)]) {
    const reading = readName(name);
    if (reading?.kind !== 'word' || reading.word.name !== 'HTTP_ADDR') continue;
    settings.put({ word: reading.word, text, origin, fromFlag, isPath: false });
  }
  const { HTTP_ADDR: address } = cleanWords({ HTTP_ADDR: processWords.HTTP_ADDR }, settings, { report });
  report.throwIfFaulty();
  return address === 'off' ? undefined : address;
}
