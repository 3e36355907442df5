import { checkRegistryFiles } from '../config/check-registry-files.ts';
import type { Config } from '../config/config.ts';
import { formatMaterialOrigin, type MaterialOrigin } from '../core/material-origin.ts';
import { AttacheError, ConfigError, type ConfigFault } from '../core/errors.ts';
import { purposeOf } from './service-identity.ts';

/** What was opened, for `attache check`. */
export interface CheckedFiles {
  /** What was not opened, with the reason, a line each. */
  readonly left: readonly string[];
}

/**
 * Opens what the configuration will need and is on disk: certificates and keys of services, and those for registries. Each is
 * read and judged as at a start.
 *
 * @throws ConfigError with every file that is missing, or no good
 */
export async function checkFiles(config: Config): Promise<CheckedFiles> {
  const [outcomes, ofRegistries] = await Promise.all([
    Promise.all(config.services.map(checkService)),
    checkRegistryFiles(config),
  ]);
  const faults = [...outcomes.flatMap(({ faults: found }) => found), ...ofRegistries];
  if (faults.length > 0) throw new ConfigError(faults, config.warnings);
  return { left: outcomes.flatMap(({ left }) => left) };
}

interface Checked {
  readonly faults: readonly ConfigFault[];
  readonly left: readonly string[];
}

async function checkService(service: Config['services'][number]): Promise<Checked> {
  const { tls, origin } = service;
  if (tls.mode === 'off') return { faults: [], left: [] };
  const remote = Object.values<MaterialOrigin | undefined>(tls.origins).flatMap((one) =>
    one?.kind === 's3' ? [one] : [],
  );
  if (remote.length > 0) {
    // One part of a set says nothing without the others.
    return {
      faults: [],
      left: remote.map((one) => `${origin}: ${formatMaterialOrigin(one)} is in S3 and was not read`),
    };
  }
  const [{ materialSource }, { parseMaterial }] = await Promise.all([
    import('../identity/sources.ts'),
    import('../identity/parse-material.ts'),
  ]);
  const source = materialSource({ origins: tls.origins });
  try {
    parseMaterial({ purpose: purposeOf(tls), parts: await source.read(new AbortController().signal) });
    return { faults: [], left: [] };
  } catch (error) {
    if (!(error instanceof AttacheError)) throw error;
    return { faults: error.message.split('\n').map((message) => ({ setting: origin, message })), left: [] };
  } finally {
    source.stop();
  }
}
