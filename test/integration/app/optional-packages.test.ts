import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { environmentWith, startAttache } from '../../support/attache.ts';
import { installedWithoutPeers } from '../../support/installed.ts';
import { ask, startNamed } from '../../support/tcp.ts';

/** Read only, so one is enough. */
const folder = installedWithoutPeers({ after });
const main = join(folder, 'node_modules/attache/dist/main.js');

const ETCD = 'needs the package etcd3, which is not installed: run npm install etcd3';
const S3_PACKAGES = ['@aws-sdk/client-s3', '@aws-sdk/credential-providers'];
const S3 = `needs the packages ${S3_PACKAGES.join(' and ')}, which are not installed: run npm install ${S3_PACKAGES.join(' ')}`;

test('what is installed here has none of them', () => {
  for (const name of ['etcd3', ...S3_PACKAGES]) assert.ok(!existsSync(join(folder, 'node_modules', name)), name);
});

const cases = [
  [
    'a service in etcd',
    { SRC_REDIS: ':0', SRV_REDIS: '/srv/redis', DSC: 'http://etcd0:2379' },
    `SRC_REDIS: DSC http://etcd0:2379 ${ETCD}`,
  ],
  [
    'a service that registers in etcd',
    { SRC: ':0', DST: '127.0.0.1:1', REGISTER: '/srv/redis', DSC: 'http://etcd0:2379', REGISTER_ADDRESS: '10.0.0.1:1' },
    `SRC: DSC http://etcd0:2379 ${ETCD}`,
  ],
  [
    'a service with certificates in S3',
    { SRC: ':0', DST: 'localhost:1', TLS_MODE: 'client', TLS_CERTPATH: 's3://bucket/redis' },
    `SRC: TLS_CERTPATH s3://bucket/redis/ca.pem ${S3}`,
  ],
] as const;

for (const [what, env, sentence] of cases) {
  for (const args of [[], ['check']]) {
    test(`without its package ${what} is exit 78 of ${args[0] ?? 'a start'}, and the report says what to install`, () => {
      const command = [main, ...args];
      const options = { env: environmentWith(env), encoding: 'utf8', timeout: 20_000 } as const;
      const { status, stderr } = spawnSync(process.execPath, command, options);
      assert.equal(status, 78, stderr);
      assert.equal(stderr, `attache: the configuration cannot be used\n${sentence}\n`);
    });
  }
}

test('a static service needs no optional package: program', { timeout: 60_000 }, async (t) => {
  const server = await startNamed(t, 'hello');
  const attache = startAttache(t, { main, env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}` } });
  assert.equal(await ask(await attache.port()), 'hello');
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
});

test(
  'a static service needs no optional package, etcd is refused by name, and a source of its own is not: library',
  { timeout: 60_000 },
  async (t) => {
    const server = await startNamed(t, 'hello');
    const program = `
    import { connect } from 'node:net';
    import { text } from 'node:stream/consumers';
    import { createAmbassador } from 'attache';
    const service = { name: 'cache', src: '127.0.0.1:0', dst: '127.0.0.1:${server.port}' };
    const found = { name: 'found', src: '127.0.0.1:0', srv: '/srv/redis', dsc: 'http://etcd0:2379' };
    const told = (error) => console.log(error.code, error.message);
    try { createAmbassador({ services: [found] }); } catch (error) { told(error); }
    const ambassador = createAmbassador({ services: [service] });
    await ambassador.start();
    await ambassador.update([service, found]).catch(told);
    console.log(ambassador.services.map(({ name }) => name).join());
    console.log(await text(connect(ambassador.address().port, '127.0.0.1').resume()));
    await ambassador.close();
    const own = createAmbassador({ services: [found] }, { sourceFor: () => ({ start() {}, async stop() {} }) });
    await own.start();
    console.log(own.status.phase);
    await own.close();
    const usual = createAmbassador({ services: [found] }, { sourceFor: () => undefined });
    await usual.start();
    while (!JSON.stringify(usual.status).includes('PACKAGE_MISSING')) await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(/PACKAGE_MISSING: [^"]*/.exec(JSON.stringify(usual.status))[0]);
    await usual.close();
  `;
    writeFileSync(join(folder, 'app.mjs'), program);
    const { stdout } = await promisify(execFile)(process.execPath, ['app.mjs'], { cwd: folder, timeout: 50_000 });
    const sentence = `config_invalid services[0]: dsc http://etcd0:2379 ${ETCD}`;
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      sentence,
      sentence.replace('[0]', '[1]'),
      'cache',
      'hello',
      'serving',
      `PACKAGE_MISSING: etcd ${ETCD}`,
    ]);
  },
);
