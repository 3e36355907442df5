import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand } from '../../../src/config/command.ts';
import { loadHttpAddress } from '../../../src/config/load.ts';
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
  assert.deepEqual(services[0]?.candidates, { kind: 'discovered', directory: '/srv/redis/debug' });
  assert.equal(services[0].balance, 'round-robin');
  assert.equal(services[0].net, 'tcp');
  assert.ok(discovery.backend.kind === 'etcd');
  assert.deepEqual(discovery.backend.endpoints, ['http://etcd0:2379', 'http://etcd1:2379']);
  assert.equal(log.level, 'warn');
});

for (const argv of [
  ['tls-client', '--src', ':16379', '--dst', '10.0.3.144:6379', '--tlscertpath', 's3://devops.example.org/client-cert'],
  ['tls-server', '--src', ':6379', '--dst', '10.0.3.144:6379', '--tlscertpath', '/path/to/server-cert'],
]) {
  test(`the seed's ${argv[0] ?? ''} is refused by name`, () => {
    const report = `command: expected run, check, healthcheck, help or version, got "${argv[0] ?? ''}", which is not supported by this version`;
    assert.equal(
      reportOf(() => parseCommand(argv)),
      report,
    );
  });
}

test('a health check needs HTTP_ADDR alone', () => {
  const { flags } = { flags: { given: [], faults: [] }, ...parseCommand(['healthcheck']) };
  const address = loadHttpAddress({ flags, env: { SRC: 'nonsense', LOG_LEVEL: 'loud' } });
  assert.deepEqual(address, { kind: 'tcp', host: '', port: 29091 });
  assert.deepEqual(loadHttpAddress({ env: { HTTP_ADDR: '127.0.0.1:1' } }), { kind: 'tcp', host: '127.0.0.1', port: 1 });
  assert.equal(loadHttpAddress({ env: { HTTP_ADDR: 'off' } }), undefined);
});

test('a health check takes --http-addr over HTTP_ADDR', () => {
  const command = parseCommand(['healthcheck', '--http-addr', ':2']);
  assert.ok(command.kind === 'healthcheck');
  assert.equal(loadHttpAddress({ flags: command.flags, env: { HTTP_ADDR: ':1' } })?.kind, 'tcp');
  assert.deepEqual(loadHttpAddress({ flags: command.flags, env: { HTTP_ADDR: ':1' } }), {
    kind: 'tcp',
    host: '',
    port: 2,
  });
});

test('a health check with a faulty HTTP_ADDR or flag says so', () => {
  const command = parseCommand(['healthcheck', '--http-adr', ':2']);
  assert.ok(command.kind === 'healthcheck');
  assert.equal(
    reportOf(() => loadHttpAddress({ flags: command.flags, env: { HTTP_ADDR: 'x' } })),
    [
      '--http-adr: expected a flag of this program, got an unknown one; did you mean --http-addr?',
      'HTTP_ADDR: expected host:port, or off, got "x"',
    ].join('\n'),
  );
});
