import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';

const STRAYS = `data:text/javascript,${encodeURIComponent(`
  process.on('SIGUSR2', () => {
    console.error('E %s', 'of a library', { token: 'x' });
    process.emitWarning('old', 'DeprecationWarning');
  });
`)}`;

test('what a library prints and what Node warns of is in the log, and nothing on stderr', async (t) => {
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' },
    nodeArgs: ['--import', STRAYS],
  });
  await attache.line(({ phase }) => phase === 'started');
  attache.child.kill('SIGUSR2');
  const printed = await attache.line(({ msg }) => msg === 'printed by a library');
  assert.deepEqual([printed['level'], printed['method']], ['warn', 'error']);
  assert.match(String(printed['said']), /^E of a library/);
  const warned = await attache.line(({ msg }) => msg === 'warning of Node');
  assert.deepEqual([warned['name'], warned['said']], ['DeprecationWarning', 'old']);
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  assert.equal(attache.stderr(), '');
});
