import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config, ServiceConfig } from '../../../src/config/config.ts';
import { formatAddress } from '../../../src/core/address.ts';
import { configure, type Input } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };

/** What is one word in a line. */
type Field = Exclude<keyof ServiceConfig, 'listeners' | 'candidates' | 'tls' | 'health' | 'register'>;

/** Services as one line each: name, listeners, candidates, then what the test asks for. */
function lines(config: Config, ...fields: readonly Field[]): readonly string[] {
  return config.services.map((service) => {
    const { candidates } = service;
    const from = service.listeners.map(formatAddress).join(',');
    const to =
      candidates.kind === 'static'
        ? candidates.addresses.map(formatAddress).join(',')
        : `discovered ${candidates.directory}`;
    return [service.name, from, to, ...fields.map((field) => String(service[field]))].join(' ');
  });
}

const right: readonly (readonly [
  condition: string,
  input: Input,
  services: readonly string[],
  fields?: readonly Field[],
])[] = [
  ['bare settings declare the service "default"', { env: ok }, ['default :16379 10.0.3.144:6379']],
  [
    'suffixed settings declare services in the order of their names',
    {
      env: {
        SRC_REDIS: ':16379',
        SRV_REDIS: '/srv/redis/debug',
        LB_REDIS: 'true',
        SRC_PG: '127.0.0.1:5432',
        DST_PG: 'pg1:5432, pg2:5432',
      },
    },
    ['pg 127.0.0.1:5432 pg1:5432,pg2:5432 ordered', 'redis :16379 discovered /srv/redis/debug round-robin'],
    ['balance'],
  ],
  [
    "ambd's JSON declares services in its own order",
    {
      env: {
        SERVICES:
          '[{"name":"cache","net":"tcp4","src":":6379","srv":"/srv/redis/cache"},{"name":"db","src":":27017","dst":["m1:27017","m2:27017"]}]',
      },
    },
    ['cache :6379 discovered /srv/redis/cache', 'db :27017 m1:27017,m2:27017'],
  ],
  [
    "ambd's range is a cluster's listeners, and its nulls say nothing",
    {
      env: {
        SERVICES:
          '[{"name":"mgo","net":"tcp","src":"","range":[":1",":2"],"dst":null,"srv":"srv/mgo/","tlsrole":"","tlscert":null}]',
      },
    },
    ['mgo :1,:2 discovered /srv/mgo tcp'],
    ['net'],
  ],
  [
    'every per-service setting works in lower case in SERVICES',
    {
      env: {
        SERVICES: JSON.stringify([
          {
            name: 'a',
            src: ':1',
            dst: 'a:1',
            net: 'tcp',
            lb: 1,
            balance: 'round-robin',
            connect_timeout: '1s',
            retries: 2,
            on_change: 'drain',
            on_change_timeout: '2s',
            reset_jitter: '3s',
            idle_timeout: '4s',
            half_close_timeout: '5s',
            keepalive: 0,
            max_connections: '6',
          },
        ]),
      },
    },
    ['a :1 a:1 tcp round-robin 1000 2 drain 2000 3000 4000 5000 0 6'],
    [
      'net',
      'balance',
      'connectTimeoutMs',
      'retries',
      'onChange',
      'onChangeTimeoutMs',
      'resetJitterMs',
      'idleTimeoutMs',
      'halfCloseTimeoutMs',
      'keepAliveMs',
      'maxConnections',
    ],
  ],
  [
    'all forms combine',
    {
      argv: ['--src-flag', ':1', '--dst-flag', 'a:1'],
      env: {
        ...ok,
        SRC_ENV: ':2',
        SRV_ENV: '/srv/env',
        SERVICES: '[{"name":"json","src":":3","dst":"a:3"}]',
        SERVICES_FILE: '/etc/services.json',
      },
      files: { '/etc/services.json': '[{"name":"file","src":":4","dst":"a:4"}]' },
    },
    ['default :16379 10.0.3.144:6379', 'env :2 discovered /srv/env', 'flag :1 a:1', 'json :3 a:3', 'file :4 a:4'],
  ],
  [
    "an underscore in a suffix is a dash in the service's name",
    { env: { SRC_REDIS_DEBUG: ':1', DST_REDIS_DEBUG: 'a:1', RETRIES_REDIS_DEBUG: '3' } },
    ['redis-debug :1 a:1 3'],
    ['retries'],
  ],
  [
    'a service may be called like the end of a setting',
    { env: { SRC_TIMEOUT: ':1', DST_TIMEOUT: 'a:1', CONNECT_TIMEOUT_TIMEOUT: '1s', CONNECT_TIMEOUT: '2s' } },
    ['timeout :1 a:1 1000'],
    ['connectTimeoutMs'],
  ],
  [
    'bare settings are defaults, and own settings win',
    {
      env: {
        SRC_A: ':1',
        DST_A: 'a:1',
        SRC_B: ':2',
        DST_B: 'b:1',
        CONNECT_TIMEOUT: '1s',
        CONNECT_TIMEOUT_B: '2s',
        SERVICES: '[{"name":"c","src":":3","dst":"c:1","connect_timeout":"3s"}]',
      },
    },
    ['a :1 a:1 1000', 'b :2 b:1 2000', 'c :3 c:1 3000'],
    ['connectTimeoutMs'],
  ],
  [
    'a variable reaches a service that SERVICES declares',
    { env: { SERVICES: '[{"name":"cache","src":":1","dst":"a:1"}]', LB_CACHE: 'true' } },
    ['cache :1 a:1 round-robin'],
    ['balance'],
  ],
  [
    'settings said twice alike are said once',
    { env: { SERVICES: '[{"name":"cache","src":":1","dst":"a:1","net":"tcp"}]', NET_CACHE: 'tcp' } },
    ['cache :1 a:1 tcp'],
    ['net'],
  ],
  [
    "the bare service may have its own settings beside everyone's",
    { env: { ...ok, SRC_A: ':1', DST_A: 'a:1', RETRIES: '1', RETRIES_DEFAULT: '2' } },
    ['default :16379 10.0.3.144:6379 2', 'a :1 a:1 1'],
    ['retries'],
  ],
  [
    "a service's own BALANCE wins over a default LB",
    { env: { SRC_A: ':1', DST_A: 'a:1', SRC_B: ':2', DST_B: 'b:1', LB: 'true', BALANCE_B: 'ordered' } },
    ['a :1 a:1 round-robin', 'b :2 b:1 ordered'],
    ['balance'],
  ],
  [
    'LB and BALANCE that agree are no contradiction',
    { env: { ...ok, LB: 'yes', BALANCE: 'round-robin' } },
    ['default :16379 10.0.3.144:6379 round-robin'],
    ['balance'],
  ],
  [
    'flags win over the environment',
    {
      argv: ['--src', ':1', '--net=tcp', '--retries-default', '4'],
      env: { ...ok, NET: 'tcp6', RETRIES_DEFAULT: '9' },
    },
    ['default :1 10.0.3.144:6379 tcp 4'],
    ['net', 'retries'],
  ],
  [
    'a flag wins over a listed service',
    {
      argv: ['--retries-cache', '4'],
      env: { SERVICES: '[{"name":"cache","src":":1","dst":"a:1","retries":1,"net":"tcp"}]' },
    },
    ['cache :1 a:1 4 tcp'],
    ['retries', 'net'],
  ],
  [
    'repeated flags are one list',
    { argv: ['--src', ':1', '--src', ':2', '--src=:3,:4', '--dst=a:1,b:1', '--dst', 'c:1', '--dst', 'd:1'] },
    ['default :1,:2,:3,:4 a:1,b:1,c:1,d:1'],
  ],
  [
    'a boolean flag alone is true, wherever it stands',
    { argv: ['--lb', '--src', ':1', '--dst', 'a:1'] },
    ['default :1 a:1 round-robin'],
    ['balance'],
  ],
  [
    'a boolean flag takes a boolean that follows it',
    { argv: ['--src', ':1', '--dst', 'a:1', '--lb', 'off'] },
    ['default :1 a:1 ordered'],
    ['balance'],
  ],
  [
    'addresses of every form are accepted',
    {
      env: {
        SRC: 'unix:/run/app.sock,[::1]:1,127.0.0.1:2,localhost:3,:4',
        DST: ':1,h:1,10.0.3.144:1,[fd00::1]:1,unix:/s',
      },
    },
    ['default unix:/run/app.sock,[::1]:1,127.0.0.1:2,localhost:3,:4 localhost:1,h:1,10.0.3.144:1,[fd00::1]:1,unix:/s'],
  ],
  [
    'the URL that a Docker link injects is accepted as an address',
    { env: { SRC: 'tcp://0.0.0.0:1', DST: 'tcp://172.17.0.5:6379' } },
    ['default 0.0.0.0:1 172.17.0.5:6379'],
  ],
  ['port 0 may come again and again', { env: { SRC: ':0,:0', DST: 'a:1,b:1' } }, ['default :0,:0 a:1,b:1']],
  [
    'one port may serve both families separately',
    { env: { SRC_A: ':1', DST_A: 'a:1', SRC_B: ':1', DST_B: 'b:1', NET_B: 'tcp6' } },
    ['a :1 a:1', 'b :1 b:1'],
  ],
  [
    'one port may be used on two interfaces',
    { env: { SRC_A: '127.0.0.1:1', DST_A: 'a:1', SRC_B: '127.0.0.2:1', DST_B: 'b:1' } },
    ['a 127.0.0.1:1 a:1', 'b 127.0.0.2:1 b:1'],
  ],
];

