import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { scratchFolder } from '../../support/scratch.ts';

test(
  'a program that is killed in the middle of a line is over, with the lines that are whole',
  { timeout: 20_000 },
  async (t) => {
    const main = join(await scratchFolder(t), 'writes-half-a-line.mjs');
    await writeFile(main, `process.stdout.write('{"msg":"whole"}\\n{"msg":"ha'); setInterval(() => undefined, 1_000);`);
    const attache = startAttache(t, { main });
    await attache.line(({ msg }) => msg === 'whole');
    attache.child.kill('SIGKILL');
    assert.equal(await attache.exited, 'SIGKILL');
    assert.deepEqual(attache.lines, [{ msg: 'whole' }]);
  },
);
