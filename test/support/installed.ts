import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectRoot } from './attache.ts';
import type { Scope } from './scope.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * A project beside which attache is installed as a registry would deliver it: its files, its dependencies, and none of its
 * optional peers. Outside of this project, so that no package of it is found.
 *
 * @returns the folder of the project
 */
export function installedWithoutPeers(t: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'attache-installed-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'attache'), { recursive: true });
  for (const part of ['dist', 'package.json'])
    cpSync(join(projectRoot, part), join(modules, 'attache', part), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Manifest;
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  return folder;
}
