import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError } from './arguments.ts';
import { outputOf } from './programs.ts';

/** Version of a node binary, without the v. @throws {ArgumentError} when it is none. */
export function nodeVersion(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, ['--version'], { timeout: 10_000 }, (error, stdout) => {
      const [, version] = /^v(\d+[.]\d+[.]\d+\S*)$/.exec(stdout.trim()) ?? [];
      if (error === null && version !== undefined) resolve(version);
      else reject(new ArgumentError(`--node: expected a node binary, got ${JSON.stringify(path)}`));
    });
  });
}

/** Version of the package and commit of the tree, marked when the tree differs from it. */
export async function attacheVersion(project: string): Promise<{ readonly version: string; readonly commit: string }> {
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { readonly version: string };
  const described = (await outputOf('git', ['describe', '--always', '--dirty', '--exclude=*'], project)).trim();
  return { version, commit: /^[0-9a-f]{7,40}(-dirty)?$/.test(described) ? described : 'unknown' };
}
