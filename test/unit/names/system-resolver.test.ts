import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemResolver } from '../../../src/names/system-resolver.ts';
import { startDnsmasq, startDnsScript } from '../../support/dns.ts';
import { scratchFolder } from '../../support/scratch.ts';

test('localhost is looked up in the family asked for', async () => {
  const resolver = systemResolver();
  assert.deepEqual(await resolver.resolve('localhost', 4), ['127.0.0.1']);
});

test('an IP literal is its own answer', async () => {
  assert.deepEqual(await systemResolver().resolve('::1', 4), ['::1']);
});

test('promise 17: an answer is used again for less than 5 s, and asked for anew after that', async () => {
  let now = 0;
  const resolver = systemResolver({ now: () => now });
  const first = resolver.resolve('localhost', 4);
  assert.equal(resolver.resolve('localhost', 4), first, 'asked once at a time');
  await first;
  now = 999;
  assert.equal(resolver.resolve('localhost', 4), first);
  now = 5_000;
  assert.notEqual(resolver.resolve('localhost', 4), first);
});

test('a failure is not remembered', async () => {
  const resolver = systemResolver();
  const failed = resolver.resolve('no-such-host.invalid', 4);
  await assert.rejects(failed);
  const again = resolver.resolve('no-such-host.invalid', 4);
  assert.notEqual(again, failed);
  await assert.rejects(again);
});

test('what DNS knows: names of both families, completed by search domains, in the families asked for', async (t) => {
  const address = await startDnsmasq(t, {
    records: [
      ['good.test', '10.0.0.1', 'fd00::1'],
      ['four.test', '10.0.0.4'],
      ['six.test', 'fd00::6'],
      ['db.ns.svc.test', '10.0.0.7'],
    ],
  });
  const { resolver } = await startResolver(t, {
    servers: [address],
    resolvConf: 'search ns.svc.test svc.test\noptions ndots:2\n',
  });
  assert.deepEqual(await resolver.resolve('good.test', 4), ['10.0.0.1']);
  assert.deepEqual(await resolver.resolve('good.test', 6), ['fd00::1']);
  assert.deepEqual([...(await resolver.resolve('Good.test.', 0))].sort(), ['10.0.0.1', 'fd00::1']);
  assert.deepEqual(await resolver.resolve('db', 4), ['10.0.0.7']);
  await assert.rejects(resolver.resolve('db.test.', 4), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolve('six.test', 4), { code: 'IPV6_ONLY' });
  await assert.rejects(resolver.resolve('four.test', 6), { code: 'IPV4_ONLY' });
  await assert.rejects(resolver.resolve('none.test', 0), { code: 'ENOTFOUND' });
});

test('a name of the hosts file is not asked of DNS, and the file is read again when it has changed', async (t) => {
  const dns = await startDnsScript(t, () => 'NXDOMAIN');
  const { resolver, hosts, pass } = await startResolver(t, {
    servers: [`127.0.0.1:${dns.port}`],
    hosts: '10.0.0.1 db.test\nfd00::1 six.test\n',
  });
  assert.deepEqual(await resolver.resolve('DB.test', 4), ['10.0.0.1']);
  assert.deepEqual(dns.asked, []);
  await assert.rejects(resolver.resolve('six.test', 4), { code: 'IPV6_ONLY' });
  // As the runtimes of containers do it.
  await writeFile(`${hosts}.new`, '10.0.0.2 db.test\n');
  await rename(`${hosts}.new`, hosts);
  pass(1_001);
  assert.deepEqual(await resolver.resolve('db.test', 4), ['10.0.0.2']);
  await rm(hosts);
  pass(1_001);
  await assert.rejects(resolver.resolve('db.test', 4), { code: 'ENOTFOUND' });
});

test('nsswitch.conf that names files alone keeps DNS from being asked', async (t) => {
  const dns = await startDnsScript(t, () => ['10.0.0.1']);
  const servers = [`127.0.0.1:${dns.port}`];
  const { resolver } = await startResolver(t, { servers, nsswitch: 'hosts: files\n' });
  await assert.rejects(resolver.resolve('db.test', 4), { code: 'ENOTFOUND' });
  assert.deepEqual(dns.asked, []);
});

test('localhost and what is below it are this machine, and .invalid is nowhere, without a question to DNS', async (t) => {
  const dns = await startDnsScript(t, () => ['10.0.0.1']);
  const servers = [`127.0.0.1:${dns.port}`];
  const { resolver } = await startResolver(t, { servers, hosts: '127.0.0.1 localhost\n' });
  assert.deepEqual(await resolver.resolve('localhost', 4), ['127.0.0.1']);
  assert.deepEqual(await resolver.resolve('localhost', 6), ['::1']);
  assert.deepEqual(await resolver.resolve('localhost.', 0), ['127.0.0.1', '::1']);
  assert.deepEqual(await resolver.resolve('app.localhost', 4), ['127.0.0.1']);
  await assert.rejects(resolver.resolve('db.invalid', 0), { code: 'ENOTFOUND' });
  assert.deepEqual(dns.asked, []);
});

test('a name server that never answers for IPv6 does not keep the IPv4 address back', async (t) => {
  const dns = await startDnsScript(t, (_name, type) => (type === 'A' ? ['10.0.0.1'] : undefined));
  const { resolver } = await startResolver(t, { servers: [`127.0.0.1:${dns.port}`] });
  assert.deepEqual(await resolver.resolve('db.test', 0), ['10.0.0.1']);
});

test('a hosts file that is a pipe without a writer keeps nobody waiting', async (t) => {
  const dns = await startDnsScript(t, () => ['10.0.0.1']);
  const folder = await scratchFolder(t);
  const hosts = join(folder, 'hosts');
  execFileSync('mkfifo', [hosts]);
  const paths = { hosts, resolvConf: join(folder, 'none'), nsswitch: join(folder, 'none') };
  const resolver = systemResolver({ paths, servers: [`127.0.0.1:${dns.port}`] });
  t.after(() => resolver.close());
  assert.deepEqual(await resolver.resolve('db.test', 4), ['10.0.0.1']);
});

interface ResolverFiles {
  readonly servers: readonly string[];
  readonly hosts?: string;
  readonly resolvConf?: string;
  readonly nsswitch?: string;
}

/** A resolver that reads files of the test's own, with a clock that the test can put forward. */
async function startResolver(t: TestContext, files: ResolverFiles) {
  const { servers, hosts = '', resolvConf = '', nsswitch = '' } = files;
  const folder = await scratchFolder(t);
  const paths = {
    hosts: join(folder, 'hosts'),
    resolvConf: join(folder, 'resolv'),
    nsswitch: join(folder, 'nsswitch'),
  };
  await writeFile(paths.hosts, hosts);
  await writeFile(paths.resolvConf, resolvConf);
  await writeFile(paths.nsswitch, nsswitch);
  let ahead = 0;
  const resolver = systemResolver({ paths, servers, now: () => performance.now() + ahead });
  t.after(() => resolver.close());
  return { resolver, hosts: paths.hosts, pass: (ms: number) => (ahead += ms) };
}
