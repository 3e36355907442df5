import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { constants, mkdirSync, openSync, closeSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readTextSync } from '../../../src/files/read-file-sync.ts';
import { readBounded } from '../../../src/files/read-file.ts';
import { textOf } from '../../../src/files/text.ts';
import { scratchFolder } from '../../support/scratch.ts';

test('what is no file is refused unopened, and a file over its bound once that is known', async (t) => {
  const folder = await scratchFolder(t);
  const at = (name: string) => join(folder, name);
  mkdirSync(at('folder'));
  execFileSync('mkfifo', [at('fifo')]);
  writeFileSync(at('file'), '0123456789');
  for (const [path, found] of [
    [at('folder'), 'a directory'],
    [at('fifo'), 'a FIFO'],
    ['/dev/zero', 'a device'],
  ] as const) {
    await assert.rejects(readBounded(path), { code: 'EFTYPE', found });
  }
  await assert.rejects(readBounded(at('file'), { maxBytes: 9 }), { code: 'EFBIG', found: 'more than 9 bytes' });
  assert.equal((await readBounded(at('file'), { maxBytes: 10 })).bytes.toString(), '0123456789');
  await assert.rejects(readBounded(at('gone')), { code: 'ENOENT' });
});

async function makeFifo(t: TestContext): Promise<string> {
  const fifo = join(await scratchFolder(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  return fifo;
}

test('a pipe whose writer does not end is read no longer than its time', async (t) => {
  const fifo = await makeFifo(t);
  const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(writer));
  writeSync(writer, 'begun');
  await assert.rejects(readBounded(fifo, { pipes: 'read', deadlineMs: 50 }), { code: 'ETIMEDOUT' });
  assert.throws(() => readTextSync(fifo, 50), { code: 'ETIMEDOUT' });
});

for (const [how, read] of [
  ['beside the event loop', async (fifo: string) => textOf((await readBounded(fifo, { pipes: 'read' })).bytes)],
  ['by a caller who cannot wait', (fifo: string) => readTextSync(fifo)],
] as const) {
  test(`a pipe that nobody writes to yet is read to its end (${how})`, async (t) => {
    const fifo = await makeFifo(t);
    // The shell opens it once it is read.
    const shell = spawn('sh', ['-c', 'printf all > "$0"', fifo], { stdio: 'ignore' });
    t.after(() => shell.kill('SIGKILL'));
    assert.equal(await read(fifo), 'all');
  });
}

test('a mark of UTF-8 is skipped at the beginning, and nowhere else', () => {
  assert.equal(textOf(Buffer.from('\uFEFFa\uFEFF')), 'a\uFEFF');
  assert.equal(textOf(Buffer.from('\uFEFF')), '');
  assert.equal(textOf(Buffer.from('ab')), 'ab');
});
