import assert from 'node:assert/strict';
import { mkdir, rename, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { execFileSync } from 'node:child_process';
import { MemberValues } from '../../../../src/discovery/directory/values.ts';
import { scratchFolder } from '../../../support/scratch.ts';

async function setUp(t: TestContext, files: Record<string, string>) {
  const folder = await scratchFolder(t);
  const put = (name: string, text: string) => writeFile(join(folder, name), text);
  for (const [name, text] of Object.entries(files)) await put(name, text);
  const values = new MemberValues();
  const weights = async (...names: string[]) => {
    const { said } = await values.read(folder, names);
    return Object.fromEntries([...said].map(([name, { details }]) => [name, details.weight]));
  };
  return { folder, put, values, weights };
}

test('a small file says what is in it, with a byte order mark or without; an empty or a long one says nothing', async (t) => {
  const long = `{"weight":3,"note":"${'x'.repeat(5_000)}"}`;
  const { weights } = await setUp(t, { a: '{"weight":3}\n', b: '', c: long, d: '\ufeff{"weight":4}', e: '' });
  assert.deepEqual(await weights('a', 'b', 'c', 'd', 'gone', 'e'), { a: 3, d: 4 });
});

test('what is no file is not opened: a FIFO nobody writes to, a folder, a link to a device', async (t) => {
  const { folder, weights } = await setUp(t, { a: '{"weight":3}' });
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  await mkdir(join(folder, 'folder'));
  await symlink('/dev/zero', join(folder, 'zero'));
  await symlink('a', join(folder, 'link'));
  assert.deepEqual(await weights('fifo', 'folder/', 'folder', 'zero', 'link'), { link: 3 });
});

test('a file is read again when it was replaced, or written in place with the same length', async (t) => {
  const { folder, put, weights } = await setUp(t, { a: '{"weight":3}' });
  assert.deepEqual(await weights('a'), { a: 3 });
  for (let weight = 4; weight < 10; weight += 1) {
    await put('a', `{"weight":${weight}}`);
    assert.deepEqual(await weights('a'), { a: weight }, 'at once, within the grain of its times');
  }
  await put('.new', '{"weight":2}');
  await rename(join(folder, '.new'), join(folder, 'a'));
  assert.deepEqual(await weights('a'), { a: 2 });
  await unlink(join(folder, 'a'));
  assert.deepEqual(await weights('a'), {});
});

test('a file that was read long after its last change is not read again until it changes', async (t) => {
  const { put, values, folder } = await setUp(t, { a: '{"weight":3}' });
  // Its change is dated in the far future: the times of a file that has rested for long, without the wait.
  t.mock.method(Date, 'now', () => 0);
  const first = (await values.read(folder, ['a'])).said.get('a');
  const second = (await values.read(folder, ['a'])).said.get('a');
  assert.equal(second, first, 'the same object: nothing was read');
  await utimes(join(folder, 'a'), 1, 1);
  assert.notEqual((await values.read(folder, ['a'])).said.get('a'), first, 'touched: read');
  await put('a', '{"weight":4}');
  assert.equal((await values.read(folder, ['a'])).said.get('a')?.details.weight, 4);
});

test('what cannot be read is told as a fault of that member alone', async (t) => {
  const { folder, values } = await setUp(t, { a: '{"weight":3}' });
  await symlink('loop', join(folder, 'loop'));
  const { said } = await values.read(folder, ['a', 'loop']);
  assert.equal(said.get('a')?.details.weight, 3);
  assert.equal(said.get('loop')?.fault, 'expected a file that can be read, got ELOOP');
});
