import type { Address } from '../core/address.ts';

/** A whole, valid, frozen configuration. Times are ms; 0 means off. */
export interface Config {
  readonly services: readonly ServiceConfig[];
  readonly discovery: DiscoveryConfig;
  /** Health endpoints; undefined when off. */
  readonly httpAddress: Address | undefined;
  /** Calls that change something; undefined when off. */
  readonly adminAddress: Address | undefined;
  readonly readyMinCandidates: number;
  readonly drainDelayMs: number;
  readonly shutdownTimeoutMs: number;
  readonly log: LogConfig;
  /** Faults that do not stop a start, e.g. a variable one edit away from one of ours. */
  readonly warnings: readonly string[];
}

export type Net = 'tcp4' | 'tcp6' | 'tcp';
export type Balance = 'ordered' | 'round-robin';
export type OnChange = 'reset' | 'reset-removed' | 'drain' | 'keep';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface ServiceConfig {
  readonly name: string;
  /** Where it was declared, for messages: `SRC_REDIS`, `--src`, `SERVICES[0]`, `services[0]`. */
  readonly origin: string;
  readonly net: Net;
  /** One, or several in cluster mode. */
  readonly listeners: readonly Address[];
  readonly candidates: CandidatesConfig;
  readonly balance: Balance;
  readonly connectTimeoutMs: number;
  readonly retries: number;
  readonly onChange: OnChange;
  readonly drainTimeoutMs: number;
  readonly resetJitterMs: number;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxConnections: number;
}

export type CandidatesConfig =
  | { readonly kind: 'static'; readonly addresses: readonly Address[] }
  | {
      readonly kind: 'discovered';
      /** Normalised: one leading slash, no trailing slash, e.g. `/srv/redis/debug`. */
      readonly directory: string;
    };

export interface DiscoveryConfig {
  readonly backend: DiscoveryBackend;
  readonly onFailure: 'keep' | 'clear';
  /** CIDR blocks as typed and checked, e.g. `10.0.0.0/8`; empty: everything but link-local. */
  readonly allow: readonly string[];
}

export type DiscoveryBackend =
  | {
      readonly kind: 'etcd';
      /** `http://host:port` or `https://host:port`, all of one scheme. */
      readonly endpoints: readonly string[];
      readonly username: string | undefined;
      readonly password: string | undefined;
      /** Paths of PEM files. */
      readonly caCertPath: string | undefined;
      readonly certPath: string | undefined;
      readonly keyPath: string | undefined;
    }
  | {
      readonly kind: 'directory';
      /** Absolute path. */
      readonly root: string;
    };

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  readonly access: boolean;
}
