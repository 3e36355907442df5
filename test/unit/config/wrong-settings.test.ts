import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure, reportOf, type Input } from './configure.ts';

const ok = { SRC: ':16379', DST: '10.0.3.144:6379' };

const wrong: readonly (readonly [condition: string, input: Input, report: string])[] = [
  // the balancing switch
  [
    'LB against BALANCE',
    { env: { ...ok, LB: 'true', BALANCE: 'ordered' } },
    'BALANCE: expected round-robin as LB is true, got "ordered"',
  ],
  [
    'LB against BALANCE of one service',
    { env: { SRC_A: ':1', DST_A: 'a:1', LB_A: 'no', BALANCE_A: 'round-robin' } },
    'BALANCE_A: expected ordered as LB_A is false, got "round-robin"',
  ],
  // the family
  [
    'an IPv6 address to listen on with NET=tcp4',
    { env: { ...ok, SRC: '[::1]:1', NET: 'tcp4' } },
    'SRC: expected an IPv4 address as NET is tcp4, got "[::1]:1"',
  ],
  [
    'an IPv4 address to listen on with a default NET=tcp6',
    { env: { SRC_A: '127.0.0.1:1', DST_A: 'a:1', NET: 'tcp6' } },
    'SRC_A: expected an IPv6 address as NET is tcp6, got "127.0.0.1:1"',
  ],
  // one address for two
  [
    'two services on one address',
    { env: { SRC_A: ':6379', DST_A: 'a:1', SRC_B: ':6379', DST_B: 'b:1' } },
    'SRC_B: expected an address of its own, got ":6379", where SRC_A listens',
  ],
  [
    'a service on every interface and one on loopback',
    { env: { SRC_A: ':6379', DST_A: 'a:1', SRC_B: '127.0.0.1:6379', DST_B: 'b:1' } },
    'SRC_B: expected an address of its own, got "127.0.0.1:6379", where SRC_A listens (:6379)',
  ],
  [
    'one service on every interface and on loopback',
    { env: { ...ok, SRC: ':1,127.0.0.1:1', SRV: undefined, DST: 'a:1,b:1' } },
    'SRC: expected an address of its own, got "127.0.0.1:1", where SRC listens (:1)',
  ],
  [
    'two services on one Unix socket',
    { env: { SRC_A: 'unix:/run/a', DST_A: 'a:1', SRC_B: 'unix:/run/a', DST_B: 'b:1' } },
    'SRC_B: expected an address of its own, got "unix:/run/a", where SRC_A listens',
  ],
  [
    'a service on the health address',
    { env: { ...ok, SRC: ':29091' } },
    'SRC: expected an address of its own, got ":29091", where HTTP_ADDR listens',
  ],
  [
    'health and admin on one address',
    { env: { ...ok, HTTP_ADDR: ':29092' } },
    'ADMIN_ADDR: expected an address of its own, got "127.0.0.1:29092", where HTTP_ADDR listens (:29092)',
  ],
  [
    'probes on the address of a service',
    { env: { ...ok, SRC: ':8080', PROBE_ADDR: '127.0.0.1:8080' } },
    'SRC: expected an address of its own, got ":8080", where PROBE_ADDR listens (127.0.0.1:8080)',
  ],
  // etcd
  [
    'a certificate without its key',
    { env: { ...ok, DSC: 'https://a:1', ETCD_CERT: '/cert.pem' } },
    'ETCD_CERT: expected ETCD_KEY beside it, got none',
  ],
  [
    "etcdctl's key without its certificate",
    { env: { ...ok, DSC: 'https://a:1', ETCDCTL_KEY: '/key.pem' } },
    'ETCDCTL_KEY: expected ETCD_CERT beside it, got none',
  ],
  [
    'a password without a user',
    { env: { ...ok, ETCD_PASSWORD: 'hunter2' } },
    'ETCD_PASSWORD: expected ETCD_USERNAME beside it, got none',
  ],
  [
    'a user without a password',
    { env: { ...ok, ETCDCTL_USER: 'root' } },
    'ETCDCTL_USER: expected ETCD_PASSWORD beside it, got none',
  ],
  [
    "etcdctl's spelling with another value",
    { env: { ...ok, DSC: 'https://a:1', ETCD_CACERT: '/a.pem', ETCDCTL_CACERT: '/b.pem' } },
    'ETCD_CACERT: expected the value of ETCDCTL_CACERT or to be unset, got another value',
  ],
  [
    "etcdctl's endpoints and others in DSC",
    { env: { ...ok, DSC: 'http://a:1', ETCDCTL_ENDPOINTS: 'http://b:1' } },
    'ETCDCTL_ENDPOINTS: expected the value of DSC or to be unset, got another value',
  ],
  [
    'a second password, within the user',
    { env: { ...ok, ETCDCTL_USER: 'root:hunter2', ETCD_PASSWORD: 'hunter3' } },
    'ETCD_PASSWORD: expected the value of ETCDCTL_USER or to be unset, got another value',
  ],
  [
    'a password and a file of it',
    {
      env: { ...ok, ETCD_USERNAME: 'root', ETCD_PASSWORD: 'hunter2', ETCD_PASSWORD_FILE: '/run/secrets/etcd' },
      files: { '/run/secrets/etcd': 'hunter2' },
    },
    'ETCD_PASSWORD_FILE: expected ETCD_PASSWORD or ETCD_PASSWORD_FILE, got both',
  ],
  [
    'a file of a password that is not there',
    { env: { ...ok, ETCD_USERNAME: 'root', ETCD_PASSWORD_FILE: '/run/secrets/etcd' } },
    'ETCD_PASSWORD_FILE: expected the path of a readable file, got ENOENT',
  ],
  [
    'an empty file of a password',
    {
      env: { ...ok, ETCD_USERNAME: 'root', ETCD_PASSWORD_FILE: '/run/secrets/etcd' },
      files: { '/run/secrets/etcd': '\n' },
    },
    'ETCD_PASSWORD_FILE: expected a secret, got an empty value',
  ],
  [
    'an empty user',
    { env: { ...ok, ETCDCTL_USER: ':hunter2' } },
    'ETCDCTL_USER: expected a secret, got an empty value',
  ],
  // flags
  [
    'an unknown flag',
    { argv: ['--src', ':1', '--dts', 'a:1'] },
    [
      '--dts: expected a flag of this program, got an unknown one; did you mean --dst?',
      '--src: expected --dst or --srv, got neither',
    ].join('\n'),
  ],
  [
    'a flag with one dash',
    { argv: ['-src', ':1', '--dst', 'a:1'] },
    [
      '-src: expected a flag of this program, got an unknown one; did you mean --src?',
      '--dst: expected --src beside it, got none',
    ].join('\n'),
  ],
  [
    'a flag in capitals',
    { argv: ['--src=:1', '--dst=a:1', '--NET=tcp'] },
    '--NET: expected a flag of this program, got an unknown one; did you mean --net?',
  ],
  [
    'a misspelt flag with a secret',
    { argv: ['--src=:1', '--dst=a:1', '--etcd-pasword', 'hunter2', '--etcd-pssword=hunter2'] },
    [
      '--etcd-pasword: expected a flag of this program, got an unknown one; did you mean --etcd-password?',
      '--etcd-pssword: expected a flag of this program, got an unknown one; did you mean --etcd-password?',
    ].join('\n'),
  ],
  ['a flag without its value', { argv: ['--src=:1', '--dst=a:1', '--net'] }, '--net: expected a value, got none'],
  [
    'a flag followed by another',
    { argv: ['--net', '--src', ':1', '--dst', 'a:1'] },
    '--net: expected a value, got none',
  ],
  [
    'a flag twice with two values',
    { argv: ['--src=:1', '--dst=a:1', '--net=tcp4', '--net=tcp6'] },
    '--net: expected one value, got two different ones',
  ],
  [
    'a boolean flag and a value that is none',
    { argv: ['--src=:1', '--dst=a:1', '--lb', 'hunter2'] },
    'argument 4: expected a flag, got a value that belongs to none; --lb takes true, false or nothing',
  ],
  [
    '--json outside check',
    { argv: ['--src=:1', '--dst=a:1', '--json'] },
    '--json: expected a flag of this program, got an unknown one',
  ],
  [
    'an unknown command',
    { argv: ['chekc'] },
    'command: expected run, tls-client, tls-server, register, check, healthcheck, wait, status, connections, drain, undrain, loglevel, apply, reload, quit, completion, help or version, got "chekc"; did you mean check?',
  ],
  [
    'an empty command',
    { argv: [''] },
    'command: expected run, tls-client, tls-server, register, check, healthcheck, wait, status, connections, drain, undrain, loglevel, apply, reload, quit, completion, help or version, got an empty value',
  ],
];

for (const [condition, input, report] of wrong) {
  test(`${condition}: refused, naming what clashes`, () => {
    assert.equal(
      reportOf(() => configure(input)),
      report,
    );
  });
}
