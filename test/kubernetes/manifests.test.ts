import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { readName } from '../../src/config/table/settings.ts';
import { formatAddress } from '../../src/core/address.ts';
import { parseDuration } from '../../src/core/duration.ts';
import { projectRoot, runAttache } from '../support/attache.ts';
import { attacheOf, environmentOf, podSpecOf, typeErrors, validate, type Resource } from '../support/kubernetes.ts';
import { manifests, renderings } from '../support/renderings.ts';

const POD_IP = '10.0.1.134';

const all = renderings();
const pods = all.flatMap(({ name, resources }) =>
  resources.flatMap((resource) => {
    const pod = podSpecOf(resource);
    return pod === undefined
      ? []
      : [{ name: `${name}, ${resource.metadata?.name ?? '?'}`, resource, pod, attache: attacheOf(pod) }];
  }),
);

for (const { name, resources } of all) {
  test(`${name}: every field has the type that Kubernetes gives it`, () => {
    assert.ok(resources.length > 0);
    resources.forEach(validate);
  });
}

test('no manifest has a field that Kubernetes does not know', (t) => {
  assert.equal(
    typeErrors(
      t,
      all.flatMap(({ resources }) => resources),
    ),
    '',
  );
});

test('a misspelt field and a wrong type are found', (t) => {
  const [{ resource } = assert.fail('no pod')] = pods;
  assert.equal(resource.kind, 'Pod');
  const misspelt = { ...resource, spec: { ...podSpecOf(resource), enableServiceLink: false } } as Resource;
  assert.match(typeErrors(t, [misspelt]), /enableServiceLink/);
  const mistyped = { ...resource, spec: { ...podSpecOf(resource), enableServiceLinks: 'no' } } as unknown as Resource;
  assert.throws(() => validate(mistyped), /enableServiceLinks/);
});

test('every file of deploy/kubernetes is part of something that is checked here', () => {
  const folders = [
    'trial',
    'base',
    ...readdirSync(join(projectRoot, manifests, 'overlays')).map((name) => `overlays/${name}`),
  ];
  const used = folders.flatMap((folder) => [`${folder}/kustomization.yaml`, ...filesOf(folder)]);
  const found = readdirSync(join(projectRoot, manifests), { recursive: true, encoding: 'utf8' });
  const unused = found.filter((file) => /[.](ya?ml|json)$/.test(file) && !used.includes(file));
  assert.deepEqual(unused, ['trial/pod.yaml']);
});

