import { addressOrOff, cidrBlocks } from './address-kinds.ts';
import type { LogLevel } from './config.ts';
import { endpoints } from './endpoints.ts';
import { boolean, choice, count, duration, path, secret, text } from './plain-kinds.ts';
import type { Values, WordTable } from './word.ts';

/** Words of which the process has one. */
export const processWords = {
  SERVICES: { kind: text, meaning: 'JSON array of services, each an object with name, src, dst or srv, ...' },
  SERVICES_FILE: { kind: path, meaning: 'path of a file holding that JSON' },
  DSC: {
    kind: endpoints,
    default: 'http://127.0.0.1:2379',
    meaning: 'discovery: etcd endpoints http(s)://host:port, or one file:///directory',
    aliases: ['ETCDCTL_ENDPOINTS'],
  },
  ETCD_USERNAME: { kind: secret, meaning: 'etcd user', aliases: ['ETCDCTL_USER'] },
  ETCD_PASSWORD: { kind: secret, meaning: "etcd user's password", aliases: ['ETCDCTL_PASSWORD'] },
  ETCD_CACERT: { kind: path, meaning: 'CA certificates that sign for etcd', aliases: ['ETCDCTL_CACERT'] },
  ETCD_CERT: { kind: path, meaning: 'client certificate shown to etcd', aliases: ['ETCDCTL_CERT'] },
  ETCD_KEY: { kind: path, meaning: 'private key of that certificate', aliases: ['ETCDCTL_KEY'] },
  DISCOVERY_ON_FAILURE: {
    kind: choice({ choices: ['keep', 'clear'] }),
    default: 'keep',
    meaning: 'what becomes of the last set while the backend cannot be reached',
  },
  DISCOVERY_ALLOW: {
    kind: cidrBlocks,
    meaning: 'only discovered addresses inside these CIDR blocks are dialed; unset: all but link-local',
  },
  STATE_FILE: { kind: path, meaning: 'last good sets are kept here, for a start while the backend is down' },
  HTTP_ADDR: {
    kind: addressOrOff,
    default: ':29091',
    meaning: '/healthz, /readyz, /metrics, /status, /connections and the page at /, read-only; off turns it off',
  },
  ADMIN_ADDR: {
    kind: addressOrOff,
    default: '127.0.0.1:29092',
    meaning: 'calls that change something (POST /quit, /reload, /drain, /undrain, /loglevel); off turns it off',
  },
  READY_MIN_CANDIDATES: {
    kind: count,
    default: '0',
    meaning: 'services with fewer candidates make /readyz answer 503',
  },
  DRAIN_DELAY: { kind: duration, default: '0', meaning: 'after SIGTERM: not ready, yet accepting, for this long' },
  SHUTDOWN_TIMEOUT: {
    kind: duration,
    default: '30s',
    meaning: 'then listeners close, and connections may finish for at most this long',
  },
  DIRECT_IO: {
    kind: choice({ choices: ['auto', 'on', 'off'] }),
    default: 'auto',
    meaning:
      'carry bytes past the streams of sockets, by ways that Node does not document; auto: if a check at the start finds that they work',
  },
  LOG_LEVEL: {
    kind: choice<LogLevel>({
      choices: ['debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      synonyms: { warning: 'warn' },
      anyCase: true,
    }),
    default: 'info',
    meaning: 'least level that is logged, in any case; warning is warn',
    spellings: ['loglevel'],
  },
  LOG_FORMAT: { kind: choice({ choices: ['json', 'pretty'] }), default: 'json', meaning: 'how a log line looks' },
  ACCESS_LOG: { kind: boolean, default: 'true', meaning: 'one line for each finished connection' },
} as const satisfies WordTable;

export type ProcessValues = Values<typeof processWords>;
