import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { projectRoot } from '../support/attache.ts';
import { attacheOf, environmentOf, helm, podSpecOf } from '../support/kubernetes.ts';
import { chart, setValues, template } from '../support/renderings.ts';

test('helm lint --strict finds nothing', () => {
  const { code, stdout, stderr } = helm('lint', '--strict', chart);
  assert.equal(code, 0, stdout + stderr);
  assert.doesNotMatch(stdout, /\[(WARNING|ERROR)\]/);
});

test('the version of the chart and of its app is that of the package', () => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  const about = parse(readFileSync(join(projectRoot, chart, 'Chart.yaml'), 'utf8')) as Record<string, unknown>;
  assert.equal(about['version'], version);
  assert.equal(about['appVersion'], version);
});

const refused: readonly (readonly [what: string, values: object, message: RegExp])[] = [
  ['a value that does not exist', { servces: [] }, /servces/],
  ['a value that does not exist in a section', { sidecar: { natve: false } }, /natve/],
  ['no service', { services: [] }, /services/],
  ['a service without candidates', { services: [{ name: 'a', src: ':1' }] }, /services/],
  ['a service with dst and srv', { services: [{ name: 'a', src: ':1', dst: 'b:1', srv: '/s' }] }, /services/],
  ['a word of a service in capitals', { services: [{ name: 'a', src: ':1', DST: 'b:1' }] }, /services/],
  ['a word that the chart itself sets', { env: { ADMIN_ADDR: ':29092' } }, /ADMIN_ADDR/],
  ['a key that a ConfigMap cannot have', { discovery: { configMap: { items: { 'a:1': 'srv/a/b:1' } } } }, /a:1/],
  ['a member that is no address', { discovery: { configMap: { items: { a: 'srv/a/b' } } } }, /items/],
  ['a port out of range', { sidecar: { httpPort: 70000 } }, /httpPort/],
  ['a container of the name attache', { containers: [{ name: 'attache', image: 'x' }] }, /containers/],
];

for (const [what, values, message] of refused) {
  test(`values are refused: ${what}`, () => {
    const { code, stderr } = helm('template', 'app', chart, ...setValues(values));
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  });
}

test('two registries at once are refused, with both named', () => {
  const discovery = { endpoints: ['http://etcd:2379'], configMap: { items: { a: 'srv/a/b:1' } } };
  const { code, stderr } = helm('template', 'app', chart, ...setValues({ discovery }));
  assert.notEqual(code, 0);
  assert.match(stderr, /discovery.endpoints and discovery.configMap.items/);
});

test('a native sidecar on a cluster that has none is refused; an ordinary one is not', () => {
  const old = ['--kube-version', '1.28.0'];
  const { code, stderr } = helm('template', 'app', chart, ...old);
  assert.notEqual(code, 0);
  assert.match(stderr, /sidecar.native=false/);
  assert.equal(helm('template', 'app', chart, ...old, '--set', 'sidecar.native=false').code, 0);
});

test('NOTES say where the app connects, and how to ask', () => {
  const { code, stdout, stderr } = helm('install', '--dry-run=client', '--disable-openapi-validation', 'app', chart);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /redis: the app connects to 127[.]0[.]0[.]1:6379; attache carries it to redis:6379/);
  assert.match(stdout, /\/readyz/);
});

test('services reach attache as they were written, numbers and lists included', () => {
  const services = [
    { name: 'db', src: '127.0.0.1:5432', dst: ['pg1:5432', 'pg2:5432'], max_connections: 2_000_000, lb: true },
  ];
  const [pod] = template({ services }).flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined);
  assert.deepEqual(JSON.parse(environmentOf(attacheOf(pod))['SERVICES'] ?? ''), services);
});
