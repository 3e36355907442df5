import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { docker, image, inspect, startContainer, tryDocker } from '../support/docker.ts';
import { eventually } from '../support/wait.ts';

const hardened = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
const attache = '/usr/local/bin/attache';
/** Loaded when a setting asks for it: `sentinel://`, etcd, `s3://`. */
const CLIENTS = ['ioredis', 'etcd3', '@aws-sdk/client-s3', '@aws-sdk/credential-providers'].map(
  (name) => `app/node_modules/${name}/package.json`,
);
const given = ['--src', ':16379', '--dst', '127.0.0.1:1'];

test('the image holds the app and what it runs on, and no shell, package manager or compiler', async (t) => {
  const files = await imageFiles(t);
  for (const needed of ['usr/local/bin/node', 'app/dist/main.js', 'app/package.json', 'app/LICENSE', ...CLIENTS]) {
    assert.ok(files.includes(needed), `${needed} is missing`);
  }
  const programs = files.filter((file) => /(^|\/)s?bin\/[^/]+$/.test(file) && !file.includes('/node_modules/'));
  assert.deepEqual(programs.sort(), ['usr/local/bin/attache', 'usr/local/bin/node']);
  const surplus = /node_modules\/(npm|typescript|eslint|prettier|s3rver|fast-check)\/|[.]ts$|[.]map$/;
  assert.deepEqual(
    files.filter((file) => surplus.test(file)),
    [],
  );
});

test('the image is smaller than 150 MB', async () => {
  const bytes = Number(await inspect(image, '{{.Size}}'));
  assert.ok(bytes < 150e6, `${bytes} bytes`);
});

test('the image says how it is to be run', async () => {
  const config = JSON.parse(await inspect(image, '{{json .Config}}')) as Record<string, unknown>;
  assert.equal(config['User'], '65532:65532');
  assert.equal(config['StopSignal'], 'SIGTERM');
  assert.deepEqual(config['Entrypoint'], [attache]);
  assert.deepEqual((config['Healthcheck'] as { Test: unknown }).Test, ['CMD', attache, 'healthcheck']);
  assert.ok((config['Env'] as string[]).includes('NODE_ENV=production'));
  const labels = config['Labels'] as Record<string, string>;
  assert.equal(labels['org.opencontainers.image.licenses'], 'MIT');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(labels['org.opencontainers.image.version'], version);
  for (const name of ['title', 'description']) {
    assert.notEqual(labels[`org.opencontainers.image.${name}`] ?? '', '', name);
  }
});

test(
  'the same sources give the same layers, and the labels say what the build was told',
  { timeout: 400_000 },
  async (t) => {
    const stamps = { VERSION: '1.2.3', REVISION: 'abc', SOURCE: 'https://git.example/attache' };
    const tag = `attache-again-${process.pid}`;
    const args = Object.entries(stamps).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    const before = new Set(await stages());
    t.after(async () => {
      const left = (await stages()).filter((id) => !before.has(id));
      if (left.length > 0) await tryDocker('rmi', ...left);
    });
    // The first may come from the builder's cache, of whatever day; the second is made now.
    const first = (await docker('build', '--quiet', '.')).trim();
    await docker('build', '--quiet', '--no-cache', '--tag', tag, ...args, '.');
    t.after(() => docker('rmi', tag));
    assert.equal(await inspect(tag, '{{json .RootFS.Layers}}'), await inspect(first, '{{json .RootFS.Layers}}'));
    const labels = JSON.parse(await inspect(tag, '{{json .Config.Labels}}')) as Record<string, string>;
    for (const [name, value] of Object.entries(stamps)) {
      assert.equal(labels[`org.opencontainers.image.${name.toLowerCase()}`], value);
    }
  },
);

test('on the Node that the Dockerfile names, and at the defaults, it carries bytes both ways', async (t) => {
  const [, pinned] = /^ARG NODE_IMAGE=node:([\d.]+)-/m.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
  const id = await startContainer(t, ...hardened, image, '--src', '127.0.0.1:16379', '--dst', '127.0.0.1:16380');
  await healthcheckPasses(id);
  assert.equal((await docker('exec', id, '/usr/local/bin/node', '--version')).trim(), `v${pinned}`);
  // Both ends inside, where nothing else is to be had: a server that sends back what it gets, and a client of attache.
  const script = `
    const net = require('node:net');
    const server = net.createServer((socket) => socket.pipe(socket)).listen(16380, '127.0.0.1', () => {
      const sent = Buffer.alloc(3_000_000, 'abcdefghijklmnopq');
      const client = net.connect({ port: 16379, host: '127.0.0.1', allowHalfOpen: true });
      const got = [];
      client.on('data', (chunk) => got.push(chunk)).on('end', () => {
        console.log(Buffer.concat(got).equals(sent) ? 'every byte' : 'other bytes');
        server.close();
      });
      client.end(sent);
    });`;
  for (let i = 0; i < 3; i += 1)
    assert.equal((await docker('exec', id, '/usr/local/bin/node', '-e', script)).trim(), 'every byte');
  assert.equal(await inspect(id, '{{.State.Running}}'), 'true');
});

