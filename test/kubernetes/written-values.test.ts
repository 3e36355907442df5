import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { SettingSpec } from '../../src/config/table/setting-spec.ts';
import { settingsOfChart } from '../../scripts/reference/chart-schema.ts';
import { keyOf, settings } from '../../src/config/table/settings.ts';
import { runAttache } from '../support/attache.ts';
import { attacheOf, environmentOf, helm, parseManifests, podSpecOf, type Finished } from '../support/kubernetes.ts';
import { chart, overlays, overlay } from '../support/renderings.ts';
import { scratchFolder } from '../support/scratch.ts';

/** Values as they are written in YAML, without quotes around them unless they are here, and what has to reach attache. */
const written: readonly (readonly [yaml: string, text: string | undefined])[] = [
  ['16', '16'],
  ['1000000', '1000000'],
  ['2000000000', '2000000000'],
  ['1e6', '1000000'],
  ['1_000', '1000'],
  ['0x10', '16'],
  ['0b11', '3'],
  // An octal number of YAML: only quotes can help.
  ['010', '8'],
  ['0o10', '8'],
  ['true', 'true'],
  ['yes', 'true'],
  ['y', 'true'],
  ['on', 'true'],
  ['On', 'true'],
  ['false', 'false'],
  ['no', 'false'],
  ['n', 'false'],
  ['off', 'false'],
  ['OFF', 'false'],
  ['~', undefined],
  ['null', undefined],
  ['', undefined],
  ["''", ''],
  ['"off"', 'off'],
  ['"1e6"', '1e6'],
  ['"010"', '010'],
  ['"null"', 'null'],
  ['1m30s', '1m30s'],
];

/** What a service is declared by. */
const DECLARING = ['SRC', 'DST', 'SRV'];
/** Settings of which any text may be the value: what is no text in YAML is not what was written. */
const FREE = [
  'path',
  'list of host names',
  'secret',
  'host name',
  'path | file:// | s3://',
  'directory | s3://bucket/prefix',
  'octal mode',
  'bytes with escapes',
  'prefix | /regexp/',
  'zone',
];

const inEnv = settings.filter(({ name }) => !settingsOfChart.includes(name) && !DECLARING.includes(name));
const inServices = settings.filter(({ name, scope }) => scope === 'service' && !DECLARING.includes(name));

function isFree({ kind }: SettingSpec): boolean {
  return FREE.includes(kind.label);
}

/** `helm template` of a file of values as somebody typed it. */
async function rendered(t: TestContext, yaml: string): Promise<Finished> {
  const file = join(await scratchFolder(t), 'values.yaml');
  writeFileSync(file, yaml);
  return helm('template', 'app', chart, '-f', file);
}

/** The environment of attache that a file of values comes to. */
async function environment(t: TestContext, yaml: string): Promise<Readonly<Record<string, string>>> {
  const { code, stdout, stderr } = await rendered(t, yaml);
  assert.equal(code, 0, stderr);
  const [pod] = parseManifests(stdout).flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined);
  const container = attacheOf(pod);
  for (const { name, value } of container.env ?? []) {
    assert.equal(typeof name, 'string');
    assert.ok(value === undefined || typeof value === 'string', `${name}: a text, not ${String(value)}`);
  }
  return environmentOf(container);
}

