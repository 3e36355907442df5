import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAmbassador } from '../../../src/app/ambassador.ts';
import type { Extension } from '../../../src/app/extension.ts';
import { deferred } from '../../support/wait.ts';

test('closed while its endpoints are being made, it closes them and starts none', async (t) => {
  const made = deferred<readonly Extension[]>();
  const calls: string[] = [];
  const endpoint: Extension = {
    start: () => Promise.resolve(void calls.push('start')),
    close: () => Promise.resolve(void calls.push('close')),
  };
  const options = { services: [{ name: 'x', src: '127.0.0.1:0', dst: ['127.0.0.1:1'] }] };
  const ambassador = createAmbassador(options, { endpoints: () => made.promise });
  t.after(() => ambassador.closeNow());
  const started = ambassador.start();
  const closed = ambassador.close();
  assert.deepEqual(await closed, { cut: 0 });
  made.resolve([endpoint]);
  await assert.rejects(started, { code: 'closed' });
  assert.deepEqual(calls, ['close']);
  assert.equal(ambassador.status.phase, 'closed');
});
