import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from '../../../src/config/command.ts';
import { loadAddress } from '../../../src/config/load.ts';
import { formatAddress } from '../../../src/core/address.ts';
import { configure, reportOf } from './configure.ts';

const kinds: readonly (readonly [argv: readonly string[], kind: string])[] = [
  [[], 'run'],
  [['run', '--lb'], 'run'],
  [['--src', ':1', '--dst', 'a:1'], 'run'],
  [['check'], 'check'],
  [['check', '--json', '--src', ':1'], 'check'],
  [['healthcheck'], 'healthcheck'],
  [['help'], 'help'],
  [['help', 'whatever', '--nonsense'], 'help'],
  [['--help'], 'help'],
  [['-h'], 'help'],
  [['run', '--src', ':1', '--help'], 'help'],
  [['--nonsense', '-h'], 'help'],
  [['version'], 'version'],
  [['--version'], 'version'],
  [['check', '-v'], 'version'],
];

for (const [argv, kind] of kinds) {
  test(`"attache ${argv.join(' ')}" is ${kind}`, () => {
    assert.equal(parseCommand(argv).kind, kind);
  });
}

test('check knows --json from its absence', () => {
  for (const [argv, json] of [
    [['check'], false],
    [['check', '--src', ':1', '--json', '--dst', 'a:1'], true],
  ] as const) {
    const command = parseCommand(argv);
    assert.ok(command.kind === 'check');
    assert.equal(command.json, json);
    assert.deepEqual(command.flags.faults, []);
  }
});

test("the seed's command lines work unchanged", () => {
  const [candidate] = configure({ argv: ['--src', ':16379', '--dst', '10.0.3.144:6379'] }).services;
  assert.equal(candidate?.origin, '--src');
  assert.deepEqual(candidate.listeners.map(formatAddress), [':16379']);
  assert.deepEqual(candidate.candidates, {
    kind: 'static',
    addresses: [{ kind: 'tcp', host: '10.0.3.144', port: 6379 }],
  });

  const argv = [
    '--src',
    ':16379',
    '--srv',
    '/srv/redis/debug',
    '--dsc',
    'http://etcd0:2379',
    '--dsc',
    'http://etcd1:2379',
  ];
  const { services, discovery, log } = configure({ argv: [...argv, '--loglevel', 'WARNING', '--net', 'tcp', '--lb'] });
  const discovered = { kind: 'discovered', directory: '/srv/redis/debug', registry: undefined, role: undefined };
  assert.deepEqual(services[0]?.candidates, discovered);
  assert.equal(services[0].balance, 'round-robin');
  assert.equal(services[0].net, 'tcp');
  assert.ok(discovery.backend.kind === 'etcd');
  assert.deepEqual(discovery.backend.endpoints, ['http://etcd0:2379', 'http://etcd1:2379']);
  assert.equal(log.level, 'warn');
});

test("the seed's tls-client and tls-server are a run in that mode, with all three files of the place named", () => {
  const argv = ['--src', ':16379', '--dst', '10.0.3.144:6379', '--tlscertpath'];
  const [client] = configure({ argv: ['tls-client', ...argv, 's3://devops.example.org/client-cert'] }).services;
  assert.ok(client?.tls.mode === 'client');
  assert.deepEqual(client.tls.origins.key, {
    kind: 's3',
    bucket: 'devops.example.org',
    key: 'client-cert/key.pem',
  });
  const [server] = configure({ argv: ['tls-server', ...argv, '/path/to/server-cert'] }).services;
  assert.ok(server?.tls.mode === 'server');
  assert.deepEqual(server.tls.origins, {
    ca: { kind: 'file', path: '/path/to/server-cert/ca.pem' },
    cert: { kind: 'file', path: '/path/to/server-cert/cert.pem' },
    key: { kind: 'file', path: '/path/to/server-cert/key.pem' },
  });
  assert.deepEqual([server.tls.clientAuth, server.tls.minVersion, server.tls.reloadMs], ['require', 'TLSv1.2', 60_000]);
});

test('a health check needs HTTP_ADDR alone', () => {
  const { flags } = { flags: { given: [], faults: [] }, ...parseCommand(['healthcheck']) };
  const address = loadAddress('HTTP_ADDR', { flags, env: { SRC: 'nonsense', LOG_LEVEL: 'loud' } });
  assert.deepEqual(address, { kind: 'tcp', host: '', port: 29091 });
  assert.deepEqual(loadAddress('HTTP_ADDR', { env: { HTTP_ADDR: '127.0.0.1:1' } }), {
    kind: 'tcp',
    host: '127.0.0.1',
    port: 1,
  });
  assert.equal(loadAddress('HTTP_ADDR', { env: { HTTP_ADDR: 'off' } }), undefined);
});

test('a health check takes --http-addr over HTTP_ADDR', () => {
  const command = parseCommand(['healthcheck', '--http-addr', ':2']);
  assert.ok(command.kind === 'healthcheck');
  assert.equal(loadAddress('HTTP_ADDR', { flags: command.flags, env: { HTTP_ADDR: ':1' } })?.kind, 'tcp');
  assert.deepEqual(loadAddress('HTTP_ADDR', { flags: command.flags, env: { HTTP_ADDR: ':1' } }), {
    kind: 'tcp',
    host: '',
    port: 2,
  });
});

test('a health check with a faulty HTTP_ADDR or flag says so', () => {
  const command = parseCommand(['healthcheck', '--http-adr', ':2']);
  assert.ok(command.kind === 'healthcheck');
  assert.equal(
    reportOf(() => loadAddress('HTTP_ADDR', { flags: command.flags, env: { HTTP_ADDR: 'x' } })),
    [
      '--http-adr: expected a flag of this program, got an unknown one; did you mean --http-addr?',
      'HTTP_ADDR: expected host:port, or off, got "x"; add its port, as in x:29091',
    ].join('\n'),
  );
});
