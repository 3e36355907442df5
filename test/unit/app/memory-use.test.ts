import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryUse } from '../../../src/app/memory.ts';

test('where the resident memory cannot be read for want of a descriptor, what was read last is told', (t) => {
  const { resident } = memoryUse();
  assert.ok(resident > 0);
  t.mock.method(process.memoryUsage, 'rss', () => {
    throw Object.assign(new Error('EMFILE: too many open files, uv_resident_set_memory'), { code: 'EMFILE' });
  });
  assert.equal(memoryUse().resident, resident);
});
