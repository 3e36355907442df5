import assert from 'node:assert/strict';
import { after, afterEach, before, test, type TestContext } from 'node:test';
import { ComposeProject, docker, image, inspect, publishedPort, startContainer } from '../support/docker.ts';
import { askRedis, RedisInline } from '../support/redis-inline.ts';
import { eventually } from '../support/wait.ts';

// One project for the whole file, so the tests build on one another's end: all up, both Redis registered.
const project = new ComposeProject(`attache-test-${process.pid}`, { ATTACHE_PORT: '0', ATTACHE_HTTP_PORT: '0' });
const nodes = ['redis-1', 'redis-2'] as const;
/** The one beside each. */
const registrars = ['registrar-1', 'registrar-2'] as const;
const directory = '/srv/redis/debug';
const inNetwork = ['--health-interval', '1s', '--network', project.network, '--publish', '127.0.0.1::16379'];
let port = 0;

before(
  async () => {
    await project.run('up', '--detach', '--no-build');
    for (const service of ['attache', ...registrars]) await healthy(service);
    port = await publishedPort(await project.container('attache'), 16379);
    for (const node of nodes) await nameIt(node);
    await registered(...nodes);
  },
  { timeout: 120_000 },
);

afterEach(async (t) => {
  // Why a test failed stands in what the containers wrote.
  const context = t as TestContext & { readonly passed: boolean };
  if (!context.passed) context.diagnostic(await project.run('logs', '--timestamps', '--tail', '60'));
});

after(() => project.run('down', '--volumes', '--timeout', '2'), { timeout: 60_000 });

test('redis ping on the published port is answered through the sidecar', async () => {
  assert.equal(await askRedis(port, 'ping'), 'PONG');
});

test('the status page is there on its published port', async () => {
  const http = await publishedPort(await project.container('attache'), 29091);
  const page = await fetch(`http://127.0.0.1:${http}/`, { signal: AbortSignal.timeout(5_000) });
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<title>attache<\/title>/);
});

test('a redis is stopped and deregistered: its connections end, and the other one serves', async () => {
  const open = await RedisInline.connect(port);
  const serving = await open.ask('get whoami');
  const other = await stop(serving);
  await eventually(() => open.socket.destroyed, `the connection to ${serving} ended`);
  await serves(other);
  await startAgain(serving);
});

test('a redis is deregistered while it runs: its connections end, and the other one serves', async () => {
  const open = await openToFirst();
  await deregister(open);
  await registerAgain();
});

test('a registration that somebody deletes comes back, and its redis serves again', async () => {
  const open = await openToFirst();
  await etcdctl('del', keyOf(nodes[0]));
  await eventually(() => open.socket.destroyed, `the connection to ${nodes[0]} ended`);
  await registered(...nodes);
  await serves(nodes[0]);
});

test('a registrar is killed: its redis is gone from etcd although it runs, and comes back with the registrar', async () => {
  const open = await openToFirst();
  await project.run('kill', registrars[0]);
  await registered(nodes[1]);
  await eventually(() => open.socket.destroyed, `the connection to ${nodes[0]} ended`);
  await serves(nodes[1]);
  await project.run('start', registrars[0]);
  await registered(...nodes);
});

test('etcd is killed: traffic goes on; it comes back: a later change is seen', async () => {
  const open = await openToFirst();
  await project.run('kill', 'etcd');
  assert.equal(await open.ask('ping'), 'PONG');
  assert.equal(await askRedis(port, 'ping'), 'PONG');

  await project.run('start', 'etcd');
  await healthy('etcd');
  await registered(...nodes);
  assert.equal(await open.ask('get whoami'), nodes[0], 'the connection has outlived etcd');

  await deregister(open);
  await registerAgain();
});

test('LB=true from the environment: ten connections are spread five and five', async (t) => {
  const settings = ['SRC=:16379', `SRV=${directory}`, 'DSC=http://etcd:2379', 'LB=true', 'READY_MIN_CANDIDATES=2'];
  const id = await startContainer(t, ...inNetwork, ...settings.flatMap((setting) => ['--env', setting]), image);
  await healthyContainer(id);
  const balanced = await publishedPort(id, 16379);
  const answers: string[] = [];
  for (let i = 0; i < 10; i++) answers.push(await askRedis(balanced, 'get whoami'));
  for (const node of nodes) assert.equal(answers.filter((answer) => answer === node).length, 5, answers.join(' '));
});

test('a fixed candidate from the command line is dialed', async (t) => {
  const address = `${await addressOf('redis-2')}:6379`;
  const id = await startContainer(t, ...inNetwork, image, '--src', ':16379', '--dst', address);
  await healthyContainer(id);
  assert.equal(await askRedis(await publishedPort(id, 16379), 'get whoami'), 'redis-2');
});

