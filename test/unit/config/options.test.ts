import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions, type AmbassadorOptions, type ServiceOptions } from '../../../src/config/options.ts';
import type { processSettings } from '../../../src/config/table/process-settings.ts';
import type { serviceSettings } from '../../../src/config/table/service-settings.ts';
import { configure, reportOf } from './configure.ts';

/** The options of the library and the settings of the tables are the same: a compile-time check, both ways. */
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<Camel<Tail>>}`
  : Lowercase<S>;
type Built<W> = keyof W & string;
type Same<A, B> = [A, B] extends [B, A] ? true : false;
/** Those that hold or limit lists of services as JSON: the library takes objects. */
type OfLists = 'SERVICES_FILE' | 'SERVICES_KEY' | `CONFIG_ALLOW_${string}`;
const serviceOptionsAreTheSettings: Same<
  Exclude<keyof ServiceOptions, 'drainTimeout'>,
  'name' | Camel<Built<typeof serviceSettings>>
> = true;
const processOptionsAreTheSettings: Same<
  keyof AmbassadorOptions,
  'dsc' | Camel<Exclude<Built<typeof processSettings>, OfLists>>
> = true;

test('options of the library are the settings in camel case', () => {
  assert.deepEqual([serviceOptionsAreTheSettings, processOptionsAreTheSettings], [true, true]);
});

test('options come to the configuration that the same settings come to, but for addresses that are off', () => {
  const fromOptions = resolveOptions({
    services: [
      {
        name: 'redis',
        src: [':1', ':2'],
        srv: 'srv/redis',
        net: 'tcp',
        balance: 'round-robin',
        connectTimeout: '1m30s',
        idleTimeout: 1500,
        keepalive: 0,
        retries: 2,
      },
      { name: undefined, src: ':0', dst: 'a:1,b:1', lb: false, onChange: 'keep' },
    ],
    dsc: ['http://etcd0:2379', 'http://etcd1:2379'],
    etcdUsername: 'root',
    etcdPassword: 'hunter2',
    discoveryAllow: ['10.0.0.0/8'],
    drainDelay: 250,
    accessLog: false,
    logLevel: 'silent',
    httpAddr: undefined,
  });
  const fromSettings = configure({
    env: {
      SRC_REDIS: ':1,:2',
      SRV_REDIS: '/srv/redis',
      NET_REDIS: 'tcp',
      BALANCE_REDIS: 'round-robin',
      CONNECT_TIMEOUT_REDIS: '90s',
      IDLE_TIMEOUT_REDIS: '1s500ms',
      KEEPALIVE_REDIS: '0',
      RETRIES_REDIS: '2',
      SRC: ':0',
      DST: 'a:1,b:1',
      ON_CHANGE_DEFAULT: 'keep',
      DSC: 'http://etcd0:2379,http://etcd1:2379',
      ETCD_USERNAME: 'root',
      ETCD_PASSWORD: 'hunter2',
      DISCOVERY_ALLOW: '10.0.0.0/8',
      DRAIN_DELAY: '250ms',
      ACCESS_LOG: 'false',
      LOG_LEVEL: 'silent',
      HTTP_ADDR: 'off',
      ADMIN_ADDR: 'off',
    },
  });
  const [fallback, redis] = fromSettings.services;
  assert.deepEqual(fromOptions, {
    ...fromSettings,
    services: [
      { ...redis, origin: 'services[0]' },
      { ...fallback, origin: 'services[1]' },
    ],
  });
});

test('a library that asks for health endpoints gets them', () => {
  const { httpAddress, adminAddress } = resolveOptions({ services: [{ src: ':1', dst: 'a:1' }], httpAddr: ':0' });
  assert.deepEqual(httpAddress, { kind: 'tcp', host: '', port: 0 });
  assert.equal(adminAddress, undefined);
});

const ok = { src: ':1', dst: 'a:1' };

const wrong: readonly (readonly [condition: string, options: unknown, report: string])[] = [
  ['no options', undefined, 'options: expected an object, got undefined'],
  ['a text', 'SRC=:1', 'options: expected an object, got a string'],
  ['no services', {}, 'services: expected a list of services, got none'],
  ['an empty list', { services: [] }, 'services: expected at least one service, got none'],
  ['an object for the list', { services: ok }, 'services: expected a list of services, got an object'],
  ['null for a service', { services: [null] }, 'services[0]: expected an object, got null'],
  ['no src', { services: [{ dst: 'a:1' }] }, 'services[0].src: expected an address such as :6379, got none'],
  ['neither dst nor srv', { services: [{ src: ':1' }] }, 'services[0]: expected dst or srv, got neither'],
  [
    'dst and srv',
    { services: [{ ...ok, srv: '/srv/a' }] },
    'services[0].dst: expected services[0].dst or services[0].srv, got both',
  ],
  [
    'an empty list of candidates',
    { services: [{ src: ':1', dst: [] }] },
    'services[0].dst: expected a list of addresses, got an empty value',
  ],
  [
    'two services without names',
    { services: [ok, { src: ':2', dst: 'a:1' }] },
    'services[1].name: expected a name of its own, got "default", which services[0].name has',
  ],
  [
    'a fraction of a millisecond',
    { services: [{ ...ok, connectTimeout: 1.5 }] },
    'services[0].connectTimeout: expected a duration such as "5s", or whole milliseconds, got 1.5',
  ],
  [
    'a negative number of milliseconds',
    { services: [{ ...ok, idleTimeout: -1 }] },
    'services[0].idleTimeout: expected a duration such as "5s", or whole milliseconds, got -1',
  ],
  [
    'more milliseconds than a timer can wait',
    { services: [{ ...ok, idleTimeout: 2 ** 31 }] },
    'services[0].idleTimeout: expected a duration of at most 24 days, got "2147483648ms"',
  ],
  [
    'a duration without a unit',
    { services: [{ ...ok, connectTimeout: '30' }] },
    'services[0].connectTimeout: expected a duration with its unit (30s or 30ms?), got "30"',
  ],
  [
    'null for a setting',
    { services: [{ ...ok, net: null }] },
    'services[0].net: expected a string, a number or a boolean, got null',
  ],
  [
    'a key of the environment',
    { services: [{ ...ok, connect_timeout: '5s' }] },
    'services[0].connect_timeout: expected a setting of a service, got an unknown key; did you mean connectTimeout?',
  ],
  [
    'a misspelt option',
    { services: [ok], htpAddr: ':1' },
    'htpAddr: expected an option of an ambassador, got an unknown key; did you mean httpAddr?',
  ],
  [
    'one address for two',
    { services: [ok], adminAddr: ':1' },
    'services[0].src: expected an address of its own, got ":1", where adminAddr listens',
  ],
  [
    'a certificate without a key',
    { services: [ok], dsc: 'https://a:1', etcdCert: '/cert.pem' },
    'etcdCert: expected etcdKey beside it, got none',
  ],
  [
    'several at once',
    { services: [{ ...ok, lb: 'maybe', retries: -1 }], logLevel: 'loud', drainDelay: {} },
    [
      'drainDelay: expected a string, a number or a boolean, got an object',
      'logLevel: expected debug, info, warn, error, fatal or silent, got "loud"',
      'services[0].lb: expected true or false (also 1/0, yes/no, on/off), got "maybe"',
      'services[0].retries: expected a whole number, 0 or more, got "-1"',
    ].join('\n'),
  ],
];

for (const [condition, options, report] of wrong) {
  test(`the library refuses ${condition}, naming its path`, () => {
    assert.equal(
      reportOf(() => resolveOptions(options as AmbassadorOptions)),
      report,
    );
  });
}
