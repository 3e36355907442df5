import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { listenWithRights } from '../../../src/transport/socket-rights.ts';
import { scratchFolder } from '../../support/scratch.ts';

/** With this mask of the process, until the end of the test. */
function masked(t: TestContext, mask: number): void {
  const before = process.umask(mask);
  t.after(() => process.umask(before));
}

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8);
}

async function listen(t: TestContext, path: string, mode: number): Promise<{ atOnce: string; server: Server }> {
  const server = createServer();
  t.after(() => server.close());
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    listenWithRights(server, { where: { path }, mode }, resolve);
  });
  const atOnce = modeOf(path);
  await listening;
  return { atOnce, server };
}

for (const mask of [0o000, 0o022, 0o077, 0o177]) {
  for (const mode of [0o600, 0o660, 0o666, 0o777]) {
    const name = `umask ${mask.toString(8)}: a socket of mode ${mode.toString(8)} has it as soon as its file is there`;
    test(name, async (t) => {
      masked(t, mask);
      const path = join(await scratchFolder(t), 'socket');
      const { atOnce } = await listen(t, path, mode);
      assert.deepEqual([atOnce, modeOf(path)], [mode.toString(8), mode.toString(8)]);
      assert.equal(process.umask(mask), mask, 'the mask is back');
    });
  }
}

test('a socket that cannot be bound is an error, and the mask is back', async (t) => {
  masked(t, 0o027);
  const path = join(await scratchFolder(t), 'socket');
  await listen(t, path, 0o600);
  const second = createServer();
  listenWithRights(second, { where: { path }, mode: 0o666 }, () => assert.fail('it listens twice'));
  const [error] = (await once(second, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'EADDRINUSE');
  assert.equal(modeOf(path), '600', "the other's mode stays");
  assert.equal(process.umask(0o027), 0o027);
});

test('a file whose rights cannot be had is an error of the server, which no longer listens', async (t) => {
  const path = join(await scratchFolder(t), 'socket');
  const server = createServer();
  listenWithRights(server, { where: { path }, mode: 0o600 }, () => assert.fail('it has no file'));
  // Taken away before its rights are looked at.
  unlinkSync(path);
  const [error] = (await once(server, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ENOENT');
  assert.equal(server.listening, false);
});

test('in a worker thread, which has no mask of its own, a socket has its mode when it listens', async (t) => {
  masked(t, 0o022);
  const path = join(await scratchFolder(t), 'socket');
  const module = new URL('../../../src/transport/socket-rights.js', import.meta.url).href;
  const code = `
    const { parentPort, workerData: { module, path } } = require('node:worker_threads');
    const server = require('node:net').createServer();
    import(module).then(({ listenWithRights }) =>
      listenWithRights(server, { where: { path }, mode: 0o666 }, () => parentPort.postMessage('listening')));`;
  const worker = new Worker(code, { eval: true, workerData: { module, path } });
  t.after(() => worker.terminate());
  await once(worker, 'message');
  assert.equal(modeOf(path), '666');
});
