import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { nativeAddonFile } from '../../../support/native-addon.ts';

const run = promisify(execFile);

/** Leaves one descriptor to the engine, which needs two; then as many as it wants. */
const SCRIPT = `
  const { closeSync, openSync } = require('node:fs');
  const addon = require(process.argv[1]);
  const taken = [];
  try {
    for (;;) taken.push(openSync('/dev/null'));
  } catch (error) {
    console.log(error.code);
  }
  closeSync(taken.pop());
  try {
    addon.start(() => undefined);
  } catch (error) {
    console.log(error.code);
  }
  taken.push(openSync('/dev/null'));
  taken.forEach((descriptor) => closeSync(descriptor));
  addon.start(() => undefined);
  console.log('began');
`;

test('an engine that cannot begin leaves nothing behind, and may begin later', { timeout: 20_000 }, async () => {
  const { stdout } = await run('sh', [
    ...['-c', 'ulimit -n 64; exec "$@"', 'sh'],
    ...[process.execPath, '-e', SCRIPT, nativeAddonFile()],
  ]);
  assert.deepEqual(stdout.split('\n'), ['EMFILE', 'ENGINE_FAILED', 'began', '']);
});
