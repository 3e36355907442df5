import { addressOrOff, cidrBlocks } from './address-kinds.ts';
import type { LogLevel } from '../config.ts';
import { hostNames } from './host-names.ts';
import { listenRules, materialPlaces, registryKey } from './run-time-kinds.ts';
import { memorySize } from './memory-size.ts';
import { boolean, choice, count, duration, path, secret, text, userName } from './plain-kinds.ts';
import { socketMode } from './socket-mode.ts';
import type { ProcessField, SettingTable, Values } from './setting-spec.ts';

/** Settings of which the process has one. */
export const processSettings = {
  SERVICES: {
    kind: text,
    meaning: 'JSON array of services: objects with name, src, dst or srv, and further settings in lower case',
  },
  SERVICES_FILE: { kind: path, meaning: 'Path of a file with that array. attache follows the file while it runs' },
  /** Key of the registry with that array, which the program follows; the library does not use it. */
  SERVICES_KEY: {
    field: 'servicesKey',
    kind: registryKey,
    meaning:
      'Key of the registry that DSC names, such as /attache/web, with that array. attache follows the key while it runs. No service is declared elsewhere then',
  },
  /** Folders of TLS files that a list of services at run time may name. */
  CONFIG_ALLOW_PATHS: {
    field: 'runTime.allowPaths',
    kind: materialPlaces,
    meaning:
      'Folders, and s3://bucket/prefix, with the TLS files that a list from SERVICES_KEY or PUT /services may name. Without it: the folders of the TLS settings without a suffix. What a link leads to counts',
  },
  /** Where a list of services at run time may listen. */
  CONFIG_ALLOW_LISTEN: {
    field: 'runTime.allowListen',
    kind: listenRules,
    meaning:
      'Where a list from SERVICES_KEY or PUT /services may listen: :16379, :16000-16999, 127.0.0.1:80, unix:/run/attache/. Without it: every port from 1024 on, and no Unix socket',
  },
  /** Whether the last set stays (`keep`) or goes (`clear`) while the registry cannot be reached; default `keep`. */
  DISCOVERY_ON_FAILURE: {
    field: 'discovery.onFailure',
    kind: choice({ choices: ['keep', 'clear'] }),
    default: 'keep',
    meaning: 'While the registry does not answer: keep the last set, or clear it',
  },
  /**
   * Only discovered addresses inside these CIDR blocks, or at this `ip:port`, are dialed; default: all except
   * link-local, metadata, multicast, unspecified and own addresses.
   */
  DISCOVERY_ALLOW: {
    field: 'discovery.allow',
    kind: cidrBlocks,
    meaning:
      "Dial only discovered addresses inside these CIDR blocks, or at this ip:port. Without it: all except link-local, metadata, multicast and unspecified addresses, and attache's own listeners",
    refusesEmpty: 'leave it out to allow every address that a registry may name',
  },
  /** Most members of a service directory; with more, the last good set stays; default 10,000; 0: no limit. */
  MAX_MEMBERS: {
    field: 'discovery.maxMembers',
    kind: count,
    default: '10000',
    meaning: 'Most members of a service directory. With more, attache keeps the last good set. 0: no limit',
  },
  /** File that keeps the last good sets, for a start while the registry is down; default: none. */
  STATE_FILE: {
    field: 'discovery.stateFile',
    kind: path,
    meaning: 'File for the last good sets. The next start uses them while the registry does not answer',
  },
  /** `dns://`: least time between two look-ups, whatever the records say; default 1 s. */
  DNS_MIN_INTERVAL: {
    field: 'discovery.backend.minIntervalMs',
    kind: duration,
    default: '1s',
    meaning: 'For DSC=dns://: least time between two look-ups, whatever the TTL of the records is',
  },
  /** `dns://`: longest time between two look-ups, whatever the records say; default 30 s. */
  DNS_MAX_INTERVAL: {
    field: 'discovery.backend.maxIntervalMs',
    kind: duration,
    default: '30s',
    meaning: 'For DSC=dns://: longest time between two look-ups, whatever the TTL of the records is',
  },
  /** User at Sentinels, together with `sentinelPassword`; default: the default user. */
  SENTINEL_USERNAME: {
    field: 'discovery.backend.sentinelUsername',
    kind: userName,
    meaning: 'For DSC=sentinel://: user for Sentinels',
  },
  /** Password at Sentinels; no message shows it. */
  SENTINEL_PASSWORD: {
    field: 'discovery.backend.sentinelPassword',
    kind: secret,
    meaning: 'Password of that user, or of the default user',
  },
  /** Whether Sentinels are asked over TLS; default false. */
  SENTINEL_TLS: {
    field: 'discovery.backend.sentinelTls',
    kind: boolean,
    default: 'false',
    meaning: 'For DSC=sentinel://: ask Sentinels over TLS',
  },
  /** Path of a PEM file with the CA certificates that sign for Sentinels; default: those that Node trusts. */
  SENTINEL_CACERT: {
    field: 'discovery.backend.sentinelCaCertPath',
    kind: path,
    meaning: 'CA certificates that verify Sentinels. Without it: those that Node trusts',
  },
  /** Path of the client certificate shown to Sentinels, together with `sentinelKey`; default: none is shown. */
  SENTINEL_CERT: {
    field: 'discovery.backend.sentinelCertPath',
    kind: path,
    meaning: 'Client certificate for Sentinels',
  },
  /** Path of the private key of `sentinelCert`. */
  SENTINEL_KEY: {
    field: 'discovery.backend.sentinelKeyPath',
    kind: path,
    meaning: 'Private key of that certificate',
  },
  /** User at etcd, together with `etcdPassword`; default: none. */
  ETCD_USERNAME: {
    field: 'discovery.backend.username',
    kind: userName,
    meaning: 'User for etcd',
    aliases: ['ETCDCTL_USER'],
  },
  /** Password of `etcdUsername`; no message shows it. */
  ETCD_PASSWORD: {
    field: 'discovery.backend.password',
    kind: secret,
    meaning: 'Password of that user',
    aliases: ['ETCDCTL_PASSWORD'],
  },
  /** Path of a PEM file with the CA certificates that sign for etcd; default: those that gRPC trusts. */
  ETCD_CACERT: {
    field: 'discovery.backend.caCertPath',
    kind: path,
    meaning: 'CA certificates that verify etcd',
    aliases: ['ETCDCTL_CACERT'],
  },
  /** Path of the client certificate shown to etcd, together with `etcdKey`; default: none is shown. */
  ETCD_CERT: {
    field: 'discovery.backend.certPath',
    kind: path,
    meaning: 'Client certificate for etcd',
    aliases: ['ETCDCTL_CERT'],
  },
  /** Path of the private key of `etcdCert`. */
  ETCD_KEY: {
    field: 'discovery.backend.keyPath',
    kind: path,
    meaning: 'Private key of that certificate',
    aliases: ['ETCDCTL_KEY'],
  },
  /** Where the program answers health and status; default `off`: the library opens no HTTP server. */
  HTTP_ADDR: {
    field: 'httpAddress',
    kind: addressOrOff,
    default: ':29091',
    meaning: 'Read-only HTTP: /healthz, /readyz, /metrics, /status, /connections and the status page /. off: none',
  },
  /** Where the program answers calls that change something; default `off`: the library opens no HTTP server. */
  ADMIN_ADDR: {
    field: 'adminAddress',
    kind: addressOrOff,
    default: '127.0.0.1:29092',
    meaning:
      'HTTP calls that change something: POST /quit, /reload, /drain, /undrain, /loglevel; PUT /services. off: none',
  },
  /** Mode of the file of `adminAddr`, where that is a Unix socket; default 0600. */
  ADMIN_SOCKET_MODE: {
    field: 'adminSocketMode',
    kind: socketMode,
    default: '0600',
    meaning: 'Mode of the socket of ADMIN_ADDR=unix:/path. SOCKET_MODE does not change it',
  },
  /** Where the program answers only probes; default `off`: the library opens no HTTP server. */
  PROBE_ADDR: {
    field: 'probeAddress',
    kind: addressOrOff,
    default: 'off',
    meaning:
      'A second listener for /healthz and /readyz, which other requests cannot keep busy. The commands healthcheck and wait use it. off: only HTTP_ADDR answers probes',
  },
  /** Names, or `*.suffix`, under which `httpAddr` answers besides IP addresses, `localhost`, names without dots and those of a cluster. */
  HTTP_ALLOW_HOSTS: {
    field: 'httpAllowHosts',
    kind: hostNames,
    meaning:
      "Further names, or *.suffix, under which HTTP_ADDR answers. It always answers under IP addresses, localhost, the machine's name, names without dots and cluster names",
  },
  /** Candidates that a service needs for `/readyz` of the program; default 0: the library does not use it. */
  READY_MIN_CANDIDATES: {
    field: 'readyMinCandidates',
    kind: count,
    default: '0',
    meaning: '/readyz answers 503 while a service has fewer candidates than this',
  },
  /** How long `close()` still accepts clients before the listeners close; default 0. */
  DRAIN_DELAY: {
    field: 'drainDelayMs',
    kind: duration,
    default: '0',
    meaning: 'After SIGTERM: how long attache still accepts clients while /readyz answers 503',
  },
  /** How long `close()` lets open connections finish before they are cut; default 30 s, 0: without limit. */
  SHUTDOWN_TIMEOUT: {
    field: 'shutdownTimeoutMs',
    kind: duration,
    default: '30s',
    meaning: 'How long open connections may take to finish after the listeners have closed. 0: no limit',
  },
  /**
   * Memory of the process, e.g. `192Mi`; close to it, attache closes new clients; default `auto`: the container's
   * limit; `off`.
   */
  MAX_MEMORY: {
    field: 'maxMemory',
    kind: memorySize,
    default: 'auto',
    meaning:
      'Memory of the process. Close to it, attache closes new clients at once. auto: the limit of the container. off: only the limit of the JavaScript heap counts',
  },
  /** Which engine carries bytes; default `auto`: the native one where it works. */
  ENGINE: {
    field: 'engine',
    kind: choice({ choices: ['auto', 'native', 'typescript'] }),
    default: 'auto',
    meaning:
      'What carries the bytes. native: a thread of C. typescript: JavaScript alone. auto: native where it works, else typescript; native says so with a warning then',
  },
  /** Has no effect any more. */
  DIRECT_IO: {
    kind: choice({ choices: ['auto', 'on', 'off'] }),
    meaning: 'No effect. Old versions could carry bytes through inner parts of Node',
    retired: 'it has no effect any more; remove it, and choose with ENGINE what carries the bytes',
  },
  /** Lowest level that the program logs; default `info`: the library writes no log. */
  LOG_LEVEL: {
    field: 'log.level',
    kind: choice<LogLevel>({
      choices: ['debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      synonyms: { warning: 'warn' },
      elsewhere: { trace: 'debug', verbose: 'debug', none: 'silent', off: 'silent', critical: 'fatal' },
      anyCase: true,
    }),
    default: 'info',
    meaning: 'Lowest level that is logged, in upper or lower case. warning is warn',
    spellings: ['loglevel'],
  },
  /** How a log line of the program looks; default `json`: the library writes no log. */
  LOG_FORMAT: {
    field: 'log.format',
    kind: choice({ choices: ['json', 'pretty'], elsewhere: { text: 'pretty', plain: 'pretty', console: 'pretty' } }),
    default: 'json',
    meaning: 'json: one object a line. pretty: for people',
  },
  /** Whether the program logs a line for each connection; default true: the library writes no log. */
  ACCESS_LOG: { field: 'log.access', kind: boolean, default: 'true', meaning: 'One line for each finished connection' },
} as const satisfies SettingTable<ProcessField>;

export type ProcessValues = Values<typeof processSettings>;
