import assert from 'node:assert/strict';
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { dialPolicy } from '../../../../src/core/dial-policy.ts';
import { cpuShare, smallShare } from '../../../support/cpu.ts';
import { RegistryDirectory, SERVICE, WATCH_ONLY_MS, follow } from '../../../support/registry-directory.ts';

test('files and links to files are members, empty or not, in the order of their names', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add('10.0.1.9:6379');
  await registry.add('10.0.1.134:6379');
  await writeFile(registry.at(SERVICE, '[fd00::1]:6379'), '{"weight":1}');
  await registry.add('target', registry.base);
  await symlink(`${registry.base}/target`, registry.at(SERVICE, 'redis.internal:6379'));
  const sink = follow(t, registry);
  await sink.holds(['10.0.1.134:6379', '10.0.1.9:6379', '[fd00::1]:6379', 'redis.internal:6379']);
  assert.deepEqual(sink.ignoredKeys, []);
});

test('promise 23: hidden entries are passed over in silence, folders and garbage with one warning each', async (t) => {
  const registry = await RegistryDirectory.create(t);
  const garbage = ['README', '10.0.0.1:0', '10.0.0.1:6379\n', '\u001b[31mred:1', '10.0.0.1:99999', '::1:6379'];
  for (const name of ['10.0.0.1:6379', '.keep', '..data', ...garbage]) await registry.add(name);
  await mkdir(registry.at(SERVICE, '..2026_01_01'));
  await registry.add('nested/10.0.0.2:6379');
  const sink = follow(t, registry, { rereadMs: 10 });
  await sink.holds(['10.0.0.1:6379']);
  await sink.nextLooks(5);
  assert.deepEqual(sink.ignoredKeys.toSorted(), [...garbage, 'nested/'].toSorted());
  assert.match(sink.reasons.get('nested/') ?? '', /nested/);
});

test('promise 42: a link-local member, or one outside the allowed blocks, is never reported as a candidate', async (t) => {
  const registry = await RegistryDirectory.create(t);
  for (const name of ['169.254.169.254:80', '[fe80::1]:80', '10.0.0.1:80', '192.168.0.1:80']) await registry.add(name);
  const open = follow(t, registry);
  await open.holds(['10.0.0.1:80', '192.168.0.1:80']);
  const narrow = follow(t, registry, { policy: dialPolicy(['10.0.0.0/8']) });
  await narrow.holds(['10.0.0.1:80']);
  assert.equal(narrow.ignoredKeys.length, 3);
});

test('promise 20: a member that comes, moves or goes is seen by the watch alone', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add('10.0.0.1:1');
  const sink = follow(t, registry, { rereadMs: WATCH_ONLY_MS });
  await sink.holds(['10.0.0.1:1']);
  await registry.add('10.0.0.2:2');
  await sink.holds(['10.0.0.1:1', '10.0.0.2:2']);
  await registry.add('.incoming');
  await registry.move('.incoming', '10.0.0.3:3');
  await sink.holds(['10.0.0.1:1', '10.0.0.2:2', '10.0.0.3:3']);
  await registry.move('10.0.0.1:1', '10.0.0.0:1');
  await sink.holds(['10.0.0.0:1', '10.0.0.2:2', '10.0.0.3:3']);
  for (const name of ['10.0.0.0:1', '10.0.0.2:2', '10.0.0.3:3']) await registry.remove(name);
  await sink.holds([]);
});

test('promise 21: a member written again, touched or replaced by itself is no change', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add('10.0.0.1:1');
  await registry.add('10.0.0.2:2');
  const sink = follow(t, registry, { rereadMs: 20 });
  await sink.holds(['10.0.0.1:1', '10.0.0.2:2']);
  await writeFile(registry.at(SERVICE, '10.0.0.1:1'), 'another value');
  await utimes(registry.at(SERVICE, '10.0.0.2:2'), 1, 1);
  await registry.add('.again');
  await registry.move('.again', '10.0.0.2:2');
  await sink.nextLooks(10);
  assert.equal(sink.sets.length, 1);
});

test('promise 22: a burst of 200 renames costs few reports and ends at the final set', async (t) => {
  const registry = await RegistryDirectory.create(t);
  await registry.add('10.0.0.0:6379');
  await registry.add('10.0.1.1:6379');
  const sink = follow(t, registry, { rereadMs: WATCH_ONLY_MS });
  await sink.holds(['10.0.0.0:6379', '10.0.1.1:6379']);
  for (let i = 0; i < 200; i += 1) await registry.move(`10.0.0.${i}:6379`, `10.0.0.${i + 1}:6379`);
  await sink.holds(['10.0.0.200:6379', '10.0.1.1:6379']);
  assert.ok(sink.sets.length < 100, `${sink.sets.length} sets for 200 renames`);
  // However a listing fell into the middle of a rename, the member that stayed was in it.
  assert.ok(sink.sets.every((set) => set.includes('10.0.1.1:6379')));
});

test('promise 24: a registry that nothing happens in costs next to no processor time', async (t) => {
  const registry = await RegistryDirectory.create(t);
  for (let i = 0; i < 20; i += 1) await registry.add(`10.0.0.${i}:6379`);
  const sink = follow(t, registry);
  await sink.nextLooks(1);
  const looks = sink.states.length;
  const small = smallShare();
  const share = await cpuShare({ windowMs: 5_000, below: small });
  assert.ok(sink.states.length >= looks + 2, 'it looked again');
  assert.ok(share < small, `used ${(share * 100).toFixed(2)}% of a processor`);
});
