import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
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

type Refused = readonly [what: string, values: object, message: RegExp];

const refused: readonly Refused[] = [
  ['a value that does not exist', { servces: [] }, /servces/],
  ['a value that does not exist in a section', { sidecar: { natve: false } }, /natve/],
  ['no service', { services: [] }, /services: expected a service, got none; without one set env[.]SERVICES_KEY/],
  [
    'services beside a key',
    { env: { SERVICES_KEY: '/attache/web' }, discovery: { endpoints: ['http://etcd:2379'] } },
    /SERVICES_KEY: expected services=\[\] beside it, got 1/,
  ],
  [
    'a key without a registry',
    { services: [], env: { SERVICES_KEY: '/attache/web' } },
    /SERVICES_KEY: expected the registry of the key in discovery[.]endpoints, got none/,
  ],
  ['a service without a listener that does not register', { services: [{ name: 'a', dst: 'b:1' }] }, /services\/0/],
  ['a service that registers what it finds', { services: [{ name: 'a', srv: '/s', register: '/r' }] }, /services\/0/],
  [
    'a registration without a registry',
    { services: [{ name: 'a', dst: '127.0.0.1:1', register: '/r' }] },
    /services\[0\][.]register: expected an etcd in discovery[.]endpoints beside it, got none/,
  ],
  ...[
    { discovery: { endpoints: ['dns://'] } },
    { discovery: { endpoints: ['sentinel://s:26379'] } },
    { discovery: { configMap: { items: { a: 'srv/r/b:1' } } } },
    { dsc: 'dns://10.0.0.53', discovery: { endpoints: ['http://etcd:2379'] } },
  ].map(({ discovery, dsc }): Refused => [
    `a registration in ${JSON.stringify(dsc ?? discovery)}`,
    { services: [{ name: 'a', dst: '127.0.0.1:1', register: '/r', ...(dsc !== undefined && { dsc }) }], discovery },
    /services\[0\][.]register: expected an etcd \(http:\/\/host:port\) as the registry, got "(?:dns|sentinel|file):\/\//,
  ]),
  [
    'two servers that register',
    {
      services: [1, 2].map((port) => ({ name: `a${port}`, dst: `127.0.0.1:${port}`, register: '/r' })),
      discovery: { endpoints: ['http://etcd:2379'] },
    },
    /services: expected one server with register in a pod, got 127[.]0[.]0[.]1:1,127[.]0[.]0[.]1:2/,
  ],
  ['a service without candidates', { services: [{ name: 'a', src: ':1' }] }, /services/],
  ['a service with dst and srv', { services: [{ name: 'a', src: ':1', dst: 'b:1', srv: '/s' }] }, /services/],
  ['a setting of a service in capitals', { services: [{ name: 'a', src: ':1', DST: 'b:1' }] }, /services/],
  ['dst without a port', { services: [{ name: 'a', src: ':1', dst: 'redis' }] }, /services\/0\/dst/],
  [
    'dst with one member without a port',
    { services: [{ name: 'a', src: ':1', dst: ['b:1', 'c'] }] },
    /services\/0\/dst\/1/,
  ],
  [
    'a setting of a service that is misspelt',
    { services: [{ name: 'a', src: ':1', dst: 'b:1', connect_timout: '1s' }] },
    /connect_timout/,
  ],
  [
    'a policy that does not exist',
    { services: [{ name: 'a', src: ':1', dst: 'b:1', balance: 'roundrobin' }] },
    /services\/0\/balance.*round-robin/,
  ],
  ['a variable that is misspelt', { env: { LOGLEVEL: 'debug' } }, /LOGLEVEL/],
  ['a level that does not exist', { env: { LOG_LEVEL: 'verbose' } }, /env\/LOG_LEVEL/],
  [
    'a duration without its unit in env',
    { env: { IDLE_TIMEOUT: 30 } },
    /env[.]IDLE_TIMEOUT: expected a duration with its unit \(30s or 30ms\?\), got "30"/,
  ],
  [
    'a duration without its unit of a service',
    { services: [{ name: 'a', src: ':1', dst: 'b:1', hold_timeout: 10 }] },
    /services\[0\][.]hold_timeout: expected a duration with its unit \(10s or 10ms\?\), got "10"/,
  ],
  [
    'srv without a registry',
    { services: [{ name: 'a', src: ':1', srv: '/srv/a' }] },
    /services\[0\][.]srv: expected discovery[.]endpoints or discovery[.]configMap[.]items beside it, got neither/,
  ],
  [
    'a service that carries to itself',
    { services: [{ name: 'a', src: ':6379', dst: ['redis:6379', 'localhost:6379'] }] },
    /services\[0\][.]dst: expected the address of a server, got .*, where services\[0\][.]src of this process listens/,
  ],
  [
    'two services of one name',
    { services: ['a', 'a'].map((name, index) => ({ name, src: `:${index + 1}`, dst: 'b:1' })) },
    /services\[1\][.]name: expected a name of its own, got "a", which services\[0\][.]name has/,
  ],
  [
    'two services at one address',
    { services: ['a', 'b'].map((name) => ({ name, src: ':1', dst: 'b:1' })) },
    /services\[1\][.]src: expected an address of its own, got .*, where services\[0\][.]src listens/,
  ],
  ['a setting that the chart itself sets', { env: { ADMIN_ADDR: ':29092' } }, /ADMIN_ADDR/],
  ['a key that a ConfigMap cannot have', { discovery: { configMap: { items: { 'a:1': 'srv/a/b:1' } } } }, /a:1/],
  ['a member that is no address', { discovery: { configMap: { items: { a: 'srv/a/b' } } } }, /items/],
  ['a port out of range', { sidecar: { httpPort: 70000 } }, /httpPort/],
  ['a port for probes out of range', { sidecar: { probePort: -1 } }, /probePort/],
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

test('variables of Node and of AWS may stand in env, and a duration of 0', () => {
  const env = { NODE_EXTRA_CA_CERTS: '/ca.pem', AWS_REGION: 'eu-west-1', IDLE_TIMEOUT: 0, CONNECT_TIMEOUT_REDIS: '2s' };
  const [pod] = template({ env }).flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined);
  const rendered = environmentOf(attacheOf(pod));
  assert.equal(rendered['AWS_REGION'], 'eu-west-1');
  assert.equal(rendered['IDLE_TIMEOUT'], '0');
});

