import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import type { NativeAddon } from '../../src/transport/native/bindings.ts';

const SOURCES = 'native';
const BUILD_SCRIPT = 'scripts/build-native';
const BUILT = 'build/native';

/** The addon of `native/` as it stands there, built as the product is, unless `NATIVE_ADDON` names another. */
export function nativeAddon(): NativeAddon {
  return createRequire(import.meta.url)(nativeAddonFile()) as NativeAddon;
}

/** Where it is, as an absolute path. */
export function nativeAddonFile(): string {
  return realpathSync(process.env['NATIVE_ADDON'] ?? built());
}

function built(): string {
  const sources = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
  const newest = Math.max(...[BUILD_SCRIPT, ...sources.map((name) => join(SOURCES, name))].map(changedAt));
  const found = builtFile();
  if (found !== undefined && changedAt(found) > newest) return found;
  // Against the headers of the Node that runs this.
  const PATH = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const env = { ...process.env, PATH };
  execFileSync('sh', [BUILD_SCRIPT, '--required', '--out', BUILT], { stdio: ['ignore', 'ignore', 'inherit'], env });
  const file = builtFile();
  if (file === undefined) throw new Error(`${BUILD_SCRIPT} has made no file in ${BUILT}`);
  return file;
}

/** Its name is the script's to choose. */
function builtFile(): string | undefined {
  try {
    const name = readdirSync(BUILT).find((file) => /^linux-\S+\.node$/.test(file));
    return name && join(BUILT, name);
  } catch {
    return undefined;
  }
}

function changedAt(path: string): number {
  return statSync(path).mtimeMs;
}
