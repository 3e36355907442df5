import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigJson } from '../../../src/config/describe.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { resolveOptions } from '../../../src/config/options.ts';
import { configure, reportOf } from './configure.ts';

const BASE = { SRC: ':6379', DST: '127.0.0.1:6380', REGISTER: '/srv/redis/debug' };
const load = (env: Record<string, string>) => loadConfig({ env: { ...BASE, ...env } });
const report = (env: Record<string, string>) => reportOf(() => load(env));

test('REGISTER alone: its defaults, and a check that connects', () => {
  const [service] = load({}).services;
  assert.deepEqual(service?.register, {
    directories: ['/srv/redis/debug'],
    registry: undefined,
    address: undefined,
    ttlMs: 10_000,
    weight: undefined,
    priority: undefined,
    zone: undefined,
    delayMs: 0,
  });
  assert.equal(service.health?.check.kind, 'tcp');
  assert.equal(load({ HEALTH_CHECK: 'off' }).services[0]?.health, undefined);
  assert.equal(load({ HEALTH_INTERVAL: '1s' }).services[0]?.health?.intervalMs, 1_000);
  assert.equal(loadConfig({ env: { SRC: ':1', DST: 'a:1' } }).services[0]?.register, undefined);
});

test('everything that may be said, in every form', () => {
  const said = load({
    REGISTER: '/srv/a, /srv/b/',
    REGISTER_ADDRESS: '10.0.1.134:6379',
    REGISTER_TTL: '3s',
    REGISTER_WEIGHT: '3',
    REGISTER_PRIORITY: '1',
    REGISTER_ZONE: 'eu-west-1a',
    REGISTER_DELAY: '500ms',
    DSC: 'http://etcd:2379',
  });
  const expected = {
    directories: ['/srv/a', '/srv/b'],
    registry: undefined,
    address: { kind: 'tcp', host: '10.0.1.134', port: 6379 },
    ttlMs: 3_000,
    weight: 3,
    priority: 1,
    zone: 'eu-west-1a',
    delayMs: 500,
  };
  assert.deepEqual(said.services[0]?.register, expected);
  const again = loadConfig({
    env: { SERVICES: JSON.stringify((JSON.parse(describeConfigJson(said)) as { services: unknown }).services) },
  });
  assert.deepEqual(again.services[0]?.register, expected);
  const own = { SRC_A: ':1', DST_A: 'a:1', REGISTER_A: '/srv/a', DSC_A: 'http://etcd:2379' };
  const described = JSON.parse(describeConfigJson(loadConfig({ env: own }))) as { services: [{ dsc: unknown }] };
  assert.deepEqual(described.services[0].dsc, ['http://etcd:2379']);
  const options = resolveOptions({
    services: [
      {
        src: ':6379',
        dst: '127.0.0.1:6380',
        register: ['/srv/a', '/srv/b'],
        registerAddress: '10.0.1.134:6379',
        registerTtl: '3s',
        registerWeight: 3,
        registerPriority: 1,
        registerZone: 'eu-west-1a',
        registerDelay: 500,
      },
    ],
  });
  assert.deepEqual(options.services[0]?.register, expected);
});

test('a service that only registers has no SRC; variables of other programs declare none', () => {
  const only = loadConfig({ env: { REGISTER: '/srv/a', DST: 'a:1' } });
  assert.deepEqual(only.services[0]?.listeners, []);
  const suffixed = loadConfig({ env: { REGISTER_REDIS: '/srv/a', DST_REDIS: 'a:1', REGISTER_ADDRESS_REDIS: ':6379' } });
  assert.equal(suffixed.services[0]?.name, 'redis');
  assert.deepEqual(suffixed.services[0].register?.address, { kind: 'tcp', host: '', port: 6379 });
  const foreign = loadConfig({ env: { SRC: ':1', DST: 'a:1', REGISTER_URL: 'http://a/b', REGISTER_ENABLED: 'true' } });
  assert.equal(foreign.services.length, 1);
  assert.equal(foreign.warnings.length, 2);
});

test('REGISTER and REGISTER_ADDRESS are no defaults, the others are', () => {
  const { services } = loadConfig({
    env: { SRC_A: ':1', DST_A: 'a:1', REGISTER_A: '/srv/a', SRC_B: ':2', DST_B: 'b:1', REGISTER_TTL: '5s' },
  });
  assert.deepEqual(
    services.map(({ register }) => register?.ttlMs),
    [5_000, undefined],
  );
});

