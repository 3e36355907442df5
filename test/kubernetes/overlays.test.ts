import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { parseAddress } from '../../src/core/address.ts';
import { attacheOf, environmentOf, podSpecOf, type Resource } from '../support/kubernetes.ts';
import { document } from '../support/documents.ts';
import { recipe } from '../support/recipe.ts';
import { overlay, overlays } from '../support/renderings.ts';

test('there is an overlay for each way of use', () => {
  assert.deepEqual(overlays, ['classic', 'directory', 'dns', 'etcd', 'job', 'mtls', 'patroni', 'sentinel', 'server']);
});

test('etcd: discovery instead of the candidate of the base', () => {
  const settings = settingsOf(overlay('etcd'));
  assert.equal(settings['DST'], undefined);
  assert.equal(settings['SRV'], '/srv/redis/debug');
  assert.match(settings['DSC'] ?? '', /^http:/);
});

for (const [name, registry] of [
  ['dns', /^dns:/],
  ['sentinel', /^sentinel:/],
] as const) {
  test(`${name}: discovery instead of the candidate of the base, within the pods' network`, () => {
    const settings = settingsOf(overlay(name));
    assert.equal(settings['DST'], undefined);
    assert.match(settings['DSC'] ?? '', registry);
    assert.equal(settings['DISCOVERY_ALLOW'], '10.0.0.0/8');
  });
}

test('patroni: the recipe of the page, with the names of Pods', () => {
  const { SRC, DST, ...settings } = settingsOf(overlay('patroni'));
  assert.deepEqual([SRC, DST], [undefined, undefined]);
  const told = Object.entries(recipe(document('docs/health-checks.md'), 'sh health patroni'));
  for (const [name, value] of told) {
    const inPod = name.startsWith('SRC') ? `127.0.0.1${value}` : value.replaceAll(/pg-\d/g, '$&.pg');
    assert.equal(settings[name], inPod, name);
  }
});

test('server: it registers where the clients of the overlay etcd look, in the same registry', () => {
  const [server, client] = [settingsOf(overlay('server')), settingsOf(overlay('etcd'))];
  assert.deepEqual([server['REGISTER'], server['DSC']], [client['SRV'], client['DSC']]);
  assert.deepEqual([server['SRC'], server['SRV']], [undefined, undefined], 'clients dial the server itself');
  const { native, image } = attacheOf(onlyPod(overlay('server')));
  assert.deepEqual([native, image], [true, attacheOf(onlyPod(overlay('etcd'))).image]);
});

test('directory: the items of the ConfigMap make a registry in which SRV is found, of addresses alone', () => {
  const resources = overlay('directory');
  const pod = onlyPod(resources);
  const attache = attacheOf(pod);
  const settings = environmentOf(attache);
  assert.equal(settings['DST'], undefined);
  const mount = attache.volumeMounts?.find(({ name }) => name === 'registry');
  assert.equal(settings['DSC'], `file://${mount?.mountPath ?? ''}`);

  const volume = pod.volumes?.find(({ name }) => name === 'registry')?.configMap;
  assert.equal(volume?.optional, true, 'a key that is absent must not keep the pod from starting');
  const items = volume.items ?? [];
  assert.ok(items.length > 0);
  for (const { path } of items) {
    // The rules of the API server for such a path: relative, and no part of it goes up.
    assert.ok(!path.startsWith('/') && !path.split('/').includes('..') && !path.startsWith('..'), path);
    assert.equal(`/${posix.dirname(path)}`, settings['SRV']);
    assert.deepEqual(parseAddress(posix.basename(path), 'discovered').ok, true, path);
  }
  const members = resources.find((resource): resource is IConfigMap => resource.kind === 'ConfigMap');
  assert.equal(members?.metadata?.name, volume.name);
  const keys = Object.keys(members?.data ?? {});
  assert.ok(keys.length > 0);
  for (const key of keys) {
    assert.match(key, /^[-._a-zA-Z0-9]+$/, 'what the API server takes for a key');
    assert.ok(
      items.some((item) => item.key === key),
      key,
    );
  }
});

test('mtls: the Secret gives the three files that TLS_CERTPATH looks for, readable for the group alone', () => {
  const pod = onlyPod(overlay('mtls'));
  const attache = attacheOf(pod);
  const settings = environmentOf(attache);
  assert.equal(settings['TLS_MODE'], 'client');
  const { secret } = pod.volumes?.find(({ name }) => name === 'tls') ?? {};
  assert.deepEqual(secret?.items?.map(({ path }) => path).sort(), ['ca.pem', 'cert.pem', 'key.pem']);
  assert.equal(secret.defaultMode, 0o440);
  assert.equal(pod.securityContext?.fsGroup, attache.securityContext?.runAsGroup);
  const mount = attache.volumeMounts?.find(({ name }) => name === 'tls');
  assert.equal(mount?.mountPath, settings['TLS_CERTPATH']);
});

test('classic: attache is the first of the ordinary containers, and there is no init container', () => {
  const pod = onlyPod(overlay('classic'));
  assert.equal(pod.initContainers, undefined);
  assert.deepEqual(
    pod.containers.map(({ name }) => name),
    ['attache', 'app'],
  );
});

test('job: the native one needs no quit, the classic one asks for it, and neither starts its pod again', () => {
  const jobs = overlay('job').map((resource) => podSpecOf(resource) ?? assert.fail('not a job'));
  assert.deepEqual(
    jobs.map((pod) => pod.restartPolicy),
    ['Never', 'Never'],
  );
  const quits = (pod: IPodSpec) => pod.containers.some(({ args }) => args?.some((text) => text.includes('/quit')));
  for (const pod of jobs) assert.equal(quits(pod), !attacheOf(pod).native);
  assert.deepEqual(jobs.map((pod) => attacheOf(pod).native).sort(), [false, true]);
});

function onlyPod(resources: readonly Resource[]): IPodSpec {
  const [pod, ...more] = resources.flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined && more.length === 0);
  return pod;
}

function settingsOf(resources: readonly Resource[]): Readonly<Record<string, string>> {
  return environmentOf(attacheOf(onlyPod(resources)));
}
