import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory that changes as a Secret's volume of Kubernetes does: by one link, to a directory for each generation. */
export interface SecretVolume {
  readonly directory: string;
  /** Puts a new generation (paths, of which folders may be a part) in place of the one before, which goes away. */
  publish(files: Readonly<Record<string, string | Buffer>>): Promise<void>;
}

export async function createSecretVolume(t: TestContext): Promise<SecretVolume> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-secret-'));
  t.after(async () => rm(directory, { recursive: true, force: true }));
  let generation = 0;
  const named = new Set<string>();
  return {
    directory,
    async publish(files) {
      const before = `..gen_${generation}`;
      const name = `..gen_${++generation}`;
      await mkdir(join(directory, name));
      for (const [file, content] of Object.entries(files)) {
        await mkdir(dirname(join(directory, name, file)), { recursive: true });
        await writeFile(join(directory, name, file), content);
      }
      await symlink(name, join(directory, '..data_tmp'));
      await rename(join(directory, '..data_tmp'), join(directory, '..data'));
      for (const file of Object.keys(files)) {
        const [top = file] = file.split('/');
        if (!named.has(top)) await symlink(join('..data', top), join(directory, top));
        named.add(top);
      }
      await rm(join(directory, before), { recursive: true, force: true });
    },
  };
}
