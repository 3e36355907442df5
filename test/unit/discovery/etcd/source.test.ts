import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permitAll } from '../../../../src/core/dial-policy.ts';
import { parseEndpoint } from '../../../../src/etcd/endpoint.ts';
import { etcdPlan } from '../../../../src/discovery/etcd/plan.ts';
import { defaultEtcdTiming } from '../../../../src/etcd/timing.ts';
import { etcdSource } from '../../../../src/discovery/etcd/source.ts';

test('endpoints are read as URLs; only host and port are ever shown', () => {
  assert.deepEqual(parseEndpoint('http://etcd0:2379'), {
    secure: false,
    host: 'etcd0',
    port: 2379,
    label: 'etcd0:2379',
  });
  assert.deepEqual(parseEndpoint('https://[::1]:443/'), { secure: true, host: '::1', port: 443, label: '[::1]:443' });
  assert.equal(parseEndpoint('http://user:s3cret@h:1').label, 'h:1');
  assert.equal(parseEndpoint('http://h:80').port, 80);
});

for (const url of ['', 'etcd0:2379', 'ftp://h:1', 'http://', 'user:s3cret@h:1']) {
  test(`"${url}" is refused as an endpoint, without repeating it`, () => {
    assert.throws(
      () => etcdSource({ directory: '/srv/a', endpoints: [url], policy: permitAll, onFailure: 'keep' }),
      (error: Error & { code?: string }) => error.code === 'config_invalid' && !error.message.includes('s3cret'),
    );
  });
}

test('no endpoint at all is refused', () => {
  assert.throws(() => etcdSource({ directory: '/srv/a', endpoints: [], policy: permitAll, onFailure: 'keep' }), {
    code: 'config_invalid',
  });
});

test('the defaults are the measured ones, and each can be replaced alone', () => {
  const given = { directory: '/srv/a', endpoints: ['http://h:1'], policy: permitAll, onFailure: 'keep' } as const;
  const plan = etcdPlan({ ...given, timing: { callMs: 7 } });
  assert.equal(plan.prefix, '/srv/a/');
  assert.equal(plan.regressGraceMs, 30_000);
  assert.deepEqual(plan.timing, { ...defaultEtcdTiming, callMs: 7 });
});
