import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startAttache } from '../support/attache.ts';
import { ask, startNamed } from '../support/tcp.ts';

/** A module, at a path inside a folder of its own, that throws as soon as the event loop turns. */
function throwing(t: TestContext, path: string, statement: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'attache-throws-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, statement);
  return pathToFileURL(file).href;
}

for (const [what, statement] of [
  ['exception', 'setTimeout(() => { throw new Error("of a library") }, 600)'],
  ['rejection', 'setTimeout(() => { Promise.reject(new Error("of a library")) }, 600)'],
] as const) {
  for (const library of ['etcd3/lib', '@grpc/grpc-js/build', '@aws-sdk/client-s3']) {
    test(`promise 39: an uncaught ${what} of ${library} is logged, and the proxy goes on`, async (t) => {
      const server = await startNamed(t, 'alive');
      const attache = startAttache(t, {
        env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}` },
        nodeArgs: ['--import', throwing(t, `node_modules/${library}/x.mjs`, statement)],
      });
      const line = await attache.line(({ msg }) => msg === 'internal error');
      assert.match(JSON.stringify(line['err']), /of a library/);
      assert.equal(await ask(await attache.port()), 'alive');
      attache.child.kill('SIGTERM');
      assert.equal(await attache.exited, 0);
    });
  }
}

test('promise 38: an uncaught exception of anybody else is a bug: logged, exit 70', async (t) => {
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' },
    nodeArgs: ['--import', throwing(t, 'src/x.mjs', 'setTimeout(() => { throw new Error("our own") }, 600)')],
  });
  assert.equal(await attache.exited, 70);
  const last = attache.lines.at(-1);
  assert.equal(last?.msg, 'a bug in attache: exiting');
  assert.match(JSON.stringify(last['err']), /our own/);
});
