import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { dialPolicy } from '../../src/core/dial-policy.ts';
import { directorySource, type DirectorySourceOptions } from '../../src/discovery/directory/source.ts';
import { LookRecorder } from './look-recorder.ts';

export const SERVICE = '/srv/redis/debug';
/** Long enough that within a test only a watch can have told of a change. */
export const WATCH_ONLY_MS = 60_000;

/** A registry in a temporary directory, removed after the test. */
export class RegistryDirectory {
  /** Where the test may put other things beside the registry. */
  readonly base: string;
  readonly root: string;

  private constructor(base: string) {
    this.base = base;
    this.root = join(base, 'registry');
  }

  static async create(t: TestContext): Promise<RegistryDirectory> {
    const base = await mkdtemp(join(tmpdir(), 'attache-registry-'));
    t.after(() => rm(base, { recursive: true, force: true }));
    const registry = new RegistryDirectory(base);
    await mkdir(registry.root);
    return registry;
  }

  /** Absolute path of something in the registry. */
  at(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /** Makes a member, the parents of its directory included. */
  async add(name: string, directory = this.at(SERVICE)): Promise<void> {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), '');
  }

  async remove(name: string): Promise<void> {
    await rm(this.at(SERVICE, name));
  }

  async move(from: string, to: string): Promise<void> {
    await rename(this.at(SERVICE, from), this.at(SERVICE, to));
  }
}

/** Starts a source over the registry; stopped after the test. */
export function follow(
  t: TestContext,
  registry: RegistryDirectory,
  options: Partial<DirectorySourceOptions> = {},
): LookRecorder {
  const sink = new LookRecorder();
  const source = directorySource({
    root: registry.root,
    directory: SERVICE,
    policy: dialPolicy([]),
    onFailure: 'keep',
    ...options,
  });
  t.after(() => source.stop());
  source.start(sink);
  return sink;
}