test('promise 37: read-only, without capabilities or new privileges it becomes healthy, as uid 65532', async (t) => {
  const id = await startContainer(t, '--health-interval', '1s', ...hardened, image, ...given);
  await eventually(async () => (await inspect(id, '{{.State.Health.Status}}')) === 'healthy', 'healthy', 30_000);

  const status = await inside(id, "fs.readFileSync('/proc/1/status', 'utf8')");
  assert.match(status, /^Uid:\s+65532\s+65532\s+65532\s+65532$/m);
  assert.match(status, /^Gid:\s+65532\s/m);
  assert.match(status, /^CapBnd:\s+0+$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  const shell = await tryDocker('exec', id, 'sh', '-c', 'true');
  assert.match(shell.stderr + shell.stdout, /executable file not found/);
});

test('without a read-only root it still cannot change its own program', async (t) => {
  const id = await startContainer(t, image, ...given);
  const attempt = `(() => { try { fs.appendFileSync('/app/dist/main.js', ' '); return 'written'; } catch (e) { return e.code; } })()`;
  assert.equal((await inside(id, attempt)).trim(), 'EACCES');
});

test('promise 37: SIGTERM ends it within 3 s with exit code 0', async (t) => {
  const id = await startContainer(t, ...hardened, image, ...given);
  await healthcheckPasses(id);
  const begun = performance.now();
  await docker('stop', '--time', '20', id);
  const seconds = (performance.now() - begun) / 1000;
  assert.equal(await inspect(id, '{{.State.ExitCode}}'), '0');
  assert.ok(seconds < 3, `${seconds} s`);
});

test('with its registry out of reach it runs, and the health check says no', async (t) => {
  const environment = ['-e', 'SRC=:16379', '-e', 'SRV=/srv/redis/debug', '-e', 'DSC=http://127.0.0.1:1'];
  const id = await startContainer(t, ...hardened, ...environment, image);
  await eventually(async () => (await docker('logs', id)) !== '', 'it has started');
  const check = await tryDocker('exec', id, 'attache', 'healthcheck');
  assert.equal(check.code, 1, check.stderr);
  assert.equal(await inspect(id, '{{.State.Running}}'), 'true');
});

test('promise 38: without settings it says which are missing and exits with 78', async () => {
  const { code, stderr } = await tryDocker('run', '--rm', ...hardened, image);
  assert.equal(code, 78);
  assert.match(stderr, /SRC/);
});

test('without a network, help and version answer with exit code 0', async () => {
  for (const command of ['help', 'version']) {
    const { code, stdout } = await tryDocker('run', '--rm', '--network', 'none', ...hardened, image, command);
    assert.equal(code, 0, command);
    assert.notEqual(stdout.trim(), '', command);
  }
});

/** What stages of builds leave behind, a gigabyte each time. */
async function stages(): Promise<readonly string[]> {
  const ids = await docker('images', '--quiet', '--no-trunc', '--filter', 'dangling=true');
  return ids.split('\n').filter((id) => id !== '');
}

async function imageFiles(t: TestContext): Promise<readonly string[]> {
  const id = (await docker('create', image)).trim();
  t.after(() => docker('rm', id));
  const tar = spawn('sh', ['-c', 'docker export "$1" | tar -t', 'sh', id], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [names] = await Promise.all([text(tar.stdout), once(tar, 'close')]);
  return names.split('\n').filter((name) => name !== '' && !name.endsWith('/'));
}

function inside(id: string, expression: string): Promise<string> {
  return docker('exec', id, '/usr/local/bin/node', '-p', expression);
}

function healthcheckPasses(id: string): Promise<void> {
  const asked = async () => (await tryDocker('exec', id, 'attache', 'healthcheck')).code === 0;
  return eventually(asked, 'the health check passes', 30_000);
}