function valuesOf(env: readonly string[], service: readonly string[]): string {
  const lines = [
    'services:',
    '  - name: a',
    '    src: 127.0.0.1:1',
    '    dst: a:1',
    ...service.map((line) => `    ${line}`),
    'env:',
    ...env.map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

for (const [yaml, text] of written) {
  test(`every setting of the chart: ${yaml === '' ? 'nothing' : yaml} reaches attache as ${text ?? 'nothing'}`, async (t) => {
    const isQuoted = yaml.startsWith('"') || text === '';
    const takes = (setting: SettingSpec) =>
      text === undefined || text === '' || (setting.kind.parse(text).ok && (isQuoted || !isFree(setting)));
    const some = (list: readonly SettingSpec[]) => list.filter(takes);
    assert.ok(some([...inEnv, ...inServices]).length > 3);
    const env = await environment(
      t,
      valuesOf(
        some(inEnv).map(({ name }) => `${name}: ${yaml}`),
        some(inServices).map(({ name }) => `${keyOf(name)}: ${yaml}`),
      ),
    );
    for (const { name } of some(inEnv)) assert.equal(env[name], text, name);
    const [service = {}] = JSON.parse(env['SERVICES'] ?? '') as Readonly<Record<string, unknown>>[];
    for (const { name } of some(inServices)) {
      const value = service[keyOf(name)] ?? undefined;
      assert.equal(value === undefined ? undefined : String(value as string | number | boolean), text, name);
    }
    for (const { name, kind } of some([...inEnv, ...inServices])) {
      const asWritten = kind.parse(yaml.replaceAll(/['"]/g, ''));
      // YAML's octal numbers are what nobody can undo.
      if (!asWritten.ok || text === undefined || text === '' || yaml === '010') continue;
      assert.deepEqual(kind.parse(text), asWritten, `${name}: ${yaml}`);
    }
  });
}

test('a free text that YAML reads as something else is refused by its place, since nobody can undo it', async (t) => {
  for (const [place, list, nameOf] of [
    ['env', inEnv, ({ name }: SettingSpec) => name],
    ['services/0', inServices, ({ name }: SettingSpec) => keyOf(name)],
  ] as const) {
    const free = list.filter(isFree);
    assert.ok(free.length > 3);
    for (const yaml of ['0123', '1e6', 'on']) {
      const lines = free.map((setting) => `${nameOf(setting)}: ${yaml}`);
      const { code, stderr } = await rendered(t, place === 'env' ? valuesOf(lines, []) : valuesOf([], lines));
      assert.notEqual(code, 0);
      for (const setting of free)
        assert.match(stderr, new RegExp(`at '/${place}/${nameOf(setting)}': got (number|boolean), want`));
    }
  }
});

test('extraEnv takes numbers and booleans as texts, and leaves valueFrom alone', async (t) => {
  const yaml = `extraEnv:
  - {name: RETRIES, value: 16}
  - {name: MAX_CONNECTIONS, value: 1000000}
  - {name: PROXY_PROTOCOL, value: off}
  - {name: ACCESS_LOG, value: "no"}
  - {name: LB, value: }
  - name: ETCD_PASSWORD
    valueFrom: {secretKeyRef: {name: etcd, key: password}}
`;
  const env = await environment(t, yaml);
  const { RETRIES, MAX_CONNECTIONS, PROXY_PROTOCOL, ACCESS_LOG, LB } = env;
  assert.deepEqual(
    [RETRIES, MAX_CONNECTIONS, PROXY_PROTOCOL, ACCESS_LOG, LB],
    ['16', '1000000', 'false', 'no', undefined],
  );
  const [pod] = parseManifests((await rendered(t, yaml)).stdout).flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined);
  assert.deepEqual(
    attacheOf(pod).env?.find(({ name }) => name === 'ETCD_PASSWORD'),
    { name: 'ETCD_PASSWORD', valueFrom: { secretKeyRef: { name: 'etcd', key: 'password' } } },
  );
});

const asTyped = {
  MAX_CONNECTIONS: '1000000',
  RETRIES: '16',
  PROXY_PROTOCOL: 'off',
  ACCEPT_PROXY_PROTOCOL: 'off',
  ENGINE: 'typescript',
  DIRECT_IO: 'on',
  LB: 'on',
  ACCESS_LOG: 'no',
  HOLD_TIMEOUT: '0',
  IDLE_TIMEOUT: '1m30s',
  READY_MIN_CANDIDATES: '1000000',
  LOG_LEVEL: 'warn',
} as const;
const asTypedInServices = {
  tls_mode: 'off',
  proxy_protocol: 'off',
  accept_proxy_protocol: 'off',
  max_fails: '1000000',
};

test('attache check takes what the chart makes of a file of values as it takes the values themselves', async (t) => {
  const lines = (values: object) => Object.entries(values).map(([name, value]) => `${name}: ${String(value)}`);
  const rendering = await environment(t, valuesOf(lines(asTyped), lines(asTypedInServices)));
  const service = { name: 'a', src: '127.0.0.1:1', dst: 'a:1', ...asTypedInServices };
  const { HTTP_ADDR = '', ADMIN_ADDR = '', SHUTDOWN_TIMEOUT = '' } = rendering;
  const direct = { ...asTyped, SERVICES: JSON.stringify([service]), HTTP_ADDR, ADMIN_ADDR, SHUTDOWN_TIMEOUT };
  const [fromChart, fromText] = await Promise.all(
    [rendering, direct].map((env) => runAttache(t, { args: ['check', '--json'], env })),
  );
  assert.ok(fromChart !== undefined && fromText !== undefined);
  assert.equal(fromChart.code, 0, fromChart.stderr);
  assert.equal(fromChart.stdout, fromText.stdout);
});

test('names that YAML could read as something else stay names', async (t) => {
  const yaml = `
tls: {secretName: "1234", mode: off, keys: {ca: "on", cert: "1e3", key: "null"}}
replicas: 1000000
discovery: {configMap: {name: "0123", items: {"1": "srv/a/b:1", "on": "srv/a/c:1"}}}
services: [{name: a, src: "127.0.0.1:1", srv: /srv/a, tls_mode: client}]
`;
  const { code, stdout, stderr } = await rendered(t, yaml);
  assert.equal(code, 0, stderr);
  const [deployment] = parseManifests(stdout);
  assert.ok(deployment?.kind === 'Deployment');
  assert.equal(deployment.spec?.replicas, 1_000_000);
  const volumes = podSpecOf(deployment)?.volumes ?? [];
  assert.equal(volumes[0]?.secret?.secretName, '1234');
  assert.deepEqual(
    volumes[0].secret.items?.map(({ key }) => key),
    ['on', '1e3', 'null'],
  );
  assert.equal(volumes[1]?.configMap?.name, '0123');
  assert.deepEqual(volumes[1].configMap.items?.map(({ key }) => key).sort(), ['1', 'on']);
  const numeric = helm('template', '1234', chart, '--set-json', 'discovery.configMap.items={"on":"srv/a/b:1"}');
  const names = parseManifests(numeric.stdout).map(({ metadata }) => metadata?.name);
  assert.deepEqual(names.sort(), ['1234', '1234-members']);
});

test('the environment of every overlay is texts, as kustomize renders it', () => {
  for (const name of overlays) {
    const containers = overlay(name)
      .flatMap((resource) => podSpecOf(resource) ?? [])
      .map(attacheOf);
    for (const { env = [] } of containers) {
      for (const { name: variable, value } of env) {
        assert.ok(value === undefined || typeof value === 'string', `${name}: ${variable} is ${String(value)}`);
      }
    }
  }
});
