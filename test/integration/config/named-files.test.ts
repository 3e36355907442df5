import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, constants, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache } from '../../support/attache.ts';
import { hasOpen } from '../../support/open-files.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { eventually } from '../../support/wait.ts';

const etcd = { SRC: '127.0.0.1:0', SRV: '/srv/a', DSC: 'https://127.0.0.1:1' };
const plain = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' };
const user = { ...etcd, ETCD_USERNAME: 'u' };
const server = { ...plain, TLS_MODE: 'server', TLS_CLIENT_AUTH: 'none' };
const s3 = { ...server, TLS_CERTPATH: 's3://bucket/prefix', AWS_REGION: 'us-east-1' };

/** Every setting that names a file, with what it needs beside it. */
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  SERVICES_FILE: {},
  ETCD_PASSWORD_FILE: user,
  ETCD_CACERT: etcd,
  ETCD_CERT: { ...etcd, ETCD_KEY: '/absent' },
  ETCD_KEY: { ...etcd, ETCD_CERT: '/absent' },
  TLS_CACERT: { ...plain, TLS_MODE: 'client' },
  TLS_CERT: { ...server, TLS_KEY: '/absent' },
  TLS_KEY: { ...server, TLS_CERT: '/absent' },
  AWS_SHARED_CREDENTIALS_FILE: s3,
  AWS_CONFIG_FILE: s3,
  AWS_WEB_IDENTITY_TOKEN_FILE: { ...s3, AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' },
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: { ...s3, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/' },
};
/** A pipe is read where its text is needed only once. */
const readsPipes = new Set(['SERVICES_FILE', 'ETCD_PASSWORD_FILE']);

interface Places {
  readonly fifo: string;
  readonly folder: string;
  readonly large: string;
}

async function makePlaces(t: TestContext): Promise<Places> {
  const root = await scratchFolder(t);
  const [fifo, folder, large] = [join(root, 'fifo'), join(root, 'folder'), join(root, 'large')];
  execFileSync('mkfifo', [fifo]);
  mkdirSync(folder);
  writeFileSync(large, '');
  truncateSync(large, 1_048_577);
  return { fifo, folder, large };
}

for (const [setting, beside] of Object.entries(settings)) {
  test(`${setting} that names a FIFO, a device, a directory or too much: exit 78 that says so`, async (t) => {
    const { fifo, folder, large } = await makePlaces(t);
    const kinds: readonly (readonly [path: string, found: RegExp])[] = [
      ...(readsPipes.has(setting) ? [] : [[fifo, /a FIFO/] as const]),
      ['/dev/zero', /a device/],
      ['/dev/tty', /a device/],
      [folder, /a directory/],
      [large, /more than 1048576 bytes|at most 1 MiB/],
    ];
    await Promise.all(
      kinds.map(async ([path, found]) => {
        const attache = startAttache(t, { env: { ...beside, [setting]: path } });
        assert.equal(await endOf(attache), 78, path);
        const said = attache.stderr() + JSON.stringify(attache.lines);
        assert.match(said, found, path);
        assert.ok(said.includes(setting.startsWith('TLS_') ? path : setting), said);
      }),
    );
  });
}

for (const setting of readsPipes) {
  test(`${setting} that names a pipe: what is written to it counts, whenever that is`, async (t) => {
    const { fifo } = await makePlaces(t);
    const text =
      setting === 'SERVICES_FILE' ? JSON.stringify([{ name: 'a', src: '127.0.0.1:0', dst: '127.0.0.1:1' }]) : 'x';
    const attache = startAttache(t, { env: { ...settings[setting], [setting]: fifo } });
    await eventually(() => hasOpen(attache.child.pid ?? 0, fifo), 'the pipe being read', 20_000);
    const writer = await openPipe(fifo);
    await writer.write(text.slice(0, 1));
    await writer.write(text.slice(1));
    await writer.close();
    await attache.line(({ msg }) => msg === 'lifecycle' || msg === 'listening');
  });

  test(
    `${setting} that names a pipe that nobody writes to: exit 78 within its time`,
    { timeout: 60_000 },
    async (t) => {
      const { fifo } = await makePlaces(t);
      const attache = startAttache(t, { env: { ...settings[setting], [setting]: fifo } });
      assert.equal(await endOf(attache), 78);
      assert.match(attache.stderr(), /_FILE: .*a pipe that was not written to its end within 10000 ms/);
    },
  );

  test(`promise 35: SIGTERM ends it at once while ${setting} waits for a pipe`, async (t) => {
    const { fifo } = await makePlaces(t);
    const attache = startAttache(t, { env: { ...settings[setting], [setting]: fifo } });
    await eventually(() => hasOpen(attache.child.pid ?? 0, fifo), 'the pipe being read', 20_000);
    const asked = new Stopwatch();
    attache.child.kill('SIGTERM');
    assert.equal(await endOf(attache), 0);
    assert.ok(asked.ms() < 2_000);
  });
}

test('a mark of UTF-8 in front of SERVICES_FILE and of a secret is no part of them', async (t) => {
  const root = await scratchFolder(t);
  const services = join(root, 'services.json');
  writeFileSync(services, '\uFEFF');
  appendFileSync(services, JSON.stringify([{ name: 'marked', src: '127.0.0.1:0', dst: '127.0.0.1:1' }]));
  const attache = startAttache(t, { env: { SERVICES_FILE: services } });
  await attache.port('marked');
});

/** Without waiting for a reader. */
function openPipe(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_NONBLOCK);
}

async function endOf({ exited }: Attache): Promise<number | NodeJS.Signals | undefined> {
  let end: number | NodeJS.Signals | undefined;
  void exited.then((code) => (end = code));
  await eventually(() => end !== undefined, 'the end of attache', 30_000);
  return end;
}
