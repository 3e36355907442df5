import type { Net, OnChange } from '../config.ts';
import type { OnUnhealthy } from '../../core/health-check.ts';
import { candidateAddresses, listenAddresses, serviceInRegistry } from './address-kinds.ts';
import { balancePolicy, balanceSwitch } from './balance-kinds.ts';
import { escapedBytes, expectation, healthCheck } from './health-kinds.ts';
import { boolean, choice, count, duration, secret, userName } from './plain-kinds.ts';
import { registerSettings } from './register-settings.ts';
import { cipherSuites } from './cipher-kind.ts';
import { endpoints } from './endpoints.ts';
import { socketMode } from './socket-mode.ts';
import { materialFolder, materialOrigin, peerRules, serverName } from './tls-kinds.ts';
import type { ServiceField, SettingTable, Values } from './setting-spec.ts';

/** Settings that each service has for itself. One without a suffix is the default of every service; what declares one is not. */
export const serviceSettings = {
  /**
   * Where to listen; port 0 lets the system pick; several are cluster mode: listener n carries to candidate n.
   */
  SRC: {
    field: 'listeners',
    kind: listenAddresses,
    meaning:
      'Where clients connect: host:port, :port or unix:/path. Several addresses are cluster mode: listener n carries to candidate n',
  },
  /** Static candidates, tried in the order given; this or `srv`. */
  DST: {
    field: 'candidates.addresses',
    kind: candidateAddresses,
    meaning: 'Candidates by address, in the order in which an ordered service tries them. Set DST or SRV, not both',
  },
  /** Service directory in the registry, e.g. `/srv/redis/debug`; this or `dst`. */
  SRV: {
    field: 'candidates.directory',
    kind: serviceInRegistry,
    meaning:
      'Name of the service in the registry. etcd and file: a directory (/srv/redis/debug). dns: a name and port, or an SRV name. sentinel: the name of a primary',
  },
  /** The registry: etcd endpoints `http(s)://host:port`, one `file:///directory`, `dns://`, or `sentinel://host:port`; default `http://127.0.0.1:2379`, for a service the `dsc` beside `services`. */
  DSC: {
    field: 'candidates.registry',
    kind: endpoints,
    default: 'http://127.0.0.1:2379',
    meaning: 'The registry: etcd endpoints http(s)://host:port, one file:///directory, dns:// or sentinel://host:port',
    aliases: ['ETCDCTL_ENDPOINTS'],
  },
  /** `sentinel://`: whether the primary is the only candidate, or its replicas are the candidates; default `primary`. */
  SENTINEL_ROLE: {
    field: 'candidates.role',
    kind: choice({ choices: ['primary', 'replicas'] }),
    default: 'primary',
    meaning: 'For DSC=sentinel://: which servers are candidates, the primary or its replicas that are up',
  },
  /** Address family that names are looked up in; default `tcp4`. */
  NET: {
    field: 'net',
    kind: choice<Net>({
      choices: ['tcp4', 'tcp6', 'tcp'],
      elsewhere: { ipv4: 'tcp4', inet: 'tcp4', ipv6: 'tcp6', inet6: 'tcp6', dual: 'tcp' },
    }),
    default: 'tcp4',
    meaning: 'Address family for listening and for looking names up. tcp is both families',
  },
  /** True is `balance: 'round-robin'`, false is `'ordered'`. */
  LB: { kind: balanceSwitch, default: 'false', meaning: 'true is BALANCE=round-robin, false is BALANCE=ordered' },
  /** Which candidate a new connection tries first; default `ordered`. */
  BALANCE: {
    field: 'balance',
    kind: balancePolicy,
    default: 'ordered',
    meaning:
      'Which candidate is next. ordered: the first, then the second, and so on. random: the less busy of two that are drawn',
  },
  /** Time for one attempt at one candidate, and for the PROXY header and TLS handshake of a client; default 5 s. */
  CONNECT_TIMEOUT: {
    field: 'connectTimeoutMs',
    kind: duration,
    default: '5s',
    meaning: 'Time for one attempt at one candidate: all addresses of its name, TLS handshake included',
  },
  /** Further candidates a balanced connection may try; default 0. */
  RETRIES: {
    field: 'retries',
    kind: count,
    default: '0',
    meaning:
      'How many further candidates a connection may try in a balanced mode. An ordered service tries all candidates',
  },
  /** Connect failures in a row that eject a candidate, to be tried last; default 3, 0 is never. */
  MAX_FAILS: {
    field: 'maxFails',
    kind: count,
    default: '3',
    meaning:
      'Connect failures in a row that eject a candidate. An ejected candidate is tried last (ordered) or skipped. 0: never eject',
  },
  /** How long a candidate stays ejected; default 10 s, 0 is not at all. */
  FAIL_TIMEOUT: {
    field: 'failTimeoutMs',
    kind: duration,
    default: '10s',
    meaning:
      'How long a candidate stays ejected before one connection tries it, whether or not a probe has reached it. 0: never eject',
  },
  /** How long a new client is held, unread, while no candidate answers; default 0: it is closed at once. */
  HOLD_TIMEOUT: {
    field: 'holdTimeoutMs',
    kind: duration,
    default: '0',
    meaning: 'How long a new client waits while no candidate answers. 0: the client is closed at once',
  },
  /**
   * How candidates are asked whether they are well: `tcp`, `tls`, `redis`, `redis-primary`, `redis-replica`, `postgres`, or a
   * URL such as `http://:8008/primary`; default `off`.
   */
  HEALTH_CHECK: {
    field: 'health.check',
    kind: healthCheck,
    default: 'off',
    meaning:
      'How candidates are asked whether they are well: off, tcp, tls, redis, redis-primary, redis-replica, postgres, or a GET (http://:8008/primary)',
  },
  /** With `healthCheck` `tcp` or `tls`: bytes to send, with escapes such as `\\r\\n` and `\\x00`. */
  HEALTH_SEND: {
    field: 'health.check.send',
    kind: escapedBytes,
    meaning: 'For HEALTH_CHECK=tcp and tls: bytes to send, with escapes such as \\r\\n and \\x00',
  },
  /** With `healthCheck` `tcp` or `tls`: what the answer begins with, or a `/regexp/` found in its first 16 kB. */
  HEALTH_EXPECT: {
    field: 'health.check.expect',
    kind: expectation,
    meaning: 'For HEALTH_CHECK=tcp and tls: what the answer begins with, or a /regexp/ found in its first 16 kB',
  },
  /** User of a check of Redis, or of a GET. */
  HEALTH_USERNAME: {
    field: 'health.check.username',
    kind: userName,
    meaning: 'For HEALTH_CHECK=redis..., http and https: the user',
  },
  /** Password of `healthUsername`; Redis: of the default user without one. */
  HEALTH_PASSWORD: {
    field: 'health.check.password',
    kind: secret,
    meaning: 'Password of that user. Redis: AUTH. http and https: Basic',
  },
  /** Between two checks of one candidate, ±10%; default 2 s. */
  HEALTH_INTERVAL: {
    field: 'health.intervalMs',
    kind: duration,
    default: '2s',
    meaning:
      'Time between two checks of one candidate, ±10%. A quarter of that time while its state is about to change, or nobody has the role',
  },
  /** Time for one check, connecting included; default 1 s. */
  HEALTH_TIMEOUT: {
    field: 'health.timeoutMs',
    kind: duration,
    default: '1s',
    meaning: 'Time for one check, connecting included',
  },
  /** Failed checks in a row that make a candidate unhealthy; default 2. */
  HEALTH_FALL: {
    field: 'health.fall',
    kind: count,
    default: '2',
    meaning: 'Failed checks in a row that make a candidate unhealthy',
  },
  /** Good checks in a row that make it healthy again; default 1. */
  HEALTH_RISE: {
    field: 'health.rise',
    kind: count,
    default: '1',
    meaning: 'Good checks in a row that make a candidate healthy again',
  },
  /** What becomes of the connections of a candidate that turned unhealthy; default `reset` for roles and `http`, else `keep`. */
  ON_UNHEALTHY: {
    field: 'health.onUnhealthy',
    kind: choice<OnUnhealthy>({ choices: ['reset', 'drain', 'keep'] }),
    meaning:
      'What becomes of the connections of a candidate that turned unhealthy. drain: they end after ON_CHANGE_TIMEOUT. Without it: reset for checks of a role and http, keep for the others',
  },
  ...registerSettings,
  /** What a change of the candidate set does to open connections; default `reset`. */
  ON_CHANGE: {
    field: 'onChange',
    kind: choice<OnChange>({
      choices: ['reset', 'reset-removed', 'drain', 'keep'],
      elsewhere: { none: 'keep', off: 'keep', nothing: 'keep', ignore: 'keep', removed: 'reset-removed' },
    }),
    default: 'reset',
    meaning:
      'What a change of the candidate set does to established connections. reset: end all. reset-removed: end those to removed members. drain: end those to removed members after ON_CHANGE_TIMEOUT. keep: end none',
  },
  /** With `onChange: 'drain'`: how long connections to a removed candidate may go on; default 30 s. */
  ON_CHANGE_TIMEOUT: {
    field: 'onChangeTimeoutMs',
    kind: duration,
    default: '30s',
    meaning: 'For ON_CHANGE=drain: how long connections to removed members may go on',
    formerName: 'DRAIN_TIMEOUT',
  },
  /** Spreads resets evenly over this time; default 0: all at once. */
  RESET_JITTER: {
    field: 'resetJitterMs',
    kind: duration,
    default: '0',
    meaning: 'Spread resets evenly over this time',
  },
  /** Closes a connection on which no byte moved either way for this long; default 0: never. */
  IDLE_TIMEOUT: {
    field: 'idleTimeoutMs',
    kind: duration,
    default: '0',
    meaning: 'Close a connection on which no byte moved in either direction for this time. 0: never',
  },
  /** How long one direction may idle after the other has finished; default 60 s. */
  HALF_CLOSE_TIMEOUT: {
    field: 'halfCloseTimeoutMs',
    kind: duration,
    default: '60s',
    meaning: 'After one side has finished: close the connection when the other side sends nothing for this time',
  },
  /** Closes a connection after this time, ±10%; default 0: never. */
  MAX_LIFETIME: {
    field: 'maxLifetimeMs',
    kind: duration,
    default: '0',
    meaning:
      'Close a connection this long after its accept, ±10%, drawn for each connection. A quiet connection ends by FIN, one with a transfer under way by RST. 0: never',
  },
  /** Idle time before TCP keep-alive asks, on both sides; default 30 s. */
  KEEPALIVE: {
    field: 'keepAliveMs',
    kind: duration,
    default: '30s',
    meaning:
      'TCP keep-alive on both sides: after this silence the kernel asks whether the host lives. Bytes under way count with ENGINE=native only',
  },
  /** Connections that the service may have; further clients are closed at once; default 0: no limit. */
  MAX_CONNECTIONS: {
    field: 'maxConnections',
    kind: count,
    default: '0',
    meaning:
      'Connections that the service may have. attache closes further clients at once. Held clients and clients whose candidate is being dialed count. 0: no limit',
  },
  /** Mode of the files of its Unix sockets, a number such as 0o660 or a text; default 0666, within its folder's rights. */
  SOCKET_MODE: {
    field: 'socketMode',
    kind: socketMode,
    default: '0666',
    meaning:
      'Mode of the socket of SRC=unix:/path. A client also needs the right to enter its folder. Without a suffix it also counts for HTTP_ADDR=unix:/path',
  },
  /** Version of the PROXY header sent to the candidate; default `off`: none is sent. */
  PROXY_PROTOCOL: {
    field: 'proxyProtocol',
    kind: choice({ choices: ['off', 'v1', 'v2'], elsewhere: { '1': 'v1', '2': 'v2' } }),
    default: 'off',
    meaning: "Version of the PROXY header that tells a candidate the client's address",
  },
  /** Whether clients have to send a PROXY header, version 1 or 2; default false. */
  ACCEPT_PROXY_PROTOCOL: {
    field: 'acceptProxyProtocol',
    kind: boolean,
    default: 'false',
    meaning: 'true: every client must send a PROXY header (version 1 or 2) within CONNECT_TIMEOUT',
  },
  /** `client`: plain in, TLS out; `server`: TLS in, plain out; default `off`. */
  TLS_MODE: {
    field: 'tls.mode',
    kind: choice({ choices: ['off', 'client', 'server'] }),
    default: 'off',
    meaning: 'client: plain in, TLS out. server: TLS in, plain out. The commands tls-client and tls-server set it',
    spellings: ['tlsrole'],
  },
  /** Directory or `s3://bucket/prefix` holding `ca.pem`, `cert.pem` and `key.pem`. */
  TLS_CERTPATH: {
    kind: materialFolder,
    meaning: 'Directory or s3://bucket/prefix with ca.pem, cert.pem and key.pem',
    aliases: ['GO_PROXY_CERTPATH'],
    spellings: ['tlscertpath'],
  },
  /** CA certificates that peers are checked against: a path, `file://` or `s3://`; wins over `tlsCertpath`. */
  TLS_CACERT: {
    field: 'tls.origins.ca',
    kind: materialOrigin,
    meaning: 'CA certificates: path, file:// or s3://',
    aliases: ['GO_PROXY_CA'],
    spellings: ['tlscacert'],
  },
  /** The own certificate, followed by its chain: a path, `file://` or `s3://`; wins over `tlsCertpath`. */
  TLS_CERT: {
    field: 'tls.origins.cert',
    kind: materialOrigin,
    meaning: 'Certificate: path, file:// or s3://',
    aliases: ['GO_PROXY_CERT'],
    spellings: ['tlscert'],
  },
  /** Private key of `tlsCert`, without a passphrase: a path, `file://` or `s3://`; wins over `tlsCertpath`. */
  TLS_KEY: {
    field: 'tls.origins.key',
    kind: materialOrigin,
    meaning: 'Private key: path, file:// or s3://',
    aliases: ['GO_PROXY_KEY'],
    spellings: ['tlskey'],
  },
  /** Client mode: sent as SNI and checked in the server's certificate; default: the candidate's host. */
  TLS_SERVER_NAME: {
    field: 'tls.serverName',
    kind: serverName,
    meaning:
      "Client mode: the name that attache sends as SNI and checks in the candidate's certificate. Without it: the candidate's host",
  },
  /** Peers that speak only older versions are refused; default `TLSv1.2`. */
  TLS_MIN_VERSION: {
    field: 'tls.minVersion',
    kind: choice({
      choices: ['TLSv1.2', 'TLSv1.3'],
      elsewhere: { '1.2': 'TLSv1.2', 'tls1.2': 'TLSv1.2', '1.3': 'TLSv1.3', 'tls1.3': 'TLSv1.3' },
    }),
    default: 'TLSv1.2',
    meaning: 'Lowest TLS version',
  },
  /** Cipher suites by the names of OpenSSL; default: ECDHE with AES-GCM or ChaCha20-Poly1305, and those of TLS 1.3. */
  TLS_CIPHERS: {
    field: 'tls.ciphers',
    kind: cipherSuites,
    meaning:
      "Cipher suites by OpenSSL's names. A TLS version without a named suite keeps its default: ECDHE with AES-GCM or ChaCha20-Poly1305, and the suites of TLS 1.3",
  },
  /** Whether a TLS peer that closes TCP without close_notify counts as cut off; default false. */
  TLS_STRICT_CLOSE: {
    field: 'tls.strictClose',
    kind: boolean,
    default: 'false',
    meaning:
      'true: a TLS peer that closes TCP without close_notify was cut off, and attache resets the other side. false: the peer has finished, and the access line says unclean',
  },
  /** How often the material is read again; default 1 min. */
  TLS_RELOAD: {
    field: 'tls.reloadMs',
    kind: duration,
    default: '1m',
    meaning: 'How often attache reads TLS material again. SIGHUP does the same at once. 0: only on SIGHUP',
  },
  /** Server mode: whether clients must show a certificate; default `require`. */
  TLS_CLIENT_AUTH: {
    field: 'tls.clientAuth',
    kind: choice({ choices: ['require', 'none'] }),
    default: 'require',
    meaning: 'Server mode: whether a client must show a certificate',
  },
  /**
   * Server mode: names of the clients to let in, e.g. `dns:api.internal`; default: every client with a valid
   * certificate.
   */
  TLS_ALLOW: {
    field: 'tls.allow',
    kind: peerRules,
    meaning:
      'Server mode: names of the clients to let in, e.g. dns:api.internal,dns:*.prod.internal,uri:spiffe://prod/web,ip:10.0.0.7,cn:web. * is one DNS label. Without it: every client with a valid certificate',
    refusesEmpty: 'leave it out to let in everybody with a certificate that is good',
  },
} as const satisfies SettingTable<ServiceField>;

export type ServiceValues = Values<typeof serviceSettings>;

/** Those of them that say what a service is, and so are no defaults of others. */
export const declaringSettings = ['SRC', 'DST', 'SRV', 'REGISTER', 'REGISTER_ADDRESS'] as const;
