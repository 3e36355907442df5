import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAttache, type Attache, type LogLine } from '../../support/attache.ts';
import { startEtcd } from '../../support/etcd.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { eventually } from '../../support/wait.ts';

const isWarning = ({ msg }: LogLine) => msg?.startsWith('no candidate') === true;

/** What `/status` says of the one service's empty directory. */
async function emptyOf(attache: Attache): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { body } = await httpAsk(await httpPort(attache, 'health'), '/status');
  const [service] = (JSON.parse(body) as { services: { empty?: Record<string, unknown> }[] }).services;
  return service?.empty;
}

function start(t: TestContext, dsc: string, srv: string): Attache {
  return startAttache(t, { env: { SRC: '127.0.0.1:0', SRV: srv, DSC: dsc, HTTP_ADDR: '127.0.0.1:0' } });
}

test('a directory of etcd without a member is warned of once, with the nearest that has some, in /status too', async (t) => {
  const etcd = await startEtcd(t);
  for (const key of ['/srv/redis/debug/127.0.0.1:1', '/srv/redis/debug/127.0.0.1:2', '/srv/pg/a:1'])
    await etcd.api.put(key);
  const attache = start(t, etcd.url, '/srv/redis/debgu');
  const line = await attache.line(isWarning);
  const { level, service, directory, nearest, nearestMembers } = line;
  assert.deepEqual(
    [level, service, directory, nearest, nearestMembers],
    ['warn', 'default', '/srv/redis/debgu', '/srv/redis/debug', 2],
  );
  const empty = await emptyOf(attache);
  assert.deepEqual([empty?.['directory'], empty?.['nearest']], [directory, { directory: nearest, members: 2 }]);
  assert.equal(attache.lines.filter(isWarning).length, 1);

  await etcd.api.put('/srv/redis/debgu/127.0.0.1:3');
  await eventually(async () => (await emptyOf(attache)) === undefined, 'a member is there');
});

test('a key of etcd without its first slash is found, and a user who may not look is told the directory alone', async (t) => {
  const etcd = await startEtcd(t);
  await etcd.api.put('srv/redis/debug/127.0.0.1:1');
  const line = await start(t, etcd.url, '/srv/redis/debug').line(isWarning);
  assert.equal(line['nearest'], 'srv/redis/debug');

  await etcd.api.call('auth/user/add', { name: 'root', password: 'r' });
  await etcd.api.call('auth/role/add', { name: 'root' });
  await etcd.api.call('auth/user/grant', { user: 'root', role: 'root' });
  await etcd.api.call('auth/user/add', { name: 'app', password: 'a' });
  await etcd.api.call('auth/role/add', { name: 'app' });
  const encode = (text: string) => Buffer.from(text).toString('base64');
  const perm = { key: encode('/srv/app/'), range_end: encode('/srv/app0'), permType: 'READ' };
  await etcd.api.call('auth/role/grant', { name: 'app', perm });
  await etcd.api.call('auth/user/grant', { user: 'app', role: 'app' });
  await etcd.api.call('auth/enable', {});
  const env = { ETCD_USERNAME: 'app', ETCD_PASSWORD: 'a', SRC: '127.0.0.1:0', SRV: '/srv/app', DSC: etcd.url };
  const attache = startAttache(t, { env });
  const refused = await attache.line(isWarning);
  assert.deepEqual([refused['directory'], refused['nearest']], ['/srv/app', undefined]);
  assert.ok(attache.lines.some(({ msg }) => msg === 'discovery synced'));
  assert.ok(!attache.lines.some(({ msg }) => msg === 'discovery stale'), 'discovery goes on');
});

test('a folder that becomes empty later is warned of, with the nearest folder that has members', async (t) => {
  const root = await scratchFolder(t);
  for (const folder of ['srv/redis/debug', 'srv/redis/prod']) {
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, '127.0.0.1:1'), '');
  }
  const attache = start(t, `file://${root}`, '/srv/redis/debug');
  await attache.line(({ msg, candidates }) => msg === 'candidates changed' && candidates === 1);
  assert.equal(await emptyOf(attache), undefined);
  await rm(join(root, 'srv/redis/debug/127.0.0.1:1'));
  const line = await attache.line(isWarning);
  assert.deepEqual([line['directory'], line['nearest']], ['/srv/redis/debug', '/srv/redis/prod']);
});
