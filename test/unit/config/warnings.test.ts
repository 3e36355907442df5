import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };
const redis = { SRC_REDIS: ':1', DST_REDIS: 'a:1' };

const warned: readonly (readonly [
  condition: string,
  env: Readonly<Record<string, string>>,
  warnings: readonly string[],
])[] = [
  [
    'a letter too few',
    { ...ok, CONECT_TIMEOUT: '1s' },
    ['CONECT_TIMEOUT: unknown and ignored; did you mean CONNECT_TIMEOUT?'],
  ],
  ['a letter too many', { ...ok, BALANCEE: 'x' }, ['BALANCEE: unknown and ignored; did you mean BALANCE?']],
  ['another letter', { ...ok, ON_CHANCE: 'x' }, ['ON_CHANCE: unknown and ignored; did you mean ON_CHANGE?']],
  ['two letters swapped', { ...ok, LOG_LEVLE: 'x' }, ['LOG_LEVLE: unknown and ignored; did you mean LOG_LEVEL?']],
  ['an underscore missing', { ...ok, LOGLEVEL: 'x' }, ['LOGLEVEL: unknown and ignored; did you mean LOG_LEVEL?']],
  [
    'a misspelt secret file',
    { ...ok, ETCD_PASWORD_FILE: '/x' },
    ['ETCD_PASWORD_FILE: unknown and ignored; did you mean ETCD_PASSWORD_FILE?'],
  ],
  [
    'a misspelt setting of a declared service',
    { ...redis, CONECT_TIMEOUT_REDIS: '1s' },
    ['CONECT_TIMEOUT_REDIS: unknown and ignored; did you mean CONNECT_TIMEOUT_REDIS?'],
  ],
  [
    'a short setting with letters swapped, of a declared service',
    { ...redis, SVR_REDIS: '/srv/x' },
    ['SVR_REDIS: unknown and ignored; did you mean SRV_REDIS?'],
  ],
  [
    "a plain setting with another program's suffix and value",
    { ...ok, NET_ADMIN: 'true' },
    ['NET_ADMIN: ignored: no service "admin", and the value is none that NET can have'],
  ],
  [
    "a build's folders",
    { ...ok, SRC_DIR: '/usr/src', DST_DIR: './out' },
    [
      'DST_DIR: ignored: no service "dir", and the value is none that DST can have',
      'SRC_DIR: ignored: no service "dir", and the value is none that SRC can have',
    ],
  ],
  [
    'a service whose name Kubernetes would inject',
    { ...ok, SRC_WEB_PORT: ':80,:81' },
    ['SRC_WEB_PORT: ignored: such names are left to Kubernetes and Docker; give the service another name'],
  ],
  [
    'fewer candidates than listeners',
    { SRC: ':1,:2,:3', DST: 'a:1,b:1' },
    ['SRC: 3 listeners, but 2 in DST: listeners beyond the last candidate do not listen'],
  ],
  [
    'fewer listeners than candidates in a cluster',
    { SRC: ':1,:2', DST: 'a:1,b:1,c:1' },
    ['SRC: 2 listeners, but 3 in DST: candidates beyond the last listener are never used'],
  ],
  [
    'TLS material for etcd without TLS',
    { ...ok, ETCD_CACERT: '/ca.pem' },
    ['ETCD_CACERT: not used, as DSC has no https:// endpoint'],
  ],
  [
    'a login for a directory',
    { ...ok, DSC: 'file:///srv', ETCDCTL_USER: 'root:hunter2' },
    ['ETCDCTL_USER: not used, as DSC is a directory'],
  ],
  [
    'a state file where an unreachable backend means no set',
    { ...ok, STATE_FILE: '/state/sets', DISCOVERY_ON_FAILURE: 'clear' },
    ['STATE_FILE: not used, as DISCOVERY_ON_FAILURE is clear'],
  ],
];

for (const [condition, env, warnings] of warned) {
  test(`${condition}: a warning, no fault`, () => {
    assert.deepEqual(configure({ env }).warnings, warnings);
  });
}

/** Names that other programs use, near to ours in one way or another. */
const others = {
  PATH: '/bin',
  HOME: '/root',
  SERVICE: 'web',
  HTTPS_ADDR: ':443',
  SSL_CERT: '/x',
  DB_REDIS: '0',
  GET_REDIS: '1',
  SET_REDIS: '1',
  SVR: '/x',
  DTS: 'x',
  DST_PORT: 'tcp://10.0.0.1:1',
  LOG: 'x',
  ETCD_CERT_FILE: '/etcd/server.pem',
  ETCD_TRUSTED_CA_FILE: '/etcd/ca.pem',
  ETCDCTL_API: '3',
  SRCS: 'a.c b.c',
  DSTROOT: '/x',
  LBS: '3',
  SOURCE: 'x',
  NETWORK: 'x',
  RETRY: '3',
};

test("other programs' variables are ignored without a setting", () => {
  assert.deepEqual(configure({ env: { ...redis, ...others } }).warnings, []);
});
