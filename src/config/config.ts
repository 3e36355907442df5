import type { Address } from '../core/address.ts';
import type { MaterialOrigins } from '../core/material-origin.ts';
import type { PeerRule } from '../core/peer-rule.ts';

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
  /** Whether bytes are carried by ways that Node does not document; `auto`: if a check finds that they work. */
  readonly directIo: 'auto' | 'on' | 'off';
  readonly log: LogConfig;
  /** Faults that do not stop a start, e.g. a variable one edit away from one of ours. */
  readonly warnings: readonly string[];
}

export type Net = 'tcp4' | 'tcp6' | 'tcp';
export type Balance = 'ordered' | 'round-robin' | 'least-connections' | 'random';
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
  /** Connect failures in a row that set a candidate aside; 0: never. */
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  readonly holdTimeoutMs: number;
  readonly onChange: OnChange;
  readonly drainTimeoutMs: number;
  readonly resetJitterMs: number;
  readonly idleTimeoutMs: number;
  readonly halfCloseTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly keepAliveMs: number;
  readonly maxConnections: number;
  /** The header sent to candidates. */
  readonly proxyProtocol: 'off' | 'v1' | 'v2';
  /** Whether clients have to send such a header. */
  readonly acceptProxyProtocol: boolean;
  readonly tls: TlsConfig;
}

/** `client`: plain in, TLS out. `server`: TLS in, plain out. */
export type TlsConfig =
  | { readonly mode: 'off' }
  | (TlsMaterialConfig & {
      readonly mode: 'client';
      /** Sent as SNI and checked in the certificate; undefined: the candidate's host. */
      readonly serverName: string | undefined;
    })
  | (TlsMaterialConfig & {
      readonly mode: 'server';
      readonly clientAuth: 'require' | 'none';
      /** Whom to let in; empty: everybody whose certificate is good. */
      readonly allow: readonly PeerRule[];
    });

export interface TlsMaterialConfig {
  readonly origins: MaterialOrigins;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** How often it is read again, ms; 0: only when asked to. */
  readonly reloadMs: number;
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
  /** Where the last good sets are kept; undefined: nowhere. */
  readonly stateFile: string | undefined;
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
