import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from './attache.ts';
import { helm, kustomize, parseManifests, type Resource } from './kubernetes.ts';

/** One set of resources that a user can apply, and where it comes from. */
export interface Rendering {
  readonly name: string;
  readonly resources: readonly Resource[];
}

export const manifests = 'deploy/kubernetes';
export const chart = 'deploy/helm/attache';
export const overlays: readonly string[] = readdirSync(join(projectRoot, manifests, 'overlays')).sort();

const members = { 'redis-0': 'srv/redis/debug/redis-0.redis:6379', 'redis-1': 'srv/redis/debug/redis-1.redis:6379' };
const discovered = [{ name: 'redis', src: '127.0.0.1:6379', srv: '/srv/redis/debug', hold_timeout: '10s' }];

/** Values that take every way through the chart's templates. */
const chartValues: Readonly<Record<string, object>> = {
  defaults: {},
  etcd: {
    services: [
      ...discovered,
      { name: 'db', src: '127.0.0.1:5432', dst: ['pg1:5432', 'pg2:5432'], max_connections: 2_000_000 },
    ],
    discovery: { endpoints: ['http://etcd-0.etcd:2379', 'http://etcd-1.etcd:2379'] },
    env: { LOG_LEVEL: 'warn', READY_MIN_CANDIDATES: 1, ACCESS_LOG: false, ETCD_USERNAME: 'attache' },
    extraEnv: [{ name: 'ETCD_PASSWORD', valueFrom: { secretKeyRef: { name: 'etcd', key: 'password' } } }],
    imagePullSecrets: [{ name: 'registry' }],
    podLabels: { team: 'a' },
    podAnnotations: { note: 'b' },
  },
  dns: {
    services: [{ name: 'redis', src: '127.0.0.1:6379', srv: 'redis.default.svc.cluster.local.:6379', lb: true }],
    discovery: { endpoints: ['dns://'] },
  },
  sentinel: {
    services: [
      { name: 'write', src: '127.0.0.1:6379', srv: 'mymaster', health_check: 'redis-primary', hold_timeout: '15s' },
      { name: 'read', src: '127.0.0.1:6380', srv: 'mymaster', sentinel_role: 'replicas', lb: true },
    ],
    discovery: { endpoints: ['sentinel://sentinel-0.sentinel:26379', 'sentinel://sentinel-1.sentinel:26379'] },
    extraEnv: [{ name: 'SENTINEL_PASSWORD', valueFrom: { secretKeyRef: { name: 'sentinel', key: 'password' } } }],
  },
  patroni: {
    services: [
      {
        ...{ name: 'write', src: '127.0.0.1:5432', dst: 'pg-0.pg:5432,pg-1.pg:5432' },
        ...{ health_check: 'http://:8008/primary', hold_timeout: '15s' },
      },
      {
        ...{ name: 'read', src: '127.0.0.1:5433', dst: 'pg-0.pg:5432,pg-1.pg:5432' },
        ...{ health_check: 'http://:8008/replica?lag=16MB', balance: 'least-connections' },
      },
    ],
  },
  'services of a key': {
    services: [],
    discovery: { endpoints: ['http://etcd-0.etcd:2379'] },
    env: { SERVICES_KEY: '/attache/web' },
  },
  'a server that registers': parse(exampleOf('deploy/kubernetes/README.md', 'register')) as object,
  'a registry of one service': {
    services: [{ name: 'redis', src: '127.0.0.1:6379', srv: 'mymaster', dsc: 'sentinel://sentinel:26379' }],
  },
  directory: { services: discovered, discovery: { configMap: { items: members, members: ['redis-1'] } } },
  'directory of your own': {
    services: discovered,
    discovery: { configMap: { name: 'elsewhere', items: members } },
    extraVolumes: [{ name: 'more', emptyDir: {} }],
    sidecar: { extraVolumeMounts: [{ name: 'more', mountPath: '/more' }] },
  },
  'a socket that two containers share': parse(exampleOf('deploy/kubernetes/README.md', 'unix:')) as object,
  'mtls, classic': {
    sidecar: { native: false, httpPort: 30001, adminPort: 30002, appSeconds: 5 },
    tls: { secretName: 'certificate', keys: { ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key' } },
  },
};

/** The block of YAML of a document that has a word. */
function exampleOf(document: string, word: string): string {
  const text = readFileSync(join(projectRoot, document), 'utf8');
  const blocks = [...text.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, block = '']) => block);
  return blocks.find((block) => block.includes(word)) ?? '';
}

/** Everything that deploy/ has for Kubernetes, as it would reach an API server. */
export function renderings(): readonly Rendering[] {
  return [
    { name: 'trial/pod.yaml', resources: manifestFile('trial/pod.yaml') },
    { name: 'base', resources: kustomize(`${manifests}/base`) },
    ...overlays.map((name) => ({ name: `overlay ${name}`, resources: overlay(name) })),
    ...Object.entries(chartValues).map(([name, values]) => ({
      name: `chart with ${name}`,
      resources: template(values),
    })),
  ];
}

/** One file of deploy/kubernetes as it stands there. */
export function manifestFile(path: string): readonly Resource[] {
  return parseManifests(readFileSync(join(projectRoot, manifests, path), 'utf8'));
}

export function overlay(name: string): readonly Resource[] {
  return kustomize(`${manifests}/overlays/${name}`);
}

/** What `helm template` makes of the chart. */
export function template(values: object): readonly Resource[] {
  const { code, stdout, stderr } = helm('template', 'app', chart, ...setValues(values));
  if (code !== 0) throw new Error(stderr);
  return parseManifests(stdout);
}

/** @returns one flag for each top-level value */
export function setValues(values: object): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
}
