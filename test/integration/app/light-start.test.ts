import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { ask, startNamed } from '../../support/tcp.ts';

/** On stderr when it exits: what was loaded, Node's own modules and those of packages. */
const TELL = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  import { createRequire } from 'node:module';
  const require = createRequire('file:///');
  process.on('exit', () => writeSync(2, [...process.moduleLoadList, ...Object.keys(require.cache)].join('\\n')));
`)}`;

test('a plain service with HTTP endpoints starts without what only others need', { timeout: 60_000 }, async (t) => {
  const server = await startNamed(t, 'hello');
  const attache = startAttache(t, {
    nodeArgs: ['--import', TELL],
    env: {
      SRC: '127.0.0.1:0',
      DST: `127.0.0.1:${server.port}`,
      HTTP_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
    },
  });
  await attache.line((line) => line.msg === 'HTTP server listening', 2);
  assert.equal(await ask(await attache.port()), 'hello');
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  const loaded = attache.stderr().split('\n');
  for (const expected of [/NativeModule http$/, /[/]node_modules[/]pino[/]/])
    assert.ok(loaded.some((name) => expected.test(name)));
  const heavy =
    /NativeModule (?:tls|https|http2|internal[/]deps[/]undici.*)$|[/](?:etcd3|@grpc|@aws-sdk|pino-pretty|prom-client|dns-packet|ioredis)[/]/;
  assert.deepEqual(
    loaded.filter((name) => heavy.test(name)),
    [],
  );
});

test('a service in DNS loads what DNS needs, and nothing of other registries', { timeout: 60_000 }, async (t) => {
  const attache = startAttache(t, {
    nodeArgs: ['--import', TELL],
    env: { SRC: '127.0.0.1:0', SRV: 'redis.test:6379', DSC: 'dns://127.0.0.1:1' },
  });
  await attache.line((line) => line.msg === 'discovery starting' && line['error'] !== undefined);
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  const loaded = attache.stderr().split('\n');
  assert.ok(loaded.some((name) => name.includes('/dns-packet/')));
  assert.deepEqual(
    loaded.filter((name) => /[/](?:etcd3|@grpc|@aws-sdk|ioredis)[/]/.test(name)),
    [],
  );
});

test('a service of Sentinels loads their client, and nothing of other registries', { timeout: 60_000 }, async (t) => {
  const attache = startAttache(t, {
    nodeArgs: ['--import', TELL],
    env: { SRC: '127.0.0.1:0', SRV: 'mymaster', DSC: 'sentinel://127.0.0.1:1' },
  });
  await attache.line((line) => line.msg === 'discovery starting' && line['error'] !== undefined);
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  const loaded = attache.stderr().split('\n');
  assert.ok(loaded.some((name) => name.includes('/ioredis/')));
  assert.deepEqual(
    loaded.filter((name) => /[/](?:etcd3|@grpc|@aws-sdk|dns-packet)[/]/.test(name)),
    [],
  );
});