for (const [condition, input, services, fields = []] of right) {
  test(condition, () => {
    const config = configure(input);
    assert.deepEqual(lines(config, ...fields), services);
    assert.deepEqual(config.warnings, []);
  });
}

test('what is not set has its documented default', () => {
  const { services, ...rest } = configure({ env: ok });
  assert.deepEqual(services, [
    {
      name: 'default',
      origin: 'SRC',
      net: 'tcp4',
      listeners: [{ kind: 'tcp', host: '', port: 16379 }],
      candidates: { kind: 'static', addresses: [{ kind: 'tcp', host: '10.0.3.144', port: 6379 }] },
      balance: 'ordered',
      connectTimeoutMs: 5_000,
      retries: 0,
      maxFails: 3,
      failTimeoutMs: 10_000,
      holdTimeoutMs: 0,
      health: undefined,
      register: undefined,
      onChange: 'reset',
      onChangeTimeoutMs: 30_000,
      resetJitterMs: 0,
      idleTimeoutMs: 0,
      halfCloseTimeoutMs: 60_000,
      maxLifetimeMs: 0,
      keepAliveMs: 30_000,
      maxConnections: 0,
      socketMode: 0o666,
      proxyProtocol: 'off',
      acceptProxyProtocol: false,
      tls: { mode: 'off' },
    },
  ]);
  assert.deepEqual(rest, {
    discovery: {
      backend: {
        kind: 'etcd',
        endpoints: ['http://127.0.0.1:2379'],
        username: undefined,
        password: undefined,
        caCertPath: undefined,
        certPath: undefined,
        keyPath: undefined,
      },
      onFailure: 'keep',
      maxMembers: 10_000,
      stateFile: undefined,
      allow: [],
    },
    httpAddress: { kind: 'tcp', host: '', port: 29091 },
    adminAddress: { kind: 'tcp', host: '127.0.0.1', port: 29092 },
    socketMode: 0o666,
    adminSocketMode: 0o600,
    probeAddress: undefined,
    httpAllowHosts: [],
    readyMinCandidates: 0,
    drainDelayMs: 0,
    shutdownTimeoutMs: 30_000,
    maxMemory: 'auto',
    engine: 'auto',
    log: { level: 'info', format: 'json', access: true },
    servicesKey: undefined,
    runTime: { allowPaths: [], allowListen: [] },
    warnings: [],
  });
});

