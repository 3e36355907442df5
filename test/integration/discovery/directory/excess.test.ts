import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAttache } from '../../../support/attache.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { connectTo, startEcho, readAll } from '../../../support/tcp.ts';

test('a directory beyond MAX_MEMBERS: the last set serves, one warning names the setting, and it heals', async (t) => {
  const backend = await startEcho(t);
  const root = await scratchFolder(t);
  const directory = join(root, 'srv/redis');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `127.0.0.1:${backend.port}`), '');
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DSC: `file://${root}`, SRV: '/srv/redis', MAX_MEMBERS: '5' },
  });
  const port = await attache.port();
  await attache.line(({ msg }) => msg === 'discovery synced');
  const others = Array.from({ length: 20 }, (_, i) => join(directory, `127.0.0.1:${i + 1}`));
  for (const other of others) writeFileSync(other, '');
  const stale = await attache.line(
    ({ msg, error }) => msg === 'discovery stale' && String(error).includes('MAX_MEMBERS=5'),
  );
  assert.equal(stale['level'], 'warn');
  const client = await connectTo(port);
  client.end('?');
  assert.equal((await readAll(client)).bytes.length, 1, 'the last set serves');
  for (const other of others) rmSync(other);
  await attache.line(({ msg }) => msg === 'discovery synced', 2);
  assert.equal(attache.lines.filter(({ msg }) => msg === 'discovery stale').length, 1);
});
