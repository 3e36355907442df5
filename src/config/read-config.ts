import { FileFault, foundInstead } from '../files/file-fault.ts';
import { readBounded } from '../files/read-file.ts';
import { realPath } from '../files/real-path.ts';
import { textOf } from '../files/text.ts';
import type { Config } from './config.ts';
import { gather } from './gather/gather.ts';
import { noFlags } from './gather/given-flags.ts';
import type { LoadOptions } from './load.ts';
import { Report } from './report.ts';
import { resolve } from './resolve/resolve.ts';

/**
 * What `loadConfig` gives, for the program: no file that a setting names can hold its event loop, so a signal still ends it.
 * The files are read between two passes over the settings, each once: a pipe has its text only once.
 *
 * @throws ConfigError with every fault there is
 */
export async function readConfig({ flags = noFlags, env }: Omit<LoadOptions, 'readFile'>): Promise<Config> {
  return withFiles((files) => {
    const report = new Report(flags.faults);
    return resolve(gather({ flags, env, ...files }, report), report);
  });
}

/** The file system, for work that does not wait for it. */
export interface Files {
  /** The text of a file. @throws what reading it ended with */
  readonly readFile: (path: string) => string;
  /** What stands at the path of a file that others read later, when it is no file. */
  readonly lookAt: (path: string) => string | undefined;
  /** Where a path leads when every link is followed. @throws the system's error */
  readonly realPath: (path: string) => string;
}

/** What `work` gives once every file that it asks for is known: it is done again until then. @throws what it throws */
export async function withFiles<T>(work: (files: Files) => T): Promise<T> {
  const texts = new Findings((path) => readBounded(path, { pipes: 'read' }).then(({ bytes }) => textOf(bytes)));
  const looks = new Findings(lookAt);
  const leads = new Findings(realPath);
  const files: Files = {
    readFile: (path) => texts.of(path) ?? '',
    lookAt: (path) => looks.of(path),
    realPath: (path) => leads.of(path) ?? path,
  };
  for (;;) {
    const outcome = attempt(() => work(files));
    const isWhole = (await Promise.all([texts.settle(), looks.settle(), leads.settle()])).every(Boolean);
    if (isWhole) return outcome();
  }
}

/** What stands at the path of a file that others read later, when it is no file. That it is missing can pass. */
async function lookAt(path: string): Promise<string | undefined> {
  try {
    await readBounded(path);
    return undefined;
  } catch (error) {
    return error instanceof FileFault ? foundInstead(error) : undefined;
  }
}

/** What was found at paths; what nobody knows yet is asked for, and known at the next pass. */
class Findings<T> {
  readonly #find: (path: string) => Promise<T>;
  readonly #known = new Map<string, () => T>();
  readonly #asked = new Set<string>();

  constructor(find: (path: string) => Promise<T>) {
    this.#find = find;
  }

  /** Undefined when it is not known yet. @throws what finding it ended with */
  of(path: string): T | undefined {
    const known = this.#known.get(path);
    if (known !== undefined) return known();
    this.#asked.add(path);
    return undefined;
  }

  /** @returns whether everything that was asked for had been known */
  async settle(): Promise<boolean> {
    const asked = [...this.#asked];
    this.#asked.clear();
    await Promise.all(
      asked.map(async (path) => {
        this.#known.set(path, await settled(this.#find(path)));
      }),
    );
    return asked.length === 0;
  }
}

async function settled<T>(work: Promise<T>): Promise<() => T> {
  try {
    const value = await work;
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function attempt<T>(work: () => T): () => T {
  try {
    const value = work();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