test("the settings of a service's trust under load are read", () => {
  const env = {
    ...ok,
    BALANCE: 'least-connections',
    MAX_FAILS: '5',
    FAIL_TIMEOUT: '1m',
    HOLD_TIMEOUT: '15s',
    MAX_LIFETIME: '1h',
    PROXY_PROTOCOL: 'v2',
    ACCEPT_PROXY_PROTOCOL: 'yes',
  };
  const [service] = configure({ env }).services;
  assert.ok(service);
  const { balance, maxFails, failTimeoutMs, holdTimeoutMs, maxLifetimeMs, proxyProtocol, acceptProxyProtocol } =
    service;
  assert.deepEqual(
    { balance, maxFails, failTimeoutMs, holdTimeoutMs, maxLifetimeMs, proxyProtocol, acceptProxyProtocol },
    {
      balance: 'least-connections',
      maxFails: 5,
      failTimeoutMs: 60_000,
      holdTimeoutMs: 15_000,
      maxLifetimeMs: 3_600_000,
      proxyProtocol: 'v2',
      acceptProxyProtocol: true,
    },
  );
});

test('process-wide settings are read', () => {
  const config = configure({
    env: {
      ...ok,
      DSC: 'https://etcd0:2379, HTTPS://[::1]:2379/',
      ETCD_USERNAME: 'root',
      ETCD_PASSWORD_FILE: '/run/secrets/etcd',
      ETCDCTL_CACERT: '/ca.pem',
      ETCD_CERT: '/cert.pem',
      ETCDCTL_CERT: '/cert.pem',
      ETCDCTL_KEY: '/key.pem',
      DISCOVERY_ON_FAILURE: 'clear',
      STATE_FILE: '/var/lib/attache/sets',
      DISCOVERY_ALLOW: '10.0.0.0/8, fd00::/8',
      HTTP_ADDR: 'off',
      ADMIN_ADDR: 'OFF',
      PROBE_ADDR: 'unix:/run/attache/probe',
      HTTP_ALLOW_HOSTS: 'Metrics.example.com, *.corp.example.',
      READY_MIN_CANDIDATES: '2',
      DRAIN_DELAY: '1m30s',
      SHUTDOWN_TIMEOUT: '500ms',
      ENGINE: 'typescript',
      LOG_LEVEL: 'WARNING',
      LOG_FORMAT: 'pretty',
      ACCESS_LOG: 'No',
    },
    files: { '/run/secrets/etcd': ' pass@@setting\r\n' },
  });
  assert.deepEqual(config.discovery, {
    backend: {
      kind: 'etcd',
      endpoints: ['https://etcd0:2379', 'https://[::1]:2379'],
      username: 'root',
      password: ' pass@@setting',
      caCertPath: '/ca.pem',
      certPath: '/cert.pem',
      keyPath: '/key.pem',
    },
    onFailure: 'clear',
    maxMembers: 10_000,
    stateFile: '/var/lib/attache/sets',
    allow: ['10.0.0.0/8', 'fd00::/8'],
  });
  assert.equal(config.httpAddress, undefined);
  assert.equal(config.adminAddress, undefined);
  assert.deepEqual(config.probeAddress, { kind: 'unix', path: '/run/attache/probe' });
  assert.deepEqual(config.httpAllowHosts, ['metrics.example.com', '*.corp.example']);
  assert.equal(config.readyMinCandidates, 2);
  assert.equal(config.drainDelayMs, 90_000);
  assert.equal(config.shutdownTimeoutMs, 500);
  assert.equal(config.engine, 'typescript');
  assert.deepEqual(config.log, { level: 'warn', format: 'pretty', access: false });
  assert.deepEqual(config.warnings, ['STATE_FILE: not used, as DISCOVERY_ON_FAILURE is clear']);
});

