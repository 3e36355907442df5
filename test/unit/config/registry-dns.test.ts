import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigJson } from '../../../src/config/describe.ts';
import { configure, reportOf } from './configure.ts';

const service = { SRC: ':1', SRV: 'redis.test:6379' };

for (const [dsc, servers] of [
  ['dns://', []],
  ['DNS:///', []],
  ['dns://10.96.0.10', ['10.96.0.10:53']],
  ['dns://10.96.0.10:5353,10.96.0.11, dns://[fd00::1]', ['10.96.0.10:5353', '10.96.0.11:53', '[fd00::1]:53']],
] as const) {
  test(`DSC=${dsc} is DNS`, () => {
    const { backend } = configure({ env: { ...service, DSC: dsc } }).discovery;
    assert.deepEqual(backend, { kind: 'dns', servers, minIntervalMs: 1_000, maxIntervalMs: 30_000 });
  });
}

for (const [srv, directory] of [
  ['redis.prod.svc.cluster.local:6379', 'redis.prod.svc.cluster.local:6379'],
  ['Redis.test.:6379', 'redis.test.:6379'],
  ['_Redis._tcp.test', '_redis._tcp.test'],
  ['_redis._tcp', '_redis._tcp'],
] as const) {
  test(`in DNS SRV=${srv} is a service`, () => {
    const [one] = configure({ env: { SRC: ':1', SRV: srv, DSC: 'dns://' } }).services;
    assert.ok(one?.candidates.kind === 'discovered');
    assert.equal(one.candidates.directory, directory);
  });
}

const form = 'expected name:port, or the name of SRV records such as _redis._tcp.example.com';
for (const [env, report] of [
  [{ SRV: '/srv/redis' }, `SRV: ${form}, got "/srv/redis"`],
  [{ SRV: 'redis' }, `SRV: ${form}, got "redis"`],
  [{ SRV: '10.0.0.1:6379' }, `SRV: ${form}, got "10.0.0.1:6379"`],
  [
    { SRV: '_redis._tcp.test:6379' },
    'SRV: expected the name of SRV records, without a port, as in _redis._tcp.example.com, got "_redis._tcp.test:6379"',
  ],
  [
    { DSC: 'dns://kube-dns' },
    'DSC: expected the IP address of a name server, as in dns://10.96.0.10:53, got "dns://kube-dns"',
  ],
  [{ DSC: 'dns://,10.0.0.1' }, "DSC: expected dns:// alone for the system's servers, or servers, got 2"],
  [{ DSC: 'dns://10.0.0.1,http://a:1' }, 'DSC: expected endpoints of one scheme, got dns and http'],
  [{ DNS_MIN_INTERVAL: '0' }, 'DNS_MIN_INTERVAL: expected 100ms or more, as name servers are asked so often, got 0'],
  [{ DNS_MIN_INTERVAL: '1m' }, 'DNS_MAX_INTERVAL: expected 1m, which is DNS_MIN_INTERVAL, or more, got 30s'],
] as const) {
  test(`a fault comes alone: ${report.slice(0, 60)}`, () => {
    assert.equal(
      reportOf(() => configure({ env: { DSC: 'dns://', ...service, ...env } })),
      report,
    );
  });
}

test('settings of DNS are shown where a service asks it, and unused where none does', () => {
  const own = { SRC_A: ':1', SRV_A: 'a.test:1', DSC_A: 'dns://', DNS_MAX_INTERVAL: '10s' };
  const shown = JSON.parse(describeConfigJson(configure({ env: own }))) as Record<string, unknown>;
  assert.deepEqual([shown['dns_min_interval'], shown['dns_max_interval']], ['1s', '10s']);
  const unused = configure({ env: { SRC: ':1', SRV: '/a', DNS_MAX_INTERVAL: '10s' } });
  assert.deepEqual(unused.warnings, ['DNS_MAX_INTERVAL: not used, as DSC is etcd']);
});
