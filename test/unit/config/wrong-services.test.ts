import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure, reportOf, type Input } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };

function json(...services: readonly unknown[]): string {
  return JSON.stringify(services);
}

const wrong: readonly (readonly [condition: string, input: Input, report: string])[] = [
  // declaring
  [
    'nothing at all',
    {},
    'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
  ],
  [
    'an empty list of services',
    { env: { SERVICES: '[]' } },
    'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
  ],
  [
    'a misspelt variable that held the services',
    { env: { SERVICE_FILE: '/etc/services.json' } },
    [
      'SRC: expected a service, got none; declare one by SRC=:16379 DST=10.0.3.144:6379 or by SRC=:16379 SRV=/srv/redis/debug',
      'warning: SERVICE_FILE: unknown and ignored; did you mean SERVICES_FILE?',
    ].join('\n'),
  ],
  ['neither DST nor SRV', { env: { SRC: ':1' } }, 'SRC: expected DST or SRV, got neither'],
  [
    'neither DST nor SRV for a suffixed service',
    { env: { SRC_PG: ':1' } },
    'SRC_PG: expected DST_PG or SRV_PG, got neither',
  ],
  ['neither --dst nor --srv', { argv: ['--src', ':1'] }, '--src: expected --dst or --srv, got neither'],
  ['DST and SRV', { env: { ...ok, SRV: '/srv/a' } }, 'DST: expected DST or SRV, got both'],
  ['DST in the environment and --srv', { argv: ['--srv', '/srv/a'], env: ok }, 'DST: expected DST or --srv, got both'],
  [
    'DST and SRV of a suffixed service',
    { env: { SRC_PG: ':1', DST_PG: 'a:1', SRV_PG: '/srv/a' } },
    'DST_PG: expected DST_PG or SRV_PG, got both',
  ],
  ['DST without SRC', { env: { DST: 'a:1' } }, 'DST: expected SRC beside it, got none'],
  ['--srv without --src', { argv: ['--srv', '/srv/a'] }, '--srv: expected --src beside it, got none'],
  [
    'a setting for a service that is nearly declared',
    { env: { SRC_REDIS: ':1', DST_REDIS: 'a:1', LB_REDSI: 'true' } },
    'LB_REDSI: no service "redsi"; did you mean LB_REDIS?',
  ],
  [
    'a flag for a service that is nearly declared',
    { argv: ['--src-redis=:1', '--dst-redis=a:1', '--lb-redsi'] },
    '--lb-redsi: no service "redsi"; did you mean --lb-redis?',
  ],
  [
    'a setting for a service in other letters',
    { env: { SRC_REDIS: ':1', DST_REDIS: 'a:1', LB_redis: 'true' } },
    'LB_redis: no service "redis"; did you mean LB_REDIS?',
  ],
  [
    'a setting for a service that nobody declared',
    { env: { ...ok, CONNECT_TIMEOUT_PG: '5s' } },
    'CONNECT_TIMEOUT_PG: no service "pg"; expected SRC_PG to declare it, got none',
  ],
  [
    'a suffixed DST alone',
    { env: { DST_PG: 'pg1:5432' } },
    'DST_PG: no service "pg"; expected SRC_PG to declare it, got none',
  ],
  [
    'a setting cut in two',
    { env: { ...ok, TLS_CERT_PATH: '/certs' } },
    'TLS_CERT_PATH: no service "path"; did you mean TLS_CERTPATH?',
  ],
  [
    'a suffix that is no name',
    { env: { ...ok, SRC_1: ':1', DST_1: 'a:1' } },
    'SRC_1: expected a name such as REDIS after SRC_, got "1"',
  ],
  [
    'a suffix in small letters',
    { env: { ...ok, SRC_redis: ':1' } },
    'SRC_redis: expected a name such as REDIS after SRC_, got "redis"',
  ],
  [
    'an empty suffix',
    { env: { ...ok, SRC_: ':1' } },
    'SRC_: expected a name such as REDIS after SRC_, got an empty value',
  ],
  [
    'a Unix socket without its prefix in a suffixed service',
    { env: { SRC_APP: '/run/app.sock', DST_APP: 'a:1' } },
    'SRC_APP: expected host:port, or unix:/path for a Unix socket, got "/run/app.sock"; did you mean unix:/run/app.sock?',
  ],
  // names declared twice
  [
    'SRC and SRC_DEFAULT',
    { env: { ...ok, SRC_DEFAULT: ':2', DST_DEFAULT: 'a:1' } },
    'SRC_DEFAULT: expected a name of its own, got "default", which SRC has',
  ],
  [
    'one name in the environment and in SERVICES',
    { env: { SRC_REDIS: ':1', DST_REDIS: 'a:1', SERVICES: json({ name: 'redis', src: ':2', dst: 'a:1' }) } },
    'SERVICES[0].name: expected a name of its own, got "redis", which SRC_REDIS has',
  ],
  [
    'one name in SERVICES and in SERVICES_FILE',
    {
      env: { SERVICES: json({ name: 'redis-a', src: ':1', dst: 'a:1' }), SERVICES_FILE: '/s.json' },
      files: { '/s.json': json({ name: 'other', src: ':2', dst: 'a:1' }, { name: 'Redis_A', src: ':3', dst: 'a:1' }) },
    },
    'SERVICES_FILE[1].name: expected a name of its own, got "Redis_A", which SERVICES[0].name has',
  ],
  // SERVICES
  [
    'SERVICES with a comma too many',
    { env: { SERVICES: '[{"name":"a","src":":1","dst":"a:1"},\n]' } },
    'SERVICES: expected a JSON array of services, got text that is no JSON (line 2, column 1)',
  ],
  [
    'SERVICES with an object',
    { env: { SERVICES: '{"name":"a"}' } },
    'SERVICES: expected a JSON array of services, got an object; put it into brackets: [{...}]',
  ],
  ['empty SERVICES', { env: { SERVICES: ' ' } }, 'SERVICES: expected a JSON array of services, got an empty value'],
  [
    'SERVICES with a text among them',
    { env: { ...ok, SERVICES: '["redis"]' } },
    'SERVICES[0]: expected an object, got a string',
  ],
  [
    'a listed service without a name',
    { env: { SERVICES: json({ src: ':1', dst: 'a:1' }) } },
    'SERVICES[0].name: expected a name, got none',
  ],
  [
    'a listed service with a number as its name',
    { env: { SERVICES: json({ name: 7, src: ':1', dst: 'a:1' }) } },
    'SERVICES[0].name: expected a string, got a number',
  ],
  [
    'a listed service with a name that would break a log line',
    { env: { SERVICES: json({ name: 'a\nb', src: ':1', dst: 'a:1' }) } },
    'SERVICES[0].name: expected a name of at most 63 letters, digits, "-", "_" and ".", beginning with a letter, got "a\\nb"',
  ],
  [
    'a listed service without src',
    { env: { SERVICES: json({ name: 'a', dst: 'a:1' }) } },
    'SERVICES[0].src: expected an address such as :6379, got none',
  ],
  [
    'a listed service without candidates',
    { env: { SERVICES: json({ name: 'a', src: ':1' }) } },
    'SERVICES[0]: expected dst or srv, got neither',
  ],
  [
    'a listed service with both kinds of candidates',
    { env: { SERVICES: json({ name: 'a', src: ':1', dst: ['a:1'], srv: '/srv/a' }) } },
    'SERVICES[0].dst: expected SERVICES[0].dst or SERVICES[0].srv, got both',
  ],
  [
    'an unknown key',
    { env: { SERVICES: json({ name: 'a', src: ':1', dst: 'a:1', conect_timeout: '5s' }) } },
    'SERVICES[0].conect_timeout: expected a setting of a service, got an unknown key; did you mean connect_timeout?',
  ],
  [
    'a key in capitals',
    { env: { SERVICES: json({ name: 'a', SRC: ':1', src: ':1', dst: 'a:1' }) } },
    'SERVICES[0].SRC: expected a setting of a service, got an unknown key; did you mean src?',
  ],
  [
    'a process-wide setting as a key',
    { env: { SERVICES: json({ name: 'a', src: ':1', dst: 'a:1', log_level: 'info' }) } },
    'SERVICES[0].log_level: expected a setting of a service, got an unknown key',
  ],
  [
    'a key that would break a log line',
    { env: { SERVICES: json({ name: 'a', src: ':1', dst: 'a:1', 'x\ny': 1 }) } },
    '"SERVICES[0].x\\ny": expected a setting of a service, got an unknown key',
  ],
  [
    'a number of seconds',
    { env: { SERVICES: json({ name: 'a', src: ':1', dst: 'a:1', connect_timeout: 5 }) } },
    'SERVICES[0].connect_timeout: expected a duration with its unit (5s or 5ms?), got "5"',
  ],
  [
    'an object as a value',
    { env: { SERVICES: json({ name: 'a', src: { port: 1 }, dst: 'a:1' }) } },
    'SERVICES[0].src: expected a string or a list of strings, got an object',
  ],
  [
    'a list for a setting that takes one value',
    { env: { SERVICES: json({ name: 'a', src: ':1', srv: ['/srv/a'], net: { a: 1 } }) } },
    [
      'SERVICES[0].srv: expected one value, got a list',
      'SERVICES[0].net: expected a string, a number or a boolean, got an object',
    ].join('\n'),
  ],
  [
    'a list with null in it',
    { env: { SERVICES: json({ name: 'a', src: ':1', dst: ['a:1', null] }) } },
    'SERVICES[0].dst: expected a string or a list of strings, got null',
  ],
  [
    'src and range that differ',
    { env: { SERVICES: json({ name: 'a', src: ':1', range: [':1', ':2'], srv: '/srv/a' }) } },
    'SERVICES[0].range: expected the value of SERVICES[0].src or to be unset, got another value',
  ],
  [
    'a listed service and a variable that differ',
    { env: { SERVICES: json({ name: 'cache', src: ':1', srv: '/srv/a', lb: true }), LB_CACHE: 'false' } },
    'LB_CACHE: expected the value of SERVICES[0].lb or to be unset, got another value',
  ],
  [
    'a faulty service in a file',
    { env: { SERVICES_FILE: '/s.json' }, files: { '/s.json': json({ name: 'a', src: '1', dst: 'a:1' }) } },
    'SERVICES_FILE[0].src: expected host:port, got "1"; did you mean :1?',
  ],
  [
    'a file of services that is not there',
    { env: { SERVICES_FILE: '/s.json' } },
    'SERVICES_FILE: expected the path of a readable file, got "/s.json" (ENOENT)',
  ],
];

for (const [condition, input, report] of wrong) {
  test(`${condition}: refused, naming the setting`, () => {
    assert.equal(
      reportOf(() => configure(input)),
      report,
    );
  });
}
