import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigJson } from '../../../src/config/describe.ts';
import { resolveOptions } from '../../../src/config/options.ts';
import type { ServiceConfig } from '../../../src/config/config.ts';
import { configure, reportOf } from './configure.ts';

function registryOfService({ candidates }: ServiceConfig) {
  assert.ok(candidates.kind === 'discovered');
  return candidates;
}

const etcdAt = (...endpoints: readonly string[]) => ({
  kind: 'etcd',
  endpoints,
  username: undefined,
  password: undefined,
  caCertPath: undefined,
  certPath: undefined,
  keyPath: undefined,
});

for (const [dsc, backend] of [
  ['etcd://a:2379', etcdAt('http://a:2379')],
  ['ETCD://A:2379/', etcdAt('http://a:2379')],
  ['etcd://a:2379,b:2379, [::1]:2379', etcdAt('http://a:2379', 'http://b:2379', 'http://[::1]:2379')],
  ['etcd://a:2379,http://b:2379', etcdAt('http://a:2379', 'http://b:2379')],
  ['https://a:2379,b:2379', etcdAt('https://a:2379', 'https://b:2379')],
  ['file:///srv/', { kind: 'directory', root: '/srv' }],
] as const) {
  test(`DSC=${dsc} is the registry of its scheme`, () => {
    assert.deepEqual(configure({ env: { SRC: ':1', SRV: '/a', DSC: dsc } }).discovery.backend, backend);
  });
}

test('DSC_<NAME>, --dsc-<name> and "dsc" in SERVICES give one service a registry of its own', () => {
  const config = configure({
    argv: ['--dsc-c', 'file:///c'],
    env: {
      DSC: 'http://etcd:2379',
      ...{ SRC_A: ':1', SRV_A: '/a', DSC_A: 'file:///a' },
      ...{ SRC_B: ':2', SRV_B: '/b' },
      ...{ SRC_C: ':3', SRV_C: '/c' },
      SERVICES: JSON.stringify([{ name: 'd', src: ':4', srv: '/d', dsc: ['etcd://d:1', 'etcd://d:2'] }]),
    },
  });
  assert.deepEqual(config.discovery.backend, etcdAt('http://etcd:2379'));
  assert.deepEqual(
    config.services.map(registryOfService).map(({ registry }) => registry),
    [
      { kind: 'directory', root: '/a' },
      undefined,
      { kind: 'directory', root: '/c' },
      etcdAt('http://d:1', 'http://d:2'),
    ],
  );
});

test('the library has a registry of its own for a service, and the printed services come to the same', () => {
  const config = resolveOptions({
    services: [
      { name: 'a', src: ':1', srv: '/a', dsc: 'file:///a' },
      { name: 'b', src: ':2', srv: '/b' },
    ],
    dsc: 'etcd://etcd:2379',
  });
  assert.deepEqual(
    config.services.map(registryOfService).map(({ registry }) => registry?.kind),
    ['directory', undefined],
  );
  const printed = JSON.parse(describeConfigJson(config)) as { dsc: unknown; services: { dsc?: unknown }[] };
  assert.deepEqual(
    [printed.dsc, ...printed.services.map(({ dsc }) => dsc)],
    [['http://etcd:2379'], ['file:///a'], undefined],
  );
  const again = configure({ env: { DSC: 'http://etcd:2379', SERVICES: JSON.stringify(printed.services) } });
  assert.deepEqual(again.services.map(registryOfService), config.services.map(registryOfService));
});

test('a registry of a service is judged as DSC is, and named as it was typed', () => {
  const a = { SRC_A: ':1', SRV_A: '/a' };
  assert.match(
    reportOf(() => configure({ env: { ...a, DSC_A: 'redis:6379' } })),
    /DSC_A: expected http:\/\/host:port, .*, got "redis:6379"/,
  );
  assert.match(
    reportOf(() => configure({ env: { ...a, DSC_A: 'etcd://root:hunter2@e:1' } })),
    /DSC_A: expected an endpoint without credentials \(ETCD_USERNAME, ETCD_PASSWORD\), got one with "@"/,
  );
  assert.match(
    reportOf(() => configure({ env: { ...a, DSC_B: 'etcd://e:1' } })),
    /DSC_B: no service "b"; did you mean DSC_A\?/,
  );
});

test('a setting of a registry is unused when no service asks that registry', () => {
  const b = { SRC_B: ':2', SRV_B: '/b', DSC_B: 'file:///b' };
  const env = { DSC: 'http://etcd:2379', ETCD_USERNAME: 'u', ETCD_PASSWORD: 'p', ...b };
  assert.deepEqual(configure({ env }).warnings, [
    'ETCD_USERNAME: not used, as DSC_B is a directory',
    'ETCD_PASSWORD: not used, as DSC_B is a directory',
  ]);
  assert.deepEqual(configure({ env: { ...env, SRC_A: ':1', SRV_A: '/a' } }).warnings, []);
});