test('a registry that extraEnv names is one', () => {
  const services = [{ name: 'a', src: ':1', srv: '/srv/a' }];
  const { code, stderr } = helm(
    ...['template', 'app', chart],
    ...setValues({ services, extraEnv: [{ name: 'DSC', value: 'http://127.0.0.1:2379' }] }),
  );
  assert.equal(code, 0, stderr);
});

test('Prometheus finds the pods by annotations, or by a PodMonitor that selects them', () => {
  const monitoring = { scrapeAnnotations: true, podMonitor: { enabled: true, labels: { release: 'prometheus' } } };
  const { code, stdout, stderr } = helm('template', 'app', chart, ...setValues({ monitoring }));
  assert.equal(code, 0, stderr);
  const documents = parseAllDocuments(stdout).map((one) => one.toJS() as Readonly<Record<string, unknown>>);
  const monitor = documents.find(({ kind }) => kind === 'PodMonitor') as unknown as PodMonitor;
  const deployment = documents.find(({ kind }) => kind === 'Deployment') as unknown as Deployment;
  assert.equal(monitor.metadata.labels['release'], 'prometheus');
  const { labels, annotations } = deployment.spec.template.metadata;
  for (const [name, value] of Object.entries(monitor.spec.selector.matchLabels)) assert.equal(labels[name], value);
  const [endpoint] = monitor.spec.podMetricsEndpoints;
  const ports = deployment.spec.template.spec.initContainers.flatMap(({ ports: own }) => own);
  const port = ports.find(({ name }) => name === endpoint?.port);
  assert.deepEqual([port?.containerPort, endpoint?.path], [29091, '/metrics']);
  assert.equal(annotations['prometheus.io/port'], String(port?.containerPort));
  assert.equal(annotations['prometheus.io/scrape'], 'true');
  assert.doesNotMatch(helm('template', 'app', chart).stdout, /PodMonitor|prometheus[.]io/);
});

interface PodMonitor {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly podMetricsEndpoints: readonly { readonly port: string; readonly path: string }[];
  };
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: Readonly<Record<'labels' | 'annotations', Readonly<Record<string, string>>>>;
      readonly spec: {
        readonly initContainers: readonly {
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
        }[];
      };
    };
  };
}

test('NOTES say where the app connects, and how to ask', () => {
  const { code, stdout, stderr } = helm('install', '--dry-run=client', '--disable-openapi-validation', 'app', chart);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /redis: the app connects to 127[.]0[.]0[.]1:6379; attache carries it to redis:6379/);
  assert.match(stdout, /\/readyz/);
});

