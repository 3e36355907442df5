import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { preload } from '../../support/preload.ts';
import { ask, startNamed } from '../../support/tcp.ts';

for (const [what, statement] of [
  ['exception', 'process.on("SIGUSR2", () => { throw new Error("of a library") })'],
  ['rejection', 'process.on("SIGUSR2", () => { Promise.reject(new Error("of a library")) })'],
] as const) {
  for (const library of ['etcd3/lib', '@grpc/grpc-js/build', '@aws-sdk/client-s3']) {
    test(`promise 39: an uncaught ${what} of ${library} is logged, and the proxy goes on`, async (t) => {
      const server = await startNamed(t, 'alive');
      const attache = startAttache(t, {
        env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}` },
        nodeArgs: preload(t, statement, `node_modules/${library}/x.mjs`),
      });
      await attache.line(({ phase }) => phase === 'started');
      attache.child.kill('SIGUSR2');
      const line = await attache.line(({ msg }) => msg === 'internal error');
      assert.match(JSON.stringify(line['err']), /of a library/);
      assert.equal(await ask(await attache.port()), 'alive');
      attache.child.kill('SIGTERM');
      assert.equal(await attache.exited, 0);
    });
  }
}

test('promise 38: an uncaught exception of anybody else is a bug: logged with the settings to try, exit 70', async (t) => {
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' },
    nodeArgs: preload(t, 'process.on("SIGUSR2", () => { throw new Error("our own") })'),
  });
  await attache.line(({ phase }) => phase === 'started');
  attache.child.kill('SIGUSR2');
  assert.equal(await attache.exited, 70);
  const last = attache.lines.at(-1);
  assert.equal(last?.msg, 'a bug in attache: exiting');
  assert.match(String(last['remedy']), /ENGINE=typescript.*HTTP_ADDR=off/);
  assert.equal(last['engine'], attache.lines[0]?.['engine']);
  assert.match(JSON.stringify(last['err']), /our own/);
});
