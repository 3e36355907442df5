import { candidateAddresses, listenAddresses, serviceDirectory } from './address-kinds.ts';
import { boolean, choice, count, duration } from './plain-kinds.ts';
import { materialFolder, materialOrigin, peerRules, serverName } from './tls-kinds.ts';
import type { Values, WordTable } from './word.ts';

/** Words that each service has for itself. A bare one (but for SRC, DST and SRV) is the default of every service. */
export const serviceWords = {
  SRC: {
    kind: listenAddresses,
    meaning: 'listen address; several are cluster mode: the n-th listener is tied to the n-th candidate',
  },
  DST: { kind: candidateAddresses, meaning: 'static candidates, tried in the order given; DST or SRV, not both' },
  SRV: { kind: serviceDirectory, meaning: 'service directory in the discovery backend, e.g. /srv/redis/debug' },
  NET: {
    kind: choice({ choices: ['tcp4', 'tcp6', 'tcp'] }),
    default: 'tcp4',
    meaning: 'address family of listening and of name look-up; tcp is both',
  },
  LB: { kind: boolean, default: 'false', meaning: 'true is BALANCE=round-robin, false is BALANCE=ordered' },
  BALANCE: {
    kind: choice({ choices: ['ordered', 'round-robin', 'least-connections', 'random'] }),
    default: 'ordered',
    meaning: 'which candidate is next',
  },
  CONNECT_TIMEOUT: { kind: duration, default: '5s', meaning: 'time for one attempt at one candidate' },
  RETRIES: { kind: count, default: '0', meaning: 'further candidates a balanced (not ordered) connection may try' },
  MAX_FAILS: {
    kind: count,
    default: '3',
    meaning: 'connect failures in a row that set a candidate aside: tried last or skipped; 0 is never',
  },
  FAIL_TIMEOUT: { kind: duration, default: '10s', meaning: 'how long a candidate stays aside; 0 is not at all' },
  HOLD_TIMEOUT: {
    kind: duration,
    default: '0',
    meaning: 'how long a new client is held while no candidate answers',
  },
  ON_CHANGE: {
    kind: choice({ choices: ['reset', 'reset-removed', 'drain', 'keep'] }),
    default: 'reset',
    meaning: 'what a change of membership does to established connections',
  },
  DRAIN_TIMEOUT: {
    kind: duration,
    default: '30s',
    meaning: 'with ON_CHANGE=drain: how long connections to a removed member may go on',
  },
  RESET_JITTER: { kind: duration, default: '0', meaning: 'spread resets evenly over this time' },
  IDLE_TIMEOUT: { kind: duration, default: '0', meaning: 'close a connection on which no byte moved either way' },
  HALF_CLOSE_TIMEOUT: {
    kind: duration,
    default: '60s',
    meaning: 'how long one direction may idle after the other has finished',
  },
  MAX_LIFETIME: {
    kind: duration,
    default: '0',
    meaning: 'close a connection after this long, give or take 10%',
  },
  KEEPALIVE: { kind: duration, default: '30s', meaning: 'TCP keep-alive on both sides' },
  MAX_CONNECTIONS: { kind: count, default: '0', meaning: 'beyond it new clients are closed at once; 0 is no limit' },
  TLS_MODE: {
    kind: choice({ choices: ['off', 'client', 'server'] }),
    default: 'off',
    meaning: 'client: plain in, TLS out; server: TLS in, plain out',
    spellings: ['tlsrole'],
  },
  TLS_CERTPATH: {
    kind: materialFolder,
    meaning: 'directory or s3://bucket/prefix holding ca.pem, cert.pem and key.pem',
    aliases: ['GO_PROXY_CERTPATH'],
    spellings: ['tlscertpath'],
  },
  TLS_CACERT: {
    kind: materialOrigin,
    meaning: 'CA certificates: path, file:// or s3://',
    aliases: ['GO_PROXY_CA'],
    spellings: ['tlscacert'],
  },
  TLS_CERT: {
    kind: materialOrigin,
    meaning: 'certificate: path, file:// or s3://',
    aliases: ['GO_PROXY_CERT'],
    spellings: ['tlscert'],
  },
  TLS_KEY: {
    kind: materialOrigin,
    meaning: 'private key: path, file:// or s3://',
    aliases: ['GO_PROXY_KEY'],
    spellings: ['tlskey'],
  },
  TLS_SERVER_NAME: {
    kind: serverName,
    meaning: "client mode: name sent as SNI and checked in the server's certificate; default: the candidate's host",
  },
  TLS_MIN_VERSION: {
    kind: choice({ choices: ['TLSv1.2', 'TLSv1.3'] }),
    default: 'TLSv1.2',
    meaning: 'lowest protocol version',
  },
  TLS_CLIENT_AUTH: {
    kind: choice({ choices: ['require', 'none'] }),
    default: 'require',
    meaning: 'server mode: whether clients must show a certificate',
  },
  TLS_ALLOW: {
    kind: peerRules,
    meaning:
      'server mode: peer identities let in, e.g. dns:api.internal,uri:spiffe://prod/web,cn:web; * is one DNS label; default: any',
  },
  TLS_RELOAD: { kind: duration, default: '1m', meaning: 'how often TLS material is read again' },
  PROXY_PROTOCOL: {
    kind: choice({ choices: ['off', 'v1', 'v2'] }),
    default: 'off',
    meaning: 'header sent to the candidate',
  },
  ACCEPT_PROXY_PROTOCOL: {
    kind: boolean,
    default: 'false',
    meaning: 'expect a v1 or v2 header from clients',
  },
} as const satisfies WordTable;

export type ServiceValues = Values<typeof serviceWords>;

/** Those of them that say what a service is, and so are no defaults of others. */
export const declaringWords = ['SRC', 'DST', 'SRV'] as const;