test('discovery from the command line, as go-proxy was started', async (t) => {
  const flags = ['--src', ':16379', '--srv', directory, '--dsc', 'http://etcd:2379'];
  const id = await startContainer(t, ...inNetwork, image, ...flags);
  await healthyContainer(id);
  const discovered = await publishedPort(id, 16379);
  await eventually(async () => (await askRedis(discovered, 'ping').catch(() => '')) === 'PONG', 'it answers');
});

test('a sidecar in the network of its application is reached on loopback', async (t) => {
  const app = await project.container('redis-1');
  const flags = ['--src', '127.0.0.1:7000', '--dst', 'redis-2:6379'];
  const id = await startContainer(t, '--health-interval', '1s', '--network', `container:${app}`, image, ...flags);
  await healthyContainer(id);
  assert.equal((await docker('exec', app, 'redis-cli', '-p', '7000', 'get', 'whoami')).trim(), 'redis-2');
});

test('every attache of the project runs on after all this, and none has been restarted', async () => {
  for (const service of ['attache', ...registrars]) {
    const state = await inspect(await project.container(service), '{{.RestartCount}} {{.State.Status}}');
    assert.equal(state, '0 running', service);
  }
});

test('SIGTERM ends sidecar and registrars with exit code 0, and the registrars leave nothing behind', async () => {
  await project.run('stop', '--timeout', '20', 'attache', ...registrars);
  assert.deepEqual(await keys(), []);
  for (const service of ['attache', ...registrars]) {
    assert.equal(await inspect(await project.container(service), '{{.State.ExitCode}}'), '0', service);
  }
});

async function whoAnswers(): Promise<string> {
  return askRedis(port, 'get whoami').catch((error: unknown) => `nobody: ${String(error)}`);
}

async function serves(node: string): Promise<void> {
  await eventually(async () => (await whoAnswers()) === node, `${node} serves`);
}

/** A connection to the node that serves while both are registered, since it sorts first. */
async function openToFirst(): Promise<RedisInline> {
  await serves(nodes[0]);
  const open = await RedisInline.connect(port);
  assert.equal(await open.ask('get whoami'), nodes[0]);
  return open;
}

/** Takes the first node, which runs on, out of etcd, and waits until its connection has ended and the other node answers. */
async function deregister(open: RedisInline): Promise<void> {
  await registrar('drain', `${nodes[0]}:6379`);
  await eventually(() => open.socket.destroyed, `the connection to ${nodes[0]} ended`);
  await registered(nodes[1]);
  await serves(nodes[1]);
}

async function registerAgain(): Promise<void> {
  await registrar('undrain', `${nodes[0]}:6379`);
  await registered(...nodes);
}

/** A command in the registrar of the first node. */
async function registrar(...args: readonly string[]): Promise<void> {
  await docker('exec', await project.container(registrars[0]), '/usr/local/bin/attache', ...args);
}

/** @returns the other node */
async function stop(node: string): Promise<string> {
  const other = otherThan(node);
  await project.run('stop', '--timeout', '5', node);
  await registered(other);
  return other;
}

async function startAgain(node: string): Promise<void> {
  await project.run('start', node);
  await healthy(node);
  await nameIt(node);
  await registered(...nodes);
}

async function nameIt(node: string): Promise<void> {
  await docker('exec', await project.container(node), 'redis-cli', 'set', 'whoami', node);
}

/** Waits until exactly these nodes stand in etcd. */
async function registered(...expected: readonly string[]): Promise<void> {
  const wanted = expected.map(keyOf).sort();
  const asWanted = async () => (await keys()).join() === wanted.join();
  await eventually(asWanted, `registered are ${expected.join(' and ')}`, 30_000);
}

async function keys(): Promise<readonly string[]> {
  return (await etcdctl('get', '--prefix', directory, '--keys-only')).split('\n').filter((line) => line !== '');
}

async function etcdctl(...args: readonly string[]): Promise<string> {
  return docker('exec', await project.container('etcd'), '/usr/local/bin/etcdctl', ...args);
}

function keyOf(node: string): string {
  return `${directory}/${node}:6379`;
}

function otherThan(node: string): string {
  const [other] = nodes.filter((name) => name !== node);
  assert.ok(other !== undefined);
  return other;
}

async function addressOf(service: string): Promise<string> {
  return inspect(await project.container(service), '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}');
}

async function healthy(service: string): Promise<void> {
  return healthyContainer(await project.container(service));
}

function healthyContainer(id: string): Promise<void> {
  const asked = async () => (await inspect(id, '{{.State.Health.Status}}')) === 'healthy';
  return eventually(asked, 'healthy', 60_000);
}