test("etcdctl's user may hold the password, colons included", () => {
  const { backend } = configure({ env: { ...ok, ETCDCTL_USER: 'root:hunter:2' } }).discovery;
  assert.ok(backend.kind === 'etcd');
  assert.deepEqual([backend.username, backend.password], ['root', 'hunter:2']);
});

test('a flag for a secret wins over its file in the environment, which is not read', () => {
  const env = { ...ok, ETCD_USERNAME: 'root', ETCD_PASSWORD_FILE: '/gone' };
  const { backend } = configure({ argv: ['--etcd-password=hunter2'], env }).discovery;
  assert.ok(backend.kind === 'etcd');
  assert.equal(backend.password, 'hunter2');
});

test('a directory is a backend', () => {
  const directory = (DSC: string): unknown => configure({ env: { ...ok, DSC } }).discovery.backend;
  assert.deepEqual(directory('file:///srv/registry/'), { kind: 'directory', root: '/srv/registry' });
  assert.deepEqual(directory('file:///my%20dir'), { kind: 'directory', root: '/my dir' });
});

for (const [level, meant] of [
  ['debug', 'debug'],
  ['Warn', 'warn'],
  ['FATAL', 'fatal'],
  ['silent', 'silent'],
] as const) {
  test(`LOG_LEVEL=${level} is ${meant}`, () => {
    assert.equal(configure({ env: { ...ok, LOG_LEVEL: level } }).log.level, meant);
  });
}

test('a configuration is frozen all the way down', () => {
  const config = configure({ env: { ...ok, SRC_A: ':1', SRV_A: '/a', DISCOVERY_ALLOW: '10.0.0.0/8' } });
  const parts: unknown[] = [config];
  for (const part of parts) {
    if (typeof part !== 'object' || part === null) continue;
    assert.ok(Object.isFrozen(part), JSON.stringify(part));
    parts.push(...(Object.values(part) as unknown[]));
  }
  assert.ok(parts.length > 40);
});
