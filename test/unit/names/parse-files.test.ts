import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOrder } from '../../../src/names/address-order.ts';
import { parseHosts } from '../../../src/names/hosts-file.ts';
import { parseNsswitch } from '../../../src/names/nsswitch.ts';
import { namesToAsk, parseResolvConf } from '../../../src/names/resolv-conf.ts';

test('a hosts file gives each name its addresses of both families, without regard to case or comments', () => {
  const hosts = parseHosts(
    '# nothing\n127.0.0.1\tlocalhost Db.Test. # here\n::1 localhost\n10.0.0.7 db.test\n10.0.0.7 db.test\r\nfe80::1%lo scoped\nbad line\n',
  );
  assert.deepEqual(hosts.get('localhost'), { v4: ['127.0.0.1'], v6: ['::1'] });
  assert.deepEqual(hosts.get('db.test'), { v4: ['127.0.0.1', '10.0.0.7'], v6: [] });
  assert.equal(hosts.get('scoped'), undefined);
  assert.equal(hosts.get('line'), undefined);
});

test('resolv.conf: servers, the last search line, and options within the bounds of the C library', () => {
  const conf = parseResolvConf(
    'nameserver 10.0.0.1\nnameserver fd00::53\n; a comment\nsearch a.test b.test.\nsearch c.test d.test\n' +
      'options ndots:20 timeout:2 attempts:9 rotate\nnameserver nonsense\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n',
    'host.example.org',
  );
  assert.deepEqual(conf, {
    servers: ['10.0.0.1', 'fd00::53', '10.0.0.3'],
    search: ['c.test', 'd.test'],
    ndots: 15,
    limitMs: 10_000,
    rotate: true,
  });
});

test('resolv.conf without a search line: the domain of the host name is searched', () => {
  assert.deepEqual(parseResolvConf('', 'host.example.org').search, ['example.org']);
  assert.deepEqual(parseResolvConf('domain other.test', 'host.example.org').search, ['other.test']);
  assert.deepEqual(parseResolvConf('', 'host').search, []);
});

test('names are completed by the search domains before or after they are asked as they are, as ndots says', () => {
  const conf = { search: ['ns.svc.test', 'svc.test'], ndots: 2 };
  assert.deepEqual(namesToAsk('db', conf), ['db.ns.svc.test', 'db.svc.test', 'db']);
  assert.deepEqual(namesToAsk('a.b.test', conf), ['a.b.test', 'a.b.test.ns.svc.test', 'a.b.test.svc.test']);
  assert.deepEqual(namesToAsk('db.', conf), ['db.']);
  assert.deepEqual(namesToAsk('db', { search: ['svc.test'], ndots: 0 }), ['db', 'db.svc.test']);
});

test('nsswitch.conf: the order of files and dns, and whether there are other sources', () => {
  assert.deepEqual(parseNsswitch('hosts: files dns'), { order: ['files', 'dns'], others: false });
  assert.deepEqual(parseNsswitch('passwd: files\nhosts:  dns files # x\n'), { order: ['dns', 'files'], others: false });
  assert.deepEqual(parseNsswitch('hosts: files mdns4_minimal [NOTFOUND=return] dns'), {
    order: ['files', 'dns'],
    others: true,
  });
  assert.deepEqual(parseNsswitch('hosts: resolve [!UNAVAIL=return] files'), { order: ['dns', 'files'], others: true });
  assert.deepEqual(parseNsswitch('hosts: files'), { order: ['files'], others: false });
  assert.deepEqual(parseNsswitch(''), { order: ['files', 'dns'], others: false });
});

test('addresses of both families: those that this machine can reach first, IPv6 before IPv4', () => {
  const everything = { v4: true, loopback6: true, unique6: true, global6: true };
  assert.deepEqual(inOrder(['192.0.2.1'], ['2001:db8::1', 'fd00::1'], everything), [
    '2001:db8::1',
    '192.0.2.1',
    'fd00::1',
  ]);
  const onlyV4 = { v4: true, loopback6: false, unique6: false, global6: false };
  assert.deepEqual(inOrder(['192.0.2.1', '192.0.2.2'], ['2001:db8::1', '::1'], onlyV4), [
    '192.0.2.1',
    '192.0.2.2',
    '2001:db8::1',
    '::1',
  ]);
});
