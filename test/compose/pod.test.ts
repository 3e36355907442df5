import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { IPod } from 'kubernetes-models/v1/Pod';
import { projectRoot } from '../support/attache.ts';
import { image } from '../support/docker.ts';
import { attacheOf, environmentOf, podSpecOf } from '../support/kubernetes.ts';
import { Podman } from '../support/podman.ts';
import { manifestFile } from '../support/renderings.ts';
import { eventually } from '../support/wait.ts';

const reason = process.env['NO_PODMAN'];
const options = reason === undefined ? {} : { skip: reason };
const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
const redis = 'redis:7-bookworm';
let podman: Podman;

before(
  async () => {
    if (reason !== undefined) return;
    podman = new Podman();
    podman.load(image, redis);
    await podman.run('tag', image, `${image}:${version}`);
  },
  { timeout: 120_000 },
);

after(() => (reason === undefined ? podman.close() : undefined), { timeout: 60_000 });

test(
  'the trial pod runs: Redis answers the app through attache, restricted as it is, and POST /quit ends attache alone',
  options,
  async () => {
    const [pod] = manifestFile('trial/pod.yaml');
    assert.ok(pod?.kind === 'Pod');
    await podman.play(withoutPorts(pod));
    const [attache, app] = ['attache-trial-attache', 'attache-trial-app'];

    const ping = () => podman.exec(app, 'redis-cli', 'ping').catch(String);
    await eventually(async () => (await ping()) === 'PONG\n', 'PONG through attache', 30_000);
    assert.equal(await get('/healthz'), 200);
    assert.equal(await get('/readyz'), 200);

    const status = await inside("fs.readFileSync('/proc/1/status', 'utf8')");
    assert.match(status, /^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
    assert.match(status, /^CapBnd:\s+0+$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
    const write =
      "(() => { try { fs.writeFileSync('/tmp/x', ''); return 'written'; } catch (e) { return e.code; } })()";
    assert.match(await inside(write), /^EROFS$/m);

    // Not from its own container, which ends with it.
    const quit = `exec 3<>/dev/tcp/127.0.0.1/29092; printf 'POST /quit HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3; head -n 1 <&3`;
    assert.match(await podman.exec(app, 'bash', '-c', quit), / 202 /);
    assert.equal(await podman.ended(attache), 0);
    assert.equal((await podman.state(app)).status, 'running');

    function inside(expression: string): Promise<string> {
      return podman.exec(attache, '/usr/local/bin/node', '-p', expression);
    }

    async function get(path: string): Promise<number> {
      const asked = `fetch('http://127.0.0.1:29091${path}').then(({ status }) => console.log(status))`;
      return Number(await podman.exec(attache, '/usr/local/bin/node', '-e', asked));
    }
  },
);

test('the classic Job completes: its work is done through attache, which then quits', options, async () => {
  const [job] = manifestFile('overlays/job/classic-job.yaml');
  assert.ok(job !== undefined);
  const spec = podSpecOf(job) ?? assert.fail('no pod');
  const { env = [] } = attacheOf(spec);
  assert.equal(environmentOf({ name: 'attache', env })['DST'], 'redis:6379');
  const server = {
    name: 'redis',
    image: redis,
    args: ['redis-server', '--bind', '127.0.0.2', '--save', ''],
    securityContext: spec.containers[0]?.securityContext ?? {},
  };
  const containers = spec.containers.map((container) =>
    container.name === 'attache'
      ? {
          ...container,
          env: env.map((entry) => (entry.name === 'DST' ? { ...entry, value: '127.0.0.2:6379' } : entry)),
        }
      : container,
  );
  const pod: IPod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'attache-job' },
    spec: { ...spec, containers: [...containers, server] },
  };
  await podman.play(withoutPorts(pod));
  assert.equal(await podman.ended('attache-job-migrate'), 0);
  assert.equal(await podman.ended('attache-job-attache'), 0);
  assert.equal(await podman.exec('attache-job-redis', 'redis-cli', '-h', '127.0.0.2', 'get', 'migrated'), 'yes\n');
});

/** podman would publish a container's ports on the host. */
function withoutPorts(pod: IPod): IPod {
  assert.ok(pod.spec !== undefined);
  const containers = pod.spec.containers.map((container) => {
    const rest = { ...container };
    delete rest.ports;
    return rest;
  });
  return { ...pod, spec: { ...pod.spec, containers } };
}
