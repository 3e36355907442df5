import type { LookupFunction } from 'node:net';
import type { Config } from '../config/config.ts';
import type { LoadOptions } from '../config/load.ts';
import { replaceServices } from '../config/replace-services.ts';
import type { Observer } from '../core/observer.ts';
import type { Resolver } from '../core/resolver.ts';
import { registryOf } from '../discovery/registries.ts';
import type { TextSource } from '../discovery/text-source.ts';
import { lookupBy } from '../names/lookup.ts';
import { FollowedKey } from './followed-key.ts';

export interface ServicesKeyParts {
  readonly resolver: Resolver;
  readonly observer: Observer;
  /** Where the configuration of the start was read: its defaults are those of the list, too. */
  readonly origins: Pick<LoadOptions, 'flags' | 'env'>;
}

/** What follows `SERVICES_KEY`; undefined without that setting. */
export function servicesKey(
  config: Config,
  { resolver, observer, origins }: ServicesKeyParts,
): FollowedKey | undefined {
  const { servicesKey: key, discovery } = config;
  if (key === undefined) return undefined;
  const { stateFile, onFailure } = discovery;
  return new FollowedKey({
    key,
    load: () => textSource(config, key, lookupBy(resolver)),
    // Under `clear` a registry that cannot be reached means nothing is known, at a start too.
    loadKept:
      stateFile === undefined || onFailure === 'clear'
        ? undefined
        : async () => {
            const { LastGoodList } = await import('../discovery/last-good/list-file.ts');
            return new LastGoodList({ path: `${stateFile}.services`, key, observer });
          },
    read: (json) => replaceServices({ ...origins, json, origin: 'SERVICES_KEY', start: config }),
  });
}

/** The text at a key of the registry that `DSC` names; not started. Rejects where it keeps no texts. */
export async function textSource(config: Config, key: string, lookup: LookupFunction): Promise<TextSource> {
  const { backend } = config.discovery;
  const { kind, loadText } = registryOf(backend);
  if (loadText === undefined) throw new TypeError(`no texts in ${kind}`);
  return (await loadText(backend))({ key, lookup });
}