test('what contradicts itself is refused by the setting', () => {
  assert.match(report({ REGISTER: 'srv/redis' }), /REGISTER: expected a directory such as \/srv\/redis\/debug/);
  assert.match(report({ REGISTER_ADDRESS: '0.0.0.0:1' }), /REGISTER_ADDRESS: expected the address of one interface/);
  assert.match(report({ REGISTER_TTL: '1500ms' }), /REGISTER_TTL: expected whole seconds, 1s or more, got 1500ms/);
  assert.match(report({ REGISTER_TTL: '0' }), /REGISTER_TTL: expected whole seconds/);
  assert.match(report({ REGISTER_WEIGHT: '70000' }), /REGISTER_WEIGHT: expected a whole number from 0 to 65535/);
  assert.match(report({ REGISTER_ZONE: 'a b' }), /REGISTER_ZONE: expected at most 64 letters/);
  assert.match(report({ DSC: 'dns://' }), /REGISTER: expected etcd .* or a directory .* as the registry, got DNS/);
  const inDirectory = /REGISTER: expected REGISTER_ADDRESS with a host beside it, as the registry is a directory, got/;
  assert.match(report({ DSC: 'file:///srv' }), inDirectory);
  assert.match(report({ DSC: 'file:///srv', REGISTER_ADDRESS: ':6379' }), inDirectory);
  assert.equal(load({ DSC: 'file:///srv', REGISTER_ADDRESS: '10.0.1.134:6379' }).services[0]?.register?.ttlMs, 10_000);
  assert.match(report({ SRC: ':1,:2' }), /REGISTER: expected one address in SRC, got 2/);
  assert.match(report({ SRC: 'unix:/a', DST: 'unix:/b' }), /REGISTER: expected REGISTER_ADDRESS beside it/);

  assert.match(
    reportOf(() => loadConfig({ env: { SRC: BASE.SRC, REGISTER: BASE.REGISTER, SRV: '/srv/other' } })),
    /REGISTER: expected DST beside it, got SRV/,
  );

  assert.match(
    reportOf(() => loadConfig({ env: { DST: BASE.DST, REGISTER: BASE.REGISTER, HEALTH_CHECK: 'off' } })),
    /HEALTH_CHECK: expected a check, as nothing else would take the service out of the registry, got off/,
  );
});

test('two services under one key are refused, and settings without REGISTER', () => {
  const two = { SRC_A: ':1', DST_A: 'a:1', REGISTER_A: '/srv/a', SRC_B: ':2', DST_B: 'b:1', REGISTER_B: '/srv/a' };
  assert.equal(loadConfig({ env: two }).services.length, 2);
  assert.match(
    reportOf(() => loadConfig({ env: { ...two, REGISTER_ADDRESS_B: ':1' } })),
    /REGISTER_B: expected a key of its own, got "\/srv\/a\/:1", which REGISTER_A has/,
  );
  assert.match(
    reportOf(() => loadConfig({ env: { SRC: ':1', DST: 'a:1', REGISTER_WEIGHT: '1' } })),
    /REGISTER_WEIGHT: expected REGISTER or REGISTER_<NAME> with it, got none/,
  );
  assert.match(
    reportOf(() => loadConfig({ env: { SRC_A: ':1', DST_A: 'a:1', REGISTER_WEIGHT_A: '1' } })),
    /REGISTER_WEIGHT_A: expected REGISTER_A beside it, got none/,
  );
});

test('attache register says by flags what settings say, and takes no listener', () => {
  const argv = [
    'register',
    '--srv',
    '/srv/a',
    '--address',
    '10.0.1.134:6379',
    '--check',
    'redis',
    '--register-ttl',
    '3s',
  ];
  const [service] = configure({ argv }).services;
  assert.deepEqual(service?.listeners, []);
  assert.deepEqual(service.candidates, {
    kind: 'static',
    addresses: [{ kind: 'tcp', host: '10.0.1.134', port: 6379 }],
  });
  assert.deepEqual([service.register?.ttlMs, service.health?.check.kind], [3_000, 'redis']);
  const near = configure({ argv: [...argv, '--dst', '127.0.0.1:6379'] }).services[0]?.candidates;
  assert.deepEqual(near, { kind: 'static', addresses: [{ kind: 'tcp', host: '127.0.0.1', port: 6379 }] });
  assert.match(
    reportOf(() => configure({ argv: [...argv, '--src', ':1'] })),
    /--src: expected no listener, as the command register only registers/,
  );
});
