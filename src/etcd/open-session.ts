import type { LookupFunction } from 'node:net';
import { openEtcdClient, type EtcdClient } from './client.ts';
import { readTlsMaterial, type EtcdEndpoint, type EtcdTlsPaths } from './endpoint.ts';
import type { EtcdLibrary } from './library.ts';
import { preflight } from './preflight.ts';
import type { EtcdTiming } from './timing.ts';

export interface OpenSessionOptions {
  readonly library: EtcdLibrary;
  readonly endpoint: EtcdEndpoint;
  readonly tlsPaths: EtcdTlsPaths;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly timing: EtcdTiming;
  readonly lookup: LookupFunction;
  /** Its abort closes the client: a call that is waited for ends. */
  readonly signal: AbortSignal;
}

/**
 * Asks whether the endpoint speaks, connects, and logs in.
 *
 * @param opened gets the client before the log-in, so that it can be closed whatever follows
 * @throws what the packages throw, an EtcdFault, or the signal's reason
 */
export async function openSession(
  options: OpenSessionOptions,
  opened: (client: EtcdClient) => void,
): Promise<EtcdClient> {
  const { endpoint, timing, lookup, signal } = options;
  const tls = await readTlsMaterial(endpoint, options.tlsPaths);
  const ip = await preflight({ endpoint, tls, lookup, timeoutMs: timing.preflightMs, signal });
  signal.throwIfAborted();
  const client = openEtcdClient({ ...options, ip, tls });
  opened(client);
  signal.addEventListener('abort', () => client.close(), { once: true });
  await client.login();
  return client;
}
