import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../support/attache.ts';

test('the built program can be executed: a build after `npm link` leaves the command working', () => {
  const program = join(projectRoot, 'dist/main.js');
  assert.match(readFileSync(program, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  accessSync(program, constants.X_OK);
});
