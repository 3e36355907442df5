import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, describeConfigJson } from '../../../src/config/describe.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { resolveOptions } from '../../../src/config/options.ts';
import { ConfigError } from '../../../src/core/errors.ts';

const BASE = { SRC: ':1', DST: 'a:1' };
const health = (env: Record<string, string>) => loadConfig({ env: { ...BASE, ...env } }).services[0]?.health;

function faults(env: Record<string, string>): readonly string[] {
  try {
    loadConfig({ env: { ...BASE, ...env } });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults.map(({ setting, message }) => `${setting}: ${message}`);
  }
}

test('no check unless one is asked for; the others have their defaults', () => {
  assert.equal(health({}), undefined);
  assert.equal(health({ HEALTH_CHECK: 'off' }), undefined);
  assert.deepEqual(health({ HEALTH_CHECK: 'tcp' }), {
    check: { kind: 'tcp', send: '', expect: undefined },
    intervalMs: 2_000,
    timeoutMs: 1_000,
    fall: 2,
    rise: 1,
    onUnhealthy: 'keep',
  });
});

test('ON_UNHEALTHY is reset for roles and http, keep for the others, or what is said', () => {
  const on = (check: string) => health({ HEALTH_CHECK: check })?.onUnhealthy;
  assert.deepEqual(['redis-primary', 'redis-replica', 'http://:8008/primary', 'redis', 'postgres'].map(on), [
    'reset',
    'reset',
    'reset',
    'keep',
    'keep',
  ]);
  assert.equal(health({ HEALTH_CHECK: 'redis', ON_UNHEALTHY: 'drain' })?.onUnhealthy, 'drain');
});

test('a URL says where: what is empty is the candidate’s', () => {
  const check = (url: string) => health({ HEALTH_CHECK: url })?.check;
  const login = { username: undefined, password: undefined };
  const of = { kind: 'http', isSecure: false, host: undefined, port: undefined, target: '/', ...login };
  assert.deepEqual(check('http://:8008/primary'), { ...of, port: 8008, target: '/primary' });
  assert.deepEqual(check('http:///replica?lag=1MB'), { ...of, target: '/replica?lag=1MB' });
  assert.deepEqual(check('https://probe.internal?x'), { ...of, isSecure: true, host: 'probe.internal', target: '/?x' });
  assert.deepEqual(check('http://[::1]:80/'), { ...of, host: '::1', port: 80 });
});

test('bytes and patterns are read, and shown as they may be typed', () => {
  const config = loadConfig({
    env: { ...BASE, HEALTH_CHECK: 'tcp', HEALTH_SEND: 'PING\\r\\n\\x00\\\\', HEALTH_EXPECT: '/^\\+PONG/i' },
  });
  assert.deepEqual(config.services[0]?.health?.check, {
    kind: 'tcp',
    send: 'PING\r\n\0\\',
    expect: { kind: 'pattern', source: '^\\+PONG', ignoreCase: true },
  });
  assert.match(describeConfig(config), /health_send +PING\\x0d\\x0a\\x00\\\\\n/);
  assert.match(describeConfig(config), /health_expect +\/\^\\\+PONG\/i\n/);
});

test('a password comes from a file of the service or of all, and is shown nowhere', () => {
  const files: Readonly<Record<string, string>> = { '/all': 'of-all\n', '/pg': 'of-pg\n' };
  const config = loadConfig({
    env: {
      SRC_REDIS: ':1',
      DST_REDIS: 'a:1',
      SRC_PG: ':2',
      DST_PG: 'b:1',
      HEALTH_CHECK: 'redis-primary',
      HEALTH_PASSWORD_FILE: '/all',
      HEALTH_PASSWORD_FILE_PG: '/pg',
    },
    readFile: (path) => files[path] ?? '',
  });
  const passwords = config.services.map(({ health: it }) => (it && 'password' in it.check ? it.check.password : ''));
  assert.deepEqual(passwords.toSorted(), ['of-all', 'of-pg']);
  for (const text of [describeConfig(config), describeConfigJson(config)]) {
    assert.doesNotMatch(text, /of-all|of-pg/);
    assert.match(text, /\(hidden\)/);
  }
});

test('what cannot be is a clear report', () => {
  const first = (env: Record<string, string>) => faults(env).join('\n');
  assert.match(first({ HEALTH_CHECK: 'ping' }), /^HEALTH_CHECK: expected off, tcp, tls, .*, got "ping"$/);
  assert.match(
    first({ HEALTH_CHECK: ':8008/primary' }),
    /or a URL such as http:\/\/:8008\/primary, got ":8008\/primary"/,
  );
  assert.doesNotMatch(first({ HEALTH_CHECK: 'http://me:secret@h/' }), /secret/);
  assert.match(first({ HEALTH_CHECK: 'http://h:99999/' }), /expected host:port/);
  assert.match(first({ HEALTH_CHECK: 'tls' }), /expected TLS_MODE=client with tls, got TLS_MODE=off/);
  assert.match(first({ HEALTH_CHECK: 'tcp', HEALTH_EXPECT: '/(/' }), /expected a regular expression of RE2/);
  assert.match(first({ HEALTH_CHECK: 'tcp', HEALTH_EXPECT: '/(a)\\1/' }), /expected a regular expression of RE2/);
  assert.match(first({ HEALTH_CHECK: 'tcp', HEALTH_SEND: '\\q' }), /expected \\r, \\n/);
  assert.match(
    first({ HEALTH_CHECK: 'redis', HEALTH_SEND: 'x' }),
    /HEALTH_SEND: expected HEALTH_CHECK to be one of tcp, tls/,
  );
  assert.match(first({ HEALTH_FALL: '3' }), /HEALTH_FALL: expected HEALTH_CHECK with it, got off/);
  assert.match(first({ HEALTH_CHECK: 'tcp', HEALTH_FALL: '0' }), /HEALTH_FALL: expected 1 or more, got 0/);
  assert.match(first({ HEALTH_CHECK: 'tcp', HEALTH_INTERVAL: '0' }), /HEALTH_INTERVAL: expected at least 10ms/);
  assert.match(first({ HEALTH_CHECK: 'redis', HEALTH_USERNAME: 'u' }), /HEALTH_USERNAME: expected HEALTH_PASSWORD/);
});

test('the library has them, too', () => {
  const { services } = resolveOptions({
    services: [{ src: ':1', dst: 'a:1', healthCheck: 'redis', healthInterval: 500, healthPassword: 'p' }],
  });
  assert.equal(services[0]?.health?.intervalMs, 500);
});
