import type { Address } from '../core/address.ts';
import { cleanSettings } from './gather/clean.ts';
import type { Config, LogLevel } from './config.ts';
import { gather } from './gather/gather.ts';
import { noFlags, type Flags } from './gather/given-flags.ts';
import { givenBy } from './gather/raw-setting.ts';
import type { Environment } from './gather/injected.ts';
import type { Parsed } from './table/kind.ts';
import { unlessOff } from './table/address-kinds.ts';
import { processSettings } from './table/process-settings.ts';
import { Report } from './report.ts';
import { resolve } from './resolve/resolve.ts';
import { Settings } from './gather/setting.ts';
import { readSmallFile, type ReadFile } from './gather/small-file.ts';
import { readName } from './table/settings.ts';

/** Where {@link loadConfig} reads settings. */
export interface LoadOptions {
  /** Default: none. */
  readonly flags?: Flags;
  /** Usually `process.env`; names that are not a setting are ignored. */
  readonly env: Environment;
  /** Reads `SERVICES_FILE` and `*_FILE`; default: the file system, at most 1 MiB a file. */
  readonly readFile?: ReadFile;
}

/**
 * Reads flags, environment and the files that they name into one configuration, frozen at every level.
 *
 * @throws ConfigError with every fault there is
 */
export function loadConfig({ flags = noFlags, env, readFile = readSmallFile }: LoadOptions): Config {
  const report = new Report(flags.faults);
  return resolve(gather({ flags, env, readFile }, report), report);
}

/** The path of `SERVICES_FILE`; undefined when there is none. */
export function servicesFile({ flags = noFlags, env }: Pick<LoadOptions, 'flags' | 'env'>): string | undefined {
  const given = givenBy(flags.given, env, new Report());
  // Flags come first, and win.
  return given.find(({ name }) => readName(name)?.spec.name === 'SERVICES_FILE')?.text;
}

/** Where commands can ask. */
export type AskedAddress = 'HTTP_ADDR' | 'ADMIN_ADDR' | 'PROBE_ADDR';

/**
 * One address of the process alone, undefined when off: commands that ask a running attache run beside it, often without
 * the flags that declared its services, so nothing else may be asked for.
 *
 * @throws ConfigError
 */
export function loadAddress(
  name: AskedAddress,
  { flags = noFlags, env }: Pick<LoadOptions, 'flags' | 'env'>,
): Address | undefined {
  const report = new Report(flags.faults);
  const settings = new Settings(report);
  for (const { name: given, text, origin, fromFlag } of givenBy(flags.given, env, report)) {
    const reading = readName(given);
    if (reading?.kind !== 'setting' || reading.spec.name !== name) continue;
    settings.put({ spec: reading.spec, text, origin, fromFlag, isPath: false });
  }
  const { [name]: address } = cleanSettings(askedSpecs, settings, { report });
  report.throwIfFaulty();
  return unlessOff(address);
}

const askedSpecs = {
  HTTP_ADDR: processSettings.HTTP_ADDR,
  ADMIN_ADDR: processSettings.ADMIN_ADDR,
  PROBE_ADDR: processSettings.PROBE_ADDR,
};

/** `LOG_LEVEL` from a text of later. @returns the level, or what was expected in place of the text */
export function readLogLevel(text: string): Parsed<LogLevel> {
  return processSettings.LOG_LEVEL.kind.parse(text);
}
