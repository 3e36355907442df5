import type { LookupFunction } from 'node:net';
import type { Config, ServiceConfig } from '../config/config.ts';
import type { LoadOptions } from '../config/load.ts';
import { replaceServices } from '../config/replace-services.ts';
import { visible } from '../core/visible.ts';
import type { FoundText } from '../discovery/text-source.ts';
import { faultsOf } from './followed-services.ts';
import { textSource } from './services-key.ts';

/** For all endpoints of a registry together. */
const REGISTRY_MS = 10_000;

export interface KeyParts {
  readonly lookup: LookupFunction;
  /** Where the configuration was read: its defaults are those of the list, too. */
  readonly origins: Pick<LoadOptions, 'flags' | 'env'>;
}

/** What the key of `SERVICES_KEY` says, judged as the list of a running attache. */
export interface ListOnce {
  /** `SERVICES_KEY /attache/web`. */
  readonly what: string;
  /** Empty when the list cannot be used. */
  readonly services: readonly ServiceConfig[];
  readonly ok: boolean;
  /** What it holds, or each thing that is wrong; at least one. */
  readonly says: readonly string[];
}

/** Reads the key of `SERVICES_KEY` once; undefined without that setting. Never rejects. */
export async function listOnce(config: Config, { lookup, origins }: KeyParts): Promise<ListOnce | undefined> {
  const { servicesKey: key } = config;
  if (key === undefined) return undefined;
  const what = `SERVICES_KEY ${visible(key)}`;
  const failed = (says: readonly string[]): ListOnce => ({ what, services: [], ok: false, says });
  try {
    const { text, revision } = await readOnce(config, key, lookup);
    if (text === undefined) return failed(['there is no such key: put the list, or [] for no service']);
    const services = await replaceServices({ ...origins, json: text, origin: 'SERVICES_KEY', start: config });
    const count = services.length === 1 ? '1 service' : `${services.length} services`;
    return { what, services, ok: true, says: [revision === undefined ? count : `${count}, revision ${revision}`] };
  } catch (error) {
    return failed(faultsOf(error));
  }
}

/** @throws Error why the registry has not answered */
async function readOnce(config: Config, key: string, lookup: LookupFunction): Promise<FoundText> {
  const source = await textSource(config, key, lookup);
  let why = `no answer within ${REGISTRY_MS / 1000} s`;
  let limit: NodeJS.Timeout | undefined;
  try {
    return await new Promise<FoundText>((resolve, reject) => {
      limit = setTimeout(() => reject(new Error(why)), REGISTRY_MS);
      source.start({
        found: resolve,
        state: (state) => {
          if (state.status !== 'synced' && state.error !== undefined) why = state.error;
        },
      });
    });
  } finally {
    clearTimeout(limit);
    await source.stop();
  }
}
