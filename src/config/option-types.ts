// Written by `npm run docs` from the tables of settings: do not edit.
import type { AddressesOption, DurationOption } from './table/option-values.ts';
import type { Balance, LogLevel, Net } from './config.ts';
import type { OnChange } from './../core/on-change.ts';
import type { OnUnhealthy } from './../core/health-check.ts';

/** One service: where it listens, and the candidates it carries connections to. */
export interface ServiceOptions {
  /** Name in events, status and metrics; must differ between services; default `default`. */
  readonly name?: string | undefined;
  /**
   * Where to listen; port 0 lets the system pick; several are cluster mode: listener n carries to candidate n.
   */
  readonly src: AddressesOption;
  /** Static candidates, tried in the order given; this or `srv`. */
  readonly dst?: AddressesOption | undefined;
  /** Service directory in the registry, e.g. `/srv/redis/debug`; this or `dst`. */
  readonly srv?: string | undefined;
  /** The registry: etcd endpoints `http(s)://host:port`, one `file:///directory`, `dns://`, or `sentinel://host:port`; default `http://127.0.0.1:2379`, for a service the `dsc` beside `services`. */
  readonly dsc?: string | readonly string[] | undefined;
  /** `sentinel://`: whether the primary is the only candidate, or its replicas are the candidates; default `primary`. */
  readonly sentinelRole?: 'primary' | 'replicas' | undefined;
  /** Address family that names are looked up in; default `tcp4`. */
  readonly net?: Net | undefined;
  /** True is `balance: 'round-robin'`, false is `'ordered'`. */
  readonly lb?: boolean | undefined;
  /** Which candidate a new connection tries first; default `ordered`. */
  readonly balance?: Balance | undefined;
  /** Time for one attempt at one candidate, and for the PROXY header and TLS handshake of a client; default 5 s. */
  readonly connectTimeout?: DurationOption | undefined;
  /** Further candidates a balanced connection may try; default 0. */
  readonly retries?: number | undefined;
  /** Connect failures in a row that eject a candidate, to be tried last; default 3, 0 is never. */
  readonly maxFails?: number | undefined;
  /** How long a candidate stays ejected; default 10 s, 0 is not at all. */
  readonly failTimeout?: DurationOption | undefined;
  /** How long a new client is held, unread, while no candidate answers; default 0: it is closed at once. */
  readonly holdTimeout?: DurationOption | undefined;
  /**
   * How candidates are asked whether they are well: `tcp`, `tls`, `redis`, `redis-primary`, `redis-replica`, `postgres`, or a
   * URL such as `http://:8008/primary`; default `off`.
   */
  readonly healthCheck?: string | undefined;
  /** With `healthCheck` `tcp` or `tls`: bytes to send, with escapes such as `\\r\\n` and `\\x00`. */
  readonly healthSend?: string | undefined;
  /** With `healthCheck` `tcp` or `tls`: what the answer begins with, or a `/regexp/` found in its first 16 kB. */
  readonly healthExpect?: string | undefined;
  /** User of a check of Redis, or of a GET. */
  readonly healthUsername?: string | undefined;
  /** Password of `healthUsername`; Redis: of the default user without one. */
  readonly healthPassword?: string | undefined;
  /** Between two checks of one candidate, ±10%; default 2 s. */
  readonly healthInterval?: DurationOption | undefined;
  /** Time for one check, connecting included; default 1 s. */
  readonly healthTimeout?: DurationOption | undefined;
  /** Failed checks in a row that make a candidate unhealthy; default 2. */
  readonly healthFall?: number | undefined;
  /** Good checks in a row that make it healthy again; default 1. */
  readonly healthRise?: number | undefined;
  /** What becomes of the connections of a candidate that turned unhealthy; default `reset` for roles and `http`, else `keep`. */
  readonly onUnhealthy?: OnUnhealthy | undefined;
  /** What a change of the candidate set does to open connections; default `reset`. */
  readonly onChange?: OnChange | undefined;
  /** With `onChange: 'drain'`: how long connections to a removed candidate may go on; default 30 s. */
  readonly onChangeTimeout?: DurationOption | undefined;
  /** The former name of `onChangeTimeout`. */
  readonly drainTimeout?: DurationOption | undefined;
  /** Spreads resets evenly over this time; default 0: all at once. */
  readonly resetJitter?: DurationOption | undefined;
  /** Closes a connection on which no byte moved either way for this long; default 0: never. */
  readonly idleTimeout?: DurationOption | undefined;
  /** How long one direction may idle after the other has finished; default 60 s. */
  readonly halfCloseTimeout?: DurationOption | undefined;
  /** Closes a connection after this time, ±10%; default 0: never. */
  readonly maxLifetime?: DurationOption | undefined;
  /** Idle time before TCP keep-alive asks, on both sides; default 30 s. */
  readonly keepalive?: DurationOption | undefined;
  /** Connections that the service may have; further clients are closed at once; default 0: no limit. */
  readonly maxConnections?: number | undefined;
  /** Mode of the files of its Unix sockets, a number such as 0o660 or a text; default 0666, within its folder's rights. */
  readonly socketMode?: string | number | undefined;
  /** Version of the PROXY header sent to the candidate; default `off`: none is sent. */
  readonly proxyProtocol?: 'off' | 'v1' | 'v2' | undefined;
  /** Whether clients have to send a PROXY header, version 1 or 2; default false. */
  readonly acceptProxyProtocol?: boolean | undefined;
  /** `client`: plain in, TLS out; `server`: TLS in, plain out; default `off`. */
  readonly tlsMode?: 'off' | 'client' | 'server' | undefined;
  /** Directory or `s3://bucket/prefix` holding `ca.pem`, `cert.pem` and `key.pem`. */
  readonly tlsCertpath?: string | undefined;
  /** CA certificates that peers are checked against: a path, `file://` or `s3://`; wins over `tlsCertpath`. */
  readonly tlsCacert?: string | undefined;
  /** The own certificate, followed by its chain: a path, `file://` or `s3://`; wins over `tlsCertpath`. */
  readonly tlsCert?: string | undefined;
  /** Private key of `tlsCert`, without a passphrase: a path, `file://` or `s3://`; wins over `tlsCertpath`. */
  readonly tlsKey?: string | undefined;
  /** Client mode: sent as SNI and checked in the server's certificate; default: the candidate's host. */
  readonly tlsServerName?: string | undefined;
  /** Peers that speak only older versions are refused; default `TLSv1.2`. */
  readonly tlsMinVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** Cipher suites by the names of OpenSSL; default: ECDHE with AES-GCM or ChaCha20-Poly1305, and those of TLS 1.3. */
  readonly tlsCiphers?: string | readonly string[] | undefined;
  /** Whether a TLS peer that closes TCP without close_notify counts as cut off; default false. */
  readonly tlsStrictClose?: boolean | undefined;
  /** How often the material is read again; default 1 min. */
  readonly tlsReload?: DurationOption | undefined;
  /** Server mode: whether clients must show a certificate; default `require`. */
  readonly tlsClientAuth?: 'require' | 'none' | undefined;
  /**
   * Server mode: names of the clients to let in, e.g. `dns:api.internal`; default: every client with a valid
   * certificate.
   */
  readonly tlsAllow?: string | readonly string[] | undefined;
  /**
   * Directories of the registry in which the service registers itself, e.g. `/srv/redis/debug`, while its first candidate is
   * healthy; default: none.
   */
  readonly register?: string | readonly string[] | undefined;
  /** What others are to dial: `10.0.1.134:6379` or `:6379`; default: the own address towards the registry, with the port of `src`. */
  readonly registerAddress?: string | undefined;
  /** How long a registration outlives this process, whole seconds; default 10 s. */
  readonly registerTtl?: DurationOption | undefined;
  /** The share of traffic beside other members; default: none is written, which counts as 1. */
  readonly registerWeight?: number | undefined;
  /** Lower ones are used first; default: none is written, which counts as 0. */
  readonly registerPriority?: number | undefined;
  /** The zone that is shown to people; default: none. */
  readonly registerZone?: string | undefined;
  /** How long the first candidate has to be healthy before it is registered; default 0. */
  readonly registerDelay?: DurationOption | undefined;
}

