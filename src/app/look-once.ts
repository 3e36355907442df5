import type { LookupFunction } from 'node:net';
import type { Config, ServiceConfig } from '../config/config.ts';
import type { DialPolicy } from '../core/dial-policy.ts';
import { toEndpoint, type Endpoint } from '../core/endpoint.ts';
import { visible } from '../core/visible.ts';
import type { DiscoveryBackend } from '../discovery/backends.ts';
import { registryOf } from '../discovery/registries.ts';
import { sourcesOf } from './sources.ts';

/** For all endpoints of a registry together. */
const REGISTRY_MS = 10_000;
/** Keys of a registry that are shown although they cannot be used. */
const MOST_IGNORED = 20;

export interface LookedUp {
  readonly members: readonly Endpoint[];
  /** Keys that are no usable addresses, with the reason. */
  readonly ignored: readonly string[];
  /** Why the registry has not answered; undefined: it has. */
  readonly error?: string;
}

/** The first whole set of a service's source, which is stopped then. Never rejects. */
export async function lookOnce(
  service: ServiceConfig,
  config: Config,
  { policy, lookup }: { readonly policy: DialPolicy; readonly lookup: LookupFunction },
): Promise<LookedUp> {
  // What was kept of before says nothing about the registry.
  const discovery = { ...config.discovery, stateFile: undefined };
  const source = sourcesOf({ ...config, discovery }, { observer: () => undefined, lookup, policy })(service);
  const seen: { members?: readonly Endpoint[]; isSynced: boolean; error?: string } = { isSynced: false };
  const ignored: string[] = [];
  await new Promise<void>((resolve) => {
    const limit = setTimeout(resolve, REGISTRY_MS);
    const settle = () => {
      if (!seen.isSynced || seen.members === undefined) return;
      clearTimeout(limit);
      // What it ignores is told right behind the set.
      setImmediate(resolve);
    };
    source.start({
      candidates(set) {
        seen.members = set.map(toEndpoint);
        settle();
      },
      state(state) {
        seen.isSynced = state.status === 'synced';
        if (state.status !== 'synced' && state.error !== undefined) seen.error = state.error;
        settle();
      },
      ignored(key, reason) {
        if (ignored.length < MOST_IGNORED) ignored.push(`${visible(key)}: ${reason}`);
      },
    });
  });
  await source.stop();
  const { members, isSynced, error } = seen;
  if (isSynced && members !== undefined) return { members, ignored };
  return { members: [], ignored, error: error ?? `no answer within ${REGISTRY_MS / 1000} s` };
}

/** A registry as `DSC` would say it. */
export function registryText(backend: DiscoveryBackend): string {
  return registryOf(backend).urls(backend).join(',');
}