for (const { name, pod, attache } of pods) {
  test(`${name}: its settings are known, and together are a configuration without a warning`, async (t) => {
    const names = (attache.env ?? []).map((entry) => entry.name);
    assert.ok(names.length > 0);
    assert.equal(new Set(names).size, names.length, 'a setting twice');
    const own = (attache.env ?? []).filter(({ valueFrom }) => valueFrom?.fieldRef === undefined);
    for (const { name: setting } of own)
      assert.match(readName(setting)?.kind ?? 'unknown', /^(setting|secret-file|suffixed)$/, setting);
    const { code, stderr } = await check(t, attache);
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });

  test(`${name}: it fits the restricted profile of the pod security standards`, () => {
    assertRestricted(pod);
  });

  test(`${name}: no Service's variables, no token, a tag of its own, and memory is bounded`, () => {
    assert.equal(pod.enableServiceLinks, false);
    assert.equal(pod.automountServiceAccountToken, false);
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
    assert.equal(attache.image, `attache:${version}`);
    const { limits } = attache.resources ?? {};
    assert.match(String(limits?.['memory']), /^\d+Mi$/);
    assert.equal(limits?.['cpu'], undefined, 'a limit of CPU delays every byte');
  });

  test(`${name}: stopping takes less than the grace period`, () => {
    const settings = environmentOf(attache);
    const needed = seconds(settings['DRAIN_DELAY'] ?? '0') + seconds(settings['SHUTDOWN_TIMEOUT'] ?? '30s');
    assert.ok((pod.terminationGracePeriodSeconds ?? 30) > needed, `${needed} s`);
    const pair = pod.containers.length > 1 && pod.restartPolicy === undefined;
    if (pair)
      assert.ok(seconds(settings['DRAIN_DELAY'] ?? '0') > 0, 'the app that stops at the same time is still served');
  });

  test(`${name}: probes ask the port that HTTP_ADDR opens, and the admin port stays on loopback`, () => {
    const settings = environmentOf(attache);
    const port = Number((settings['HTTP_ADDR'] ?? ':29091').split(':').at(-1));
    assert.deepEqual(attache.ports, [{ name: 'attache-http', containerPort: port }]);
    assert.match(settings['ADMIN_ADDR'] ?? '127.0.0.1:', /^127[.]0[.]0[.]1:/);
    const { startupProbe, readinessProbe, livenessProbe } = attache;
    const asked = (path: string) => ({ path, port: 'attache-http' });
    // A server that starts behind this probe would never be a candidate.
    const isAwaited = registers(settings) && settings['READY_MIN_CANDIDATES'] !== undefined;
    if (startupProbe !== undefined) assert.deepEqual(startupProbe.httpGet, asked(isAwaited ? '/healthz' : '/readyz'));
    if (readinessProbe !== undefined) assert.deepEqual(readinessProbe.httpGet, asked('/readyz'));
    assert.deepEqual(livenessProbe?.httpGet, asked('/healthz'));
    assert.ok(startupProbe !== undefined || !attache.native, 'a native sidecar holds the app back until it is ready');
    assert.ok(readinessProbe !== undefined || pod.restartPolicy === 'Never');
  });

  test(`${name}: what registers leaves etcd before its server ends, and has the address of its pod`, () => {
    const settings = environmentOf(attache);
    if (!registers(settings)) return;
    const [first] = attache.env ?? [];
    assert.deepEqual(first, { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } });
    for (const { register, candidates } of loadConfig({ env: inPod(attache) }).services) {
      assert.equal(register?.address?.host, POD_IP);
      assert.ok(candidates.kind === 'static');
      const [server = assert.fail('no server')] = candidates.addresses;
      assert.ok(server.kind === 'tcp' && server.host === '127.0.0.1' && server.port === register.address.port);
      const hook = ['/usr/local/bin/attache', 'drain', formatAddress(server)];
      assert.deepEqual(attache.lifecycle?.preStop?.exec?.command, hook);
    }
    const [server] = pod.containers;
    const [sleep, time] = server?.lifecycle?.preStop?.exec?.command ?? [];
    assert.equal(sleep, 'sleep', 'clients hear of it before the server ends');
    const needed = Number(time) + seconds(settings['SHUTDOWN_TIMEOUT'] ?? '30s');
    assert.ok(Number(time) >= 2 && (pod.terminationGracePeriodSeconds ?? 30) > needed);
  });

  test(`${name}: a native sidecar always restarts, an ordinary container says nothing of it`, () => {
    assert.equal(attache.restartPolicy, attache.native ? 'Always' : undefined);
  });

  test(`${name}: what is mounted is a volume of the pod, whole, and read-only but for an emptyDir`, () => {
    const volumes = new Map((pod.volumes ?? []).map((volume) => [volume.name, volume]));
    for (const mount of attache.volumeMounts ?? []) {
      assert.ok(volumes.has(mount.name), mount.name);
      assert.equal(mount.subPath, undefined, 'a subPath is never updated');
      if (volumes.get(mount.name)?.emptyDir === undefined) assert.equal(mount.readOnly, true);
    }
  });
}

function check(t: TestContext, attache: IContainer) {
  // The files of its volumes are in a cluster.
  return runAttache(t, { args: ['check', '--no-files'], env: inPod(attache) });
}

/** The environment as the kubelet makes it: with values from elsewhere, and names that stand above replaced. */
function inPod(attache: IContainer): Readonly<Record<string, string>> {
  const made: Record<string, string> = {};
  for (const { name, value, valueFrom } of attache.env ?? []) {
    const text = value ?? (valueFrom?.fieldRef === undefined ? 'secret' : POD_IP);
    made[name] = text.replaceAll(/\$\(([A-Z_]+)\)/g, (asWritten, other: string) => made[other] ?? asWritten);
  }
  return made;
}

function registers({ REGISTER, SERVICES = '' }: Readonly<Record<string, string>>): boolean {
  return REGISTER !== undefined || SERVICES.includes('"register"');
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a root that is read-only. */
function assertRestricted(pod: IPodSpec): void {
  assert.equal(pod.securityContext?.runAsNonRoot, true);
  assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' });
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC'] as const) assert.equal(pod[key], undefined);
  for (const { configMap, secret, emptyDir } of pod.volumes ?? []) assert.ok(configMap ?? secret ?? emptyDir);
  for (const { name, securityContext, ports } of [...(pod.initContainers ?? []), ...pod.containers]) {
    const { runAsUser, runAsGroup, ...rest } = securityContext ?? {};
    assert.deepEqual(
      rest,
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      name,
    );
    assert.ok((runAsUser ?? 0) > 0 && (runAsGroup ?? 0) > 0, name);
    if (name === 'attache') assert.equal(runAsUser, 65532);
    for (const { hostPort } of ports ?? []) assert.equal(hostPort, undefined);
  }
}

/** Files that the kustomization of a folder names. */
function filesOf(folder: string): readonly string[] {
  if (folder === 'trial') return [];
  const text = readFileSync(join(projectRoot, manifests, folder, 'kustomization.yaml'), 'utf8');
  const { resources = [], patches = [] } = parse(text) as { resources?: string[]; patches?: { path: string }[] };
  return [...resources, ...patches.map(({ path }) => path)].map((path) => `${folder}/${path}`);
}

function seconds(text: string): number {
  const read = parseDuration(text);
  assert.ok(read.ok, text);
  return read.ms / 1000;
}
