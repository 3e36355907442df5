import type { LookupFunction } from 'node:net';
import type { CandidatesConfig, Config, DiscoveryConfig, ServiceConfig } from '../config/config.ts';
import type { DialPolicy } from '../core/dial-policy.ts';
import type { Observer } from '../core/observer.ts';
import { lazySource } from '../discovery/lazy.ts';
import { registryOf } from '../discovery/registries.ts';
import { SharedSources } from '../discovery/shared.ts';
import type { CandidateSource } from '../discovery/source.ts';
import { staticSource } from '../discovery/static.ts';

/** What all sources of a process share. */
export interface SourceParts {
  readonly observer: Observer;
  /** Looks names of registries up. */
  readonly lookup: LookupFunction;
  /** Of what a registry may name. */
  readonly policy: DialPolicy;
}

type Discovered = Extract<CandidatesConfig, { readonly kind: 'discovered' }>;

/**
 * The source that each service's configuration asks for. What discovery needs is loaded when the first source that
 * needs it is started. Services that follow the same share one source; one state file serves all services.
 */
export function sourcesOf(config: Config, parts: SourceParts): (service: ServiceConfig) => CandidateSource {
  const { observer, lookup, policy } = parts;
  const { onFailure, maxMembers } = config.discovery;
  const keeping = keepingOf(config, policy, observer);
  const shared = new SharedSources((error) => observer({ type: 'internal-error', where: 'discovery', error }));
  return (service) => {
    const { candidates, net } = service;
    if (candidates.kind === 'static') return staticSource(candidates.addresses);
    const { directory, role = 'primary' } = candidates;
    const registry = candidates.registry ?? config.discovery.backend;
    return lazySource(async () => {
      const sourceOf = await registryOf(registry).load(registry);
      // The others hold addresses, whatever family they are of.
      const looked = registry.kind === 'dns' || registry.kind === 'sentinel' ? net : undefined;
      const source = shared.get(JSON.stringify([registry, directory, looked, role]), () =>
        sourceOf({ directory, net, role, policy, onFailure, maxMembers, lookup }),
      );
      return keeping(source, keyOf(service, candidates, config.discovery));
    });
  };
}

/** Puts the state file, where there is one, around the source of a service. */
type Keeping = (source: CandidateSource, key: string) => CandidateSource | Promise<CandidateSource>;

function keepingOf({ services, discovery }: Config, policy: DialPolicy, observer: Observer): Keeping {
  const { stateFile: path, onFailure } = discovery;
  // Under `clear` a registry that cannot be reached means no set, at a start too.
  if (path === undefined || onFailure === 'clear') return (source) => source;
  const keys = services.flatMap((service) => {
    const { candidates } = service;
    return candidates.kind === 'discovered' ? [keyOf(service, candidates, discovery)] : [];
  });
  const load = async () => {
    const [{ LastGoodFile }, { lastGoodSource }] = await Promise.all([
      import('../discovery/last-good/file.ts'),
      import('../discovery/last-good/source.ts'),
    ]);
    const file = new LastGoodFile({ path, keys, observer });
    return (source: CandidateSource, key: string) => lastGoodSource(source, { file, key, policy });
  };
  let loading: ReturnType<typeof load> | undefined;
  return async (source, key) => {
    const keep = await (loading ??= load());
    return keep(source, key);
  };
}

/**
 * What identifies the set of a service in the state file. Not the endpoints: a cluster that has moved is still the same
 * registry. Two registries may hold the same directory, so a registry of its own goes by the service's name.
 */
function keyOf(
  { name, net }: ServiceConfig,
  { directory, registry: own, role = 'primary' }: Discovered,
  { backend }: DiscoveryConfig,
): string {
  const registry = own ?? backend;
  const variant = registryOf(registry).variant?.(registry, { net, role }) ?? '';
  return `${registry.kind}${own === undefined ? '' : `@${name}`}:${directory}${variant}`;
}
