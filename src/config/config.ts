import type { Address, TcpAddress } from '../core/address.ts';
import type { HealthSettings } from '../core/health-check.ts';
import type { DiscoveryBackend } from '../discovery/backends.ts';
import type { MaterialOrigins } from '../core/material-origin.ts';
import type { PeerRule } from '../core/peer-rule.ts';
import type { OnChange } from '../core/on-change.ts';
import type { ListenRule } from './table/run-time-kinds.ts';

export type { DiscoveryBackend };

/** A whole, valid, frozen configuration. Times are ms; 0 means off. */
export interface Config {
  /** At least one service, each with its own name; none where `servicesKey` names the place that has them. */
  readonly services: readonly ServiceConfig[];
  /** The key of the registry whose list of services the program follows; undefined: none. */
  readonly servicesKey: string | undefined;
  /** Limits for lists of services that come at run time, by `servicesKey` or by a call. */
  readonly runTime: RunTimeConfig;
  /** The registry of services without their own registry, and the limits for what every registry may say. */
  readonly discovery: DiscoveryConfig;
  /** Where the program answers health and status; undefined when off. */
  readonly httpAddress: Address | undefined;
  /** Where the program answers calls that change something; undefined when off. */
  readonly adminAddress: Address | undefined;
  /** Mode of the file of `httpAddress`, where that is a Unix socket. */
  readonly socketMode: number;
  /** Mode of the file of `adminAddress`, where that is a Unix socket. */
  readonly adminSocketMode: number;
  /** Where the program answers only probes; undefined when off. */
  readonly probeAddress: Address | undefined;
  /** Further names, or `*.` with a suffix, in lower case, under which `httpAddress` answers. */
  readonly httpAllowHosts: readonly string[];
  /** Candidates that each service needs for `/readyz` of the program to answer 200. */
  readonly readyMinCandidates: number;
  /** How long a close still accepts clients before the listeners close, ms. */
  readonly drainDelayMs: number;
  /** How long a close lets open connections finish before they are cut; 0: without limit. */
  readonly shutdownTimeoutMs: number;
  /** Which engine carries bytes; `auto`: the native one where it works. */
  readonly engine: 'auto' | 'native' | 'typescript';
  /** Resident memory beyond which attache refuses clients, bytes; 0: no limit; `auto`: the container's limit. */
  readonly maxMemory: 'auto' | number;
  /** What the program logs; the library writes no log. */
  readonly log: LogConfig;
  /** Faults that do not stop a start, e.g. a variable whose name is one letter away from a setting. */
  readonly warnings: readonly string[];
}

/** Address family that names are looked up in: IPv4, IPv6, or both (`tcp`). */
export type Net = 'tcp4' | 'tcp6' | 'tcp';
/** Which candidate a new connection tries first; there is a policy for each. */
export type Balance = 'ordered' | 'round-robin' | 'least-connections' | 'random';
export type { OnChange };
/** Lowest level that is logged; `silent`: no line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** One service of a configuration. */
export interface ServiceConfig {
  /** Differs between services; `default` if none was given. */
  readonly name: string;
  /** Where the service was declared, for messages: `SRC_REDIS`, `--src`, `SERVICES[0]`, `services[0]`. */
  readonly origin: string;
  /** Family that names of candidates and listeners are looked up in. */
  readonly net: Net;
  /** One, or several in cluster mode; none on a service that only registers. */
  readonly listeners: readonly Address[];
  /** The fixed candidates, or the directory in the registry that names them. */
  readonly candidates: CandidatesConfig;
  /** Which candidate a new connection tries first. */
  readonly balance: Balance;
  /** Time for one attempt at one candidate, and for the PROXY header and TLS handshake of a client. */
  readonly connectTimeoutMs: number;
  /** Further candidates that a balanced connection may try; an `ordered` one tries all. */
  readonly retries: number;
  /** Connect failures in a row that eject a candidate; 0: never. */
  readonly maxFails: number;
  /** How long a candidate stays ejected; 0: none is ejected. */
  readonly failTimeoutMs: number;
  /** How long a new client is held, unread, while no candidate answers; 0: it is closed at once. */
  readonly holdTimeoutMs: number;
  /** How candidates are checked; undefined: not at all. */
  readonly health: HealthSettings | undefined;
  /** Where the service registers itself; undefined: nowhere. */
  readonly register: RegisterConfig | undefined;
  /** What a change of the candidate set does to open connections. */
  readonly onChange: OnChange;
  /** With `onChange` `drain`: how long connections to a removed candidate may go on. */
  readonly onChangeTimeoutMs: number;
  /** Resets are spread evenly over this time; 0: all at once. */
  readonly resetJitterMs: number;
  /** A connection on which no byte moved either way for this long is closed; 0: never. */
  readonly idleTimeoutMs: number;
  /** How long one direction may idle after the other has finished; 0: without limit. */
  readonly halfCloseTimeoutMs: number;
  /** A connection is closed after this time, ±10%; 0: never. */
  readonly maxLifetimeMs: number;
  /** Idle time before TCP keep-alive asks, on both sides; 0: it never asks. */
  readonly keepAliveMs: number;
  /** Connections that the service may have; further clients are closed at once; 0: no limit. */
  readonly maxConnections: number;
  /** Mode of the files of its Unix sockets. */
  readonly socketMode: number;
  /** Version of the PROXY header sent to candidates. */
  readonly proxyProtocol: 'off' | 'v1' | 'v2';
  /** Whether clients have to send a PROXY header. */
  readonly acceptProxyProtocol: boolean;
  /** Whether and how the service speaks TLS, and on which side. */
  readonly tls: TlsConfig;
}

