import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnFault } from '../../../src/core/dial-failure.ts';
import { OtherSources } from '../../../src/names/other-sources.ts';
import { deferred } from '../../support/wait.ts';

test('two names at a time are asked of the C library; one without a turn is told so, and nobody is blamed', async () => {
  const asked: string[] = [];
  const silence = deferred<readonly string[]>();
  const sources = new OtherSources((host) => (asked.push(host), silence.promise));
  const both = [sources.ask('a.local', 4), sources.ask('b.local', 4)];
  await assert.rejects(sources.ask('c.local', 4), { code: 'LOOKUP_BUSY' });
  assert.ok(isOwnFault('LOOKUP_BUSY'));
  assert.deepEqual(asked, ['a.local', 'b.local']);
  const waiting = sources.ask('d.local', 4);
  silence.resolve(['10.0.0.1']);
  assert.deepEqual(await Promise.all([...both, waiting]), [['10.0.0.1'], ['10.0.0.1'], ['10.0.0.1']]);
  assert.deepEqual(asked, ['a.local', 'b.local', 'd.local']);
});