test('NOTES say what registers, and where services come from', () => {
  const notes = (values: object) => {
    const flags = ['--dry-run=client', '--disable-openapi-validation', ...setValues({ discovery: etcd, ...values })];
    return helm('install', ...flags, 'app', chart).stdout;
  };
  const server = { name: 'redis', dst: '127.0.0.1:6379', register: '/srv/redis' };
  assert.match(notes({ services: [server] }), /redis: attache registers 127[.]0[.]0[.]1:6379 in \/srv\/redis\n/);
  const both = notes({ services: [{ ...server, src: ':6380' }] });
  assert.match(
    both,
    /connects to :6380; attache carries it to 127[.]0[.]0[.]1:6379; attache registers .* in \/srv\/redis\n/,
  );
  const followed = notes({ services: [], env: { SERVICES_KEY: '/attache/web' } });
  assert.match(followed, /the services are those of the key \/attache\/web\n/);
});

const etcd = { endpoints: ['http://etcd:2379'] };

test('a list from a key, or from a file, needs no service beside it', () => {
  for (const values of [
    { env: { SERVICES_KEY: '/attache/web' }, discovery: etcd },
    { extraEnv: [{ name: 'SERVICES_KEY', value: '/attache/web' }], discovery: etcd },
    { env: { SERVICES_FILE: '/services/services.json' } },
  ]) {
    const [pod] = template({ services: [], ...values }).flatMap((resource) => podSpecOf(resource) ?? []);
    assert.ok(pod !== undefined);
    assert.equal(environmentOf(attacheOf(pod))['SERVICES'], undefined);
  }
});

const registered = {
  services: [
    {
      ...{ name: 'redis', dst: ['127.0.0.1:6379'], health_check: 'redis' },
      ...{ register: '/srv/redis/debug', register_address: '$(POD_IP):6379' },
    },
  ],
  discovery: etcd,
};

test('a server that registers: the address of the pod, and a preStop hook that takes the server out', () => {
  const [pod] = template(registered).flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined);
  const { env = [], lifecycle, startupProbe } = attacheOf(pod);
  assert.deepEqual(env[0], { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } });
  assert.deepEqual(lifecycle?.preStop?.exec?.command, ['/usr/local/bin/attache', 'drain', '127.0.0.1:6379']);
  assert.equal(startupProbe?.httpGet?.path, '/readyz');
  const setting = { name: 'READY_MIN_CANDIDATES', value: 1 };
  for (const values of [{ env: { READY_MIN_CANDIDATES: 1 } }, { extraEnv: [setting] }]) {
    const pods = template({ ...registered, ...values }).flatMap((resource) => podSpecOf(resource) ?? []);
    const path = pods.map(attacheOf)[0]?.startupProbe?.httpGet?.path;
    assert.equal(path, '/healthz', 'the server starts behind this probe');
  }
});

test('what needs no hook has none: a sidecar that ends with the server, and one that does not register', () => {
  const classic = template({ ...registered, sidecar: { native: false } });
  for (const resources of [classic, template({})])
    for (const pod of resources.flatMap((resource) => podSpecOf(resource) ?? []))
      assert.equal(attacheOf(pod).lifecycle, undefined);
});

test('services reach attache as they were written, numbers and lists included', () => {
  const services = [
    { name: 'db', src: '127.0.0.1:5432', dst: ['pg1:5432', 'pg2:5432'], max_connections: 2_000_000, lb: true },
  ];
  const [pod] = template({ services }).flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined);
  assert.deepEqual(JSON.parse(environmentOf(attacheOf(pod))['SERVICES'] ?? ''), services);
});

test('with sidecar.probePort the probes ask a port of their own', () => {
  const [pod] = template({ sidecar: { probePort: 29093 } }).flatMap((resource) => podSpecOf(resource) ?? []);
  assert.ok(pod !== undefined);
  const attache = attacheOf(pod);
  assert.equal(environmentOf(attache)['PROBE_ADDR'], ':29093');
  assert.deepEqual(attache.ports?.at(-1), { name: 'attache-probe', containerPort: 29093 });
  for (const probe of [attache.startupProbe, attache.readinessProbe, attache.livenessProbe])
    assert.equal(probe?.httpGet?.port, 'attache-probe');
});
