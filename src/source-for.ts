import type { Config, ServiceConfig } from './config/config.ts';
import { dialPolicy, type DialPolicy } from './core/dial-policy.ts';
import type { Observer } from './core/observer.ts';
import { lazySource } from './discovery/lazy.ts';
import type { CandidateSource } from './discovery/source.ts';
import { staticSource } from './discovery/static.ts';

/**
 * The source that each service's configuration asks for. What discovery needs is loaded when the first source that
 * needs it is started; one state file serves all services.
 */
export function sourcesOf(config: Config, observer: Observer): (service: ServiceConfig) => CandidateSource {
  const { backend, onFailure, allow } = config.discovery;
  const policy = dialPolicy(allow);
  const keeping = keepingOf(config, policy, observer);
  return ({ candidates }) => {
    if (candidates.kind === 'static') return staticSource(candidates.addresses);
    const { directory } = candidates;
    const shared = { directory, policy, onFailure };
    if (backend.kind === 'directory') {
      return lazySource(async () => {
        const { directorySource } = await import('./discovery/directory.ts');
        return keeping(directorySource({ ...shared, root: backend.root }), directory);
      });
    }
    return lazySource(async () => {
      const { etcdSource } = await import('./discovery/etcd.ts');
      return keeping(etcdSource({ ...shared, ...backend }), directory);
    });
  };
}

/** Puts the state file, where there is one, around the source of a service directory. */
type Keeping = (source: CandidateSource, directory: string) => CandidateSource | Promise<CandidateSource>;

function keepingOf({ services, discovery }: Config, policy: DialPolicy, observer: Observer): Keeping {
  const { stateFile: path, onFailure, backend } = discovery;
  // Under `clear` a backend that cannot be reached means no set, at a start too.
  if (path === undefined || onFailure === 'clear') return (source) => source;
  // Not the endpoints: a cluster that has moved is still the same registry.
  const keyOf = (directory: string) => `${backend.kind}:${directory}`;
  const keys = services.flatMap(({ candidates }) =>
    candidates.kind === 'discovered' ? [keyOf(candidates.directory)] : [],
  );
  const load = async () => {
    const [{ LastGoodFile }, { lastGoodSource }] = await Promise.all([
      import('./discovery/last-good-file.ts'),
      import('./discovery/last-good.ts'),
    ]);
    const file = new LastGoodFile({ path, keys, observer });
    return (source: CandidateSource, key: string) => lastGoodSource(source, { file, key, policy });
  };
  let loading: ReturnType<typeof load> | undefined;
  return async (source, directory) => {
    const keep = await (loading ??= load());
    return keep(source, keyOf(directory));
  };
}
