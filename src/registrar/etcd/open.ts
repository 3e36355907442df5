import type { LookupFunction } from 'node:net';
import { parseEndpoint } from '../../etcd/endpoint.ts';
import { defaultEtcdTiming } from '../../etcd/timing.ts';
import { EtcdRegistrar } from './registrar.ts';

export interface EtcdPlace {
  /** `http://host:port` or `https://host:port`, one or more. */
  readonly endpoints: readonly string[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** PEM files for https endpoints, read for each session. */
  readonly caCertPath: string | undefined;
  readonly certPath: string | undefined;
  readonly keyPath: string | undefined;
}

export interface OpenOptions {
  readonly ttlMs: number;
  readonly lookup: LookupFunction;
}

/** A registrar with the usual waits. */
export function openEtcdRegistrar(place: EtcdPlace, options: OpenOptions): EtcdRegistrar {
  const { endpoints, username, password, ...tlsPaths } = place;
  return new EtcdRegistrar({
    endpoints: endpoints.map(parseEndpoint),
    tlsPaths,
    username,
    password,
    timing: defaultEtcdTiming,
    random: Math.random,
    ...options,
  });
}
