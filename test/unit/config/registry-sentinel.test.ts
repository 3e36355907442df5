import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfigJson } from '../../../src/config/describe.ts';
import { configure, reportOf } from './configure.ts';

const service = { SRC: ':1', SRV: 'mymaster' };

for (const [dsc, sentinels] of [
  ['sentinel://s1:26379', ['s1:26379']],
  ['SENTINEL://10.0.0.1:26379/', ['10.0.0.1:26379']],
  ['sentinel://s1:26379,s2:26379, sentinel://[fd00::1]:26379', ['s1:26379', 's2:26379', '[fd00::1]:26379']],
] as const) {
  test(`DSC=${dsc} is Sentinel`, () => {
    const { backend } = configure({ env: { ...service, DSC: dsc } }).discovery;
    assert.ok(backend.kind === 'sentinel');
    assert.deepEqual([backend.sentinels, backend.sentinelTls], [sentinels, false]);
  });
}

test('each service has its role; the bare setting is the default, and a registry without roles has none', () => {
  const { services, warnings } = configure({
    env: {
      ...{ DSC: 'sentinel://s1:26379', SENTINEL_ROLE: 'replicas' },
      ...{ SRC_A: ':1', SRV_A: 'main', SRC_B: ':2', SRV_B: 'main', SENTINEL_ROLE_B: 'primary' },
      ...{ SRC_C: ':3', SRV_C: '/c', DSC_C: 'http://etcd:2379' },
    },
  });
  const roles = services.map(({ candidates }) => (candidates.kind === 'discovered' ? candidates.role : 'none'));
  assert.deepEqual([roles, warnings], [['replicas', 'primary', undefined], []]);
});

test('a role that no registry in use has is told', () => {
  const etcd = { SRC_A: ':1', SRV_A: '/a', SENTINEL_ROLE_A: 'replicas' };
  assert.deepEqual(configure({ env: etcd }).warnings, ['SENTINEL_ROLE_A: not used, as DSC is etcd']);
  const bare = { SRC: ':1', SRV: '/a', SENTINEL_ROLE: 'replicas' };
  assert.deepEqual(configure({ env: bare }).warnings, ['SENTINEL_ROLE: not used, as DSC is etcd']);
});

for (const [env, report] of [
  [{ SRV: '/srv/redis' }, 'SRV: expected the name that Sentinels have for a primary, as in mymaster, got "/srv/redis"'],
  [{ SRV: 'my master' }, 'SRV: expected a directory without spaces or control characters, got "my master"'],
  [{ DSC: 'sentinel://' }, 'DSC: expected host:port (in sentinel://host:port), got "sentinel://"'],
  [{ DSC: 'sentinel://s1' }, 'DSC: expected host:port (in sentinel://host:port), got "sentinel://s1"'],
  [
    { DSC: 'sentinel://:hunter2@s1:26379' },
    'DSC: expected an endpoint without credentials (SENTINEL_USERNAME, SENTINEL_PASSWORD), got one with "@"',
  ],
  [{ SENTINEL_ROLE: 'replica' }, 'SENTINEL_ROLE: expected primary or replicas, got "replica"; did you mean replicas?'],
  [{ SENTINEL_USERNAME: 'app' }, 'SENTINEL_USERNAME: expected SENTINEL_PASSWORD beside it, got none'],
  [{ SENTINEL_CACERT: '/ca.pem' }, 'SENTINEL_CACERT: expected SENTINEL_TLS=true beside it, got false'],
] as const) {
  test(`a fault comes alone: ${report.slice(0, 60)}`, () => {
    assert.equal(
      reportOf(() => configure({ env: { DSC: 'sentinel://s1:26379', ...service, ...env } })),
      report,
    );
  });
}

test('settings of Sentinel are shown, the password is not', () => {
  const env = { ...service, DSC: 'sentinel://s1:26379', SENTINEL_USERNAME: 'app', SENTINEL_PASSWORD: 'hunter2' };
  const text = describeConfigJson(configure({ env }));
  const shown = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(
    ['dsc', 'sentinel_username', 'sentinel_password', 'sentinel_tls'].map((key) => shown[key]),
    [['sentinel://s1:26379'], 'app', '(hidden)', false],
  );
  assert.match(text, /"sentinel_role": "primary"/);
  assert.doesNotMatch(text, /hunter2/);
});