/** The configuration of an ambassador as an object: the settings of the environment in camel case. */
export interface AmbassadorOptions {
  /** At least one. */
  readonly services: readonly ServiceOptions[];
  /** The registry: etcd endpoints `http(s)://host:port`, one `file:///directory`, `dns://`, or `sentinel://host:port`; default `http://127.0.0.1:2379`, for a service the `dsc` beside `services`. */
  readonly dsc?: string | readonly string[] | undefined;
  /** Whether the last set stays (`keep`) or goes (`clear`) while the registry cannot be reached; default `keep`. */
  readonly discoveryOnFailure?: 'keep' | 'clear' | undefined;
  /**
   * Only discovered addresses inside these CIDR blocks, or at this `ip:port`, are dialed; default: all except
   * link-local, metadata, multicast, unspecified and own addresses.
   */
  readonly discoveryAllow?: string | readonly string[] | undefined;
  /** Most members of a service directory; with more, the last good set stays; default 10,000; 0: no limit. */
  readonly maxMembers?: number | undefined;
  /** File that keeps the last good sets, for a start while the registry is down; default: none. */
  readonly stateFile?: string | undefined;
  /** `dns://`: least time between two look-ups, whatever the records say; default 1 s. */
  readonly dnsMinInterval?: DurationOption | undefined;
  /** `dns://`: longest time between two look-ups, whatever the records say; default 30 s. */
  readonly dnsMaxInterval?: DurationOption | undefined;
  /** User at Sentinels, together with `sentinelPassword`; default: the default user. */
  readonly sentinelUsername?: string | undefined;
  /** Password at Sentinels; no message shows it. */
  readonly sentinelPassword?: string | undefined;
  /** Whether Sentinels are asked over TLS; default false. */
  readonly sentinelTls?: boolean | undefined;
  /** Path of a PEM file with the CA certificates that sign for Sentinels; default: those that Node trusts. */
  readonly sentinelCacert?: string | undefined;
  /** Path of the client certificate shown to Sentinels, together with `sentinelKey`; default: none is shown. */
  readonly sentinelCert?: string | undefined;
  /** Path of the private key of `sentinelCert`. */
  readonly sentinelKey?: string | undefined;
  /** User at etcd, together with `etcdPassword`; default: none. */
  readonly etcdUsername?: string | undefined;
  /** Password of `etcdUsername`; no message shows it. */
  readonly etcdPassword?: string | undefined;
  /** Path of a PEM file with the CA certificates that sign for etcd; default: those that gRPC trusts. */
  readonly etcdCacert?: string | undefined;
  /** Path of the client certificate shown to etcd, together with `etcdKey`; default: none is shown. */
  readonly etcdCert?: string | undefined;
  /** Path of the private key of `etcdCert`. */
  readonly etcdKey?: string | undefined;
  /** Where the program answers health and status; default `off`: the library opens no HTTP server. */
  readonly httpAddr?: string | undefined;
  /** Where the program answers calls that change something; default `off`: the library opens no HTTP server. */
  readonly adminAddr?: string | undefined;
  /** Mode of the file of `adminAddr`, where that is a Unix socket; default 0600. */
  readonly adminSocketMode?: string | number | undefined;
  /** Where the program answers only probes; default `off`: the library opens no HTTP server. */
  readonly probeAddr?: string | undefined;
  /** Names, or `*.suffix`, under which `httpAddr` answers besides IP addresses, `localhost`, names without dots and those of a cluster. */
  readonly httpAllowHosts?: string | readonly string[] | undefined;
  /** Candidates that a service needs for `/readyz` of the program; default 0: the library does not use it. */
  readonly readyMinCandidates?: number | undefined;
  /** How long `close()` still accepts clients before the listeners close; default 0. */
  readonly drainDelay?: DurationOption | undefined;
  /** How long `close()` lets open connections finish before they are cut; default 30 s, 0: without limit. */
  readonly shutdownTimeout?: DurationOption | undefined;
  /**
   * Memory of the process, e.g. `192Mi`; close to it, attache closes new clients; default `auto`: the container's
   * limit; `off`.
   */
  readonly maxMemory?: string | undefined;
  /** Which engine carries bytes; default `auto`: the native one where it works. */
  readonly engine?: 'auto' | 'native' | 'typescript' | undefined;
  /** Has no effect any more. */
  readonly directIo?: 'off' | 'auto' | 'on' | undefined;
  /** Lowest level that the program logs; default `info`: the library writes no log. */
  readonly logLevel?: LogLevel | undefined;
  /** How a log line of the program looks; default `json`: the library writes no log. */
  readonly logFormat?: 'json' | 'pretty' | undefined;
  /** Whether the program logs a line for each connection; default true: the library writes no log. */
  readonly accessLog?: boolean | undefined;
}
