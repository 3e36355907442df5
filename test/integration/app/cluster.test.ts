import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../support/attache.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const WORKERS = 2;

test('workers of node:cluster share a port: with ENGINE=auto each has the TypeScript engine, and says why', async (t) => {
  const [port, server] = [await freePort(), await startNamed(t, 'hello')];
  const file = join(await scratchFolder(t), 'cluster.mjs');
  const library = pathToFileURL(join(projectRoot, 'dist/index.js')).href;
  await writeFile(
    file,
    `import cluster from 'node:cluster';
    import { createAmbassador } from ${JSON.stringify(library)};
    if (cluster.isPrimary) {
      for (let n = 0; n < ${WORKERS}; n += 1) cluster.fork().on('message', (line) => console.log(line));
    } else {
      const ambassador = createAmbassador({ services: [{ src: '127.0.0.1:${port}', dst: '127.0.0.1:${server.port}' }] });
      await ambassador.start();
      process.send(JSON.stringify(ambassador.status.engine));
    }`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await eventually(() => said.split('\n').length > WORKERS, 'all workers listen');
  for (const line of said.trim().split('\n')) {
    const engine = JSON.parse(line) as { readonly name: string; readonly reason?: string };
    assert.equal(engine.name, 'typescript');
    assert.match(engine.reason ?? '', /node:cluster/);
  }
  assert.equal(await ask(port), 'hello');
});