/** `client`: plain in, TLS out; `server`: TLS in, plain out. */
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

/** Certificates and key of a service, and the rules of its TLS. */
export interface TlsMaterialConfig {
  /** Where the CA certificates, the own certificate and its key come from. */
  readonly origins: MaterialOrigins;
  /** Peers that speak only older versions are refused. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names of cipher suites; empty: the default ones. */
  readonly ciphers: readonly string[];
  /** A peer that closes TCP without close_notify counts as cut off. */
  readonly strictClose: boolean;
  /** How often the material is read again, ms; 0: only on request. */
  readonly reloadMs: number;
}

/** Where the candidates of a service come from: a fixed list, or a service in a registry. */
export type CandidatesConfig =
  | {
      readonly kind: 'static';
      readonly addresses: readonly Address[];
      /** They were named at run time, from outside: only what a registry may name is dialed. */
      readonly isRestricted?: true;
    }
  | {
      readonly kind: 'discovered';
      /** What `SRV` names, normalised: a directory has one leading slash and no trailing one, e.g. `/srv/redis/debug`. */
      readonly directory: string;
      /** The registry of this service alone; undefined: that of `discovery`. */
      readonly registry: DiscoveryBackend | undefined;
      /** The primary, or its replicas that are up; undefined: the registry knows no roles. */
      readonly role: 'primary' | 'replicas' | undefined;
    };

/** How a service registers itself, so that others find it. */
export interface RegisterConfig {
  /** Directories of the registry, normalised; at least one. */
  readonly directories: readonly string[];
  /** The registry of this service alone; undefined: that of `discovery`. */
  readonly registry: DiscoveryBackend | undefined;
  /** What others dial; an empty host is found on the route to the registry; undefined: the port is the listener's, too. */
  readonly address: TcpAddress | undefined;
  /** How long a registration outlives this process, ms, whole seconds. */
  readonly ttlMs: number;
  /** Its share of the traffic beside other members; undefined: none is written. */
  readonly weight: number | undefined;
  /** Members of a lower number are used first; undefined: none is written. */
  readonly priority: number | undefined;
  /** The zone that others see; undefined: none is written. */
  readonly zone: string | undefined;
  /** How long the first candidate has to be healthy first, ms. */
  readonly delayMs: number;
}

/** The registry, and the limits for what it may say. */
export interface DiscoveryConfig {
  /** Where members of services without a registry of their own are looked up. */
  readonly backend: DiscoveryBackend;
  /** Whether the last set stays in force (`keep`) or goes (`clear`) while the registry cannot be reached. */
  readonly onFailure: 'keep' | 'clear';
  /** A set with more members is ignored; 0: no limit. */
  readonly maxMembers: number;
  /** Where the last good sets are kept; undefined: nowhere. */
  readonly stateFile: string | undefined;
  /**
   * CIDR blocks, or addresses with a port, as typed and checked; empty: every address that a registry may name by
   * default.
   */
  readonly allow: readonly string[];
}

/** Limits for lists of services that come at run time. */
export interface RunTimeConfig {
  /** Absolute folders, and `s3://bucket/prefix/`, in which TLS material may be. */
  readonly allowPaths: readonly string[];
  /** Where services may listen; empty: on every port from 1024 on. */
  readonly allowListen: readonly ListenRule[];
}

/** What the program logs; the library writes no log. */
export interface LogConfig {
  /** Lowest level that is logged. */
  readonly level: LogLevel;
  /** How a log line looks. */
  readonly format: 'json' | 'pretty';
  /** Whether each finished connection is a line. */
  readonly access: boolean;
}
