import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  MAX_STATE_BYTES,
  readStateFile,
  removeLeftovers,
  replaceStateFile,
} from '../../../../src/discovery/last-good/file-io.ts';
import { scratchFolder } from '../../../support/scratch.ts';

test('a file that is replaced is whole, for its owner alone, and the only one in its folder', async (t) => {
  const folder = await scratchFolder(t);
  const path = join(folder, 'sets');
  assert.equal(await readStateFile(path), undefined);
  await replaceStateFile(path, 'first');
  await replaceStateFile(path, 'second');
  assert.equal(await readStateFile(path), 'second');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ['sets']);
});

test('a FIFO is refused at once without a writer, and replaced', { timeout: 20_000 }, async (t) => {
  const path = join(await scratchFolder(t), 'fifo');
  execFileSync('mkfifo', [path]);
  await assert.rejects(readStateFile(path), { code: 'EFTYPE', message: 'expected a regular file, got a FIFO' });
  await replaceStateFile(path, 'text');
  assert.equal(await readStateFile(path), 'text');
});

test('a directory is refused, and never replaced', async (t) => {
  const path = await scratchFolder(t);
  const refusal = { code: 'EFTYPE', message: 'expected a regular file, got a directory' };
  await assert.rejects(readStateFile(path), refusal);
  await assert.rejects(replaceStateFile(path, 'text'), refusal);
});

test('a device is refused, and never replaced', async () => {
  const refusal = { code: 'EFTYPE', message: 'expected a regular file, got a device' };
  await assert.rejects(readStateFile('/dev/zero'), refusal);
  await assert.rejects(replaceStateFile('/dev/null', 'text'), refusal);
});

test("somebody's socket is refused, and never replaced", async (t) => {
  const path = join(await scratchFolder(t), 'socket');
  const server = createServer().listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  const refusal = { code: 'EFTYPE', message: 'expected a regular file, got a socket' };
  await assert.rejects(readStateFile(path), refusal);
  await assert.rejects(replaceStateFile(path, 'text'), refusal);
});

test('a loop of links is refused, and replaced', async (t) => {
  const folder = await scratchFolder(t);
  const path = join(folder, 'a');
  await symlink('b', path);
  await symlink('a', join(folder, 'b'));
  await assert.rejects(readStateFile(path), { code: 'ELOOP' });
  await replaceStateFile(path, 'text');
  assert.equal(await readStateFile(path), 'text');
});

test('a link is replaced itself: what it points at is not written to', async (t) => {
  const folder = await scratchFolder(t);
  const [path, target] = [join(folder, 'link'), join(folder, 'target')];
  await writeFile(target, 'precious');
  await symlink(target, path);
  await replaceStateFile(path, 'text');
  assert.deepEqual([await readFile(path, 'utf8'), await readFile(target, 'utf8')], ['text', 'precious']);
});

test('more than the bound is neither read nor written', async (t) => {
  const path = join(await scratchFolder(t), 'sets');
  await assert.rejects(replaceStateFile(path, 'x'.repeat(MAX_STATE_BYTES + 1)), { code: 'EFBIG' });
  await replaceStateFile(path, 'x'.repeat(MAX_STATE_BYTES));
  assert.equal((await readStateFile(path))?.length, MAX_STATE_BYTES);
  await writeFile(path, 'x'.repeat(MAX_STATE_BYTES + 1));
  await assert.rejects(readStateFile(path), { code: 'EFBIG' });
});

test('what cannot be put in place leaves nothing behind', async (t) => {
  const folder = await scratchFolder(t);
  // A name that is longer than names may be once the temporary one is made of it.
  await assert.rejects(replaceStateFile(join(folder, 'x'.repeat(250)), 'text'), { code: 'ENAMETOOLONG' });
  assert.deepEqual(await readdir(folder), []);
});

test('leftovers of writers that died are removed, and nothing else', async (t) => {
  const folder = await scratchFolder(t);
  const others = ['.other.0123456789ab.tmp', '.sets.tmp', '.sets.x.tmp', 'sets', 'sets.0123456789ab.tmp'];
  for (const name of [...others, '.sets.0123456789ab.tmp']) await writeFile(join(folder, name), '');
  await mkdir(join(folder, '.sets.aaaaaaaaaaaa.tmp'));
  await removeLeftovers(join(folder, 'sets'));
  assert.deepEqual((await readdir(folder)).sort(), ['.sets.aaaaaaaaaaaa.tmp', ...others].sort());
  await removeLeftovers(join(folder, 'missing', 'sets'));
});

test('two writers at a time: the file is always one of what they wrote, whole', async (t) => {
  const folder = await scratchFolder(t);
  const path = join(folder, 'sets');
  const texts = ['a', 'b'].map((letter) => letter.repeat(100_000));
  await replaceStateFile(path, texts.join('').slice(0, 100_000));
  const writing = Promise.all(
    texts.map(async (text) => {
      for (let i = 0; i < 30; i += 1) await replaceStateFile(path, text);
    }),
  );
  for (let i = 0; i < 200; i += 1) assert.ok(texts.includes((await readStateFile(path)) ?? 'none'));
  await writing;
  assert.deepEqual(await readdir(folder), ['sets']);
});
