import { lookup as nodeLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { DialPolicy } from '../../core/dial-policy.ts';
import { AttacheError } from '../../core/errors.ts';
import { parseEndpoint, type EtcdEndpoint } from '../../etcd/endpoint.ts';
import { defaultEtcdTiming, type EtcdTiming } from '../../etcd/timing.ts';

export interface EtcdSourceOptions {
  /** Service directory, e.g. `/srv/redis/debug`: its members are the keys right below it. */
  readonly directory: string;
  /** `http://host:port` or `https://host:port`, one or more. */
  readonly endpoints: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM files for https endpoints; without `caCertPath` the authorities that Node trusts. Read for each session. */
  readonly caCertPath?: string | undefined;
  readonly certPath?: string | undefined;
  readonly keyPath?: string | undefined;
  /** Which discovered addresses may be dialed. */
  readonly policy: DialPolicy;
  /** While no endpoint can be reached: `keep` the last set, or `clear` it. */
  readonly onFailure: 'keep' | 'clear';
  /** A directory with more members is not believed; default 0: no limit. */
  readonly maxMembers?: number;
  /** How long a backend that lost its data, and lists nothing, is not believed, ms. Default 30 s. */
  readonly regressGraceMs?: number;
  /** Looks endpoints up by name; default: Node's own way, one of whose few threads a dead name server takes. */
  readonly lookup?: LookupFunction;
  /** Shorter waits, for tests. */
  readonly timing?: Partial<EtcdTiming>;
  /** Uniform in [0, 1); replaced in tests. */
  readonly random?: () => number;
}

/** {@link EtcdSourceOptions} with the defaults filled in and the endpoints understood. */
export interface EtcdPlan extends Omit<Required<EtcdSourceOptions>, 'endpoints' | 'directory' | 'timing'> {
  /** The directory with a slash at its end, so that `/srv/a` does not hold the members of `/srv/ab`. */
  readonly prefix: string;
  readonly endpoints: readonly EtcdEndpoint[];
  readonly timing: EtcdTiming;
}

const REGRESS_GRACE_MS = 30_000;

/**
 * @throws AttacheError `config_invalid` when there is no endpoint, or one is not `http(s)://host:port`
 */
export function etcdPlan(options: EtcdSourceOptions): EtcdPlan {
  if (options.endpoints.length === 0) throw new AttacheError('config_invalid', 'discovery in etcd needs an endpoint');
  return {
    ...options,
    username: options.username,
    password: options.password,
    caCertPath: options.caCertPath,
    certPath: options.certPath,
    keyPath: options.keyPath,
    prefix: options.directory.endsWith('/') ? options.directory : `${options.directory}/`,
    endpoints: options.endpoints.map(parseEndpoint),
    maxMembers: options.maxMembers ?? 0,
    regressGraceMs: options.regressGraceMs ?? REGRESS_GRACE_MS,
    timing: { ...defaultEtcdTiming, ...options.timing },
    random: options.random ?? Math.random,
    lookup: options.lookup ?? nodeLookup,
  };
}
