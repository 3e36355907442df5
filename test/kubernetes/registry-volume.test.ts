import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { startAttache } from '../support/attache.ts';
import { attacheOf, environmentOf, podSpecOf } from '../support/kubernetes.ts';
import { overlay } from '../support/renderings.ts';
import { createSecretVolume } from '../support/secret-volume.ts';
import { ask, startNamed } from '../support/tcp.ts';
import { eventually } from '../support/wait.ts';

test('a key that is taken out of the ConfigMap is a member that leaves, one that is put in a member that comes', async (t) => {
  const resources = overlay('directory');
  const pod = resources.flatMap((resource) => podSpecOf(resource) ?? [])[0] ?? assert.fail('no pod');
  const items = pod.volumes?.[0]?.configMap?.items ?? [];
  const servers = await Promise.all(items.map(({ key }) => startNamed(t, key)));
  // Servers on this machine in place of the hosts that the items name.
  const paths = new Map(
    items.map(({ key, path }, index) => [key, path.replace(/[^/]*$/, `127.0.0.1:${servers[index]?.port ?? 0}`)]),
  );
  /** As the kubelet does it: items without a key are left out, the rest is swapped by one link. */
  const publish = (keys: readonly string[]) => {
    const files = keys.flatMap((key) => paths.get(key) ?? []).map((path) => [path, ''] as const);
    return volume.publish(Object.fromEntries<string>(files));
  };

  const volume = await createSecretVolume(t);
  const members = resources.find((resource): resource is IConfigMap => resource.kind === 'ConfigMap')?.data ?? {};
  assert.deepEqual(Object.keys(members), ['redis-0', 'redis-1']);
  await publish(Object.keys(members));
  const settings = environmentOf(attacheOf(pod));
  const attache = startAttache(t, {
    env: { ...settings, SRC: '127.0.0.1:0', DSC: `file://${volume.directory}`, LB: 'true' },
  });
  const port = await attache.port();
  const answers = async () =>
    [...new Set([await ask(port).catch(String), await ask(port).catch(String)])].sort().join();

  await eventually(async () => (await answers()) === 'redis-0,redis-1', 'both answer');
  await publish(['redis-1']);
  await eventually(async () => (await answers()) === 'redis-1', 'the second alone answers');
  await publish(['redis-1', 'redis-2', 'unknown']);
  await eventually(async () => (await answers()) === 'redis-1,redis-2', 'the third has come');
});
