import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../support/attache.ts';

test('npm run demo compiles the program and the demo, and no test', () => {
  const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    scripts: { demo: string };
  };
  const projects = [...scripts.demo.matchAll(/tsc -p (\S+)/g)].map(([, project = '']) => project);
  assert.equal(projects.length, 1, scripts.demo);
  const compiler = join(projectRoot, 'node_modules/.bin/tsc');
  const listed = projects.flatMap((project) => {
    const { stdout } = spawnSync(compiler, ['-p', project, '--listFilesOnly'], { cwd: projectRoot, encoding: 'utf8' });
    return stdout.split('\n').map((file) => relative(projectRoot, file));
  });
  assert.deepEqual(
    listed.filter((file) => /^(src|scripts|test|bench|deploy)\//.test(file)),
    ['scripts/demo.ts'],
  );
});
