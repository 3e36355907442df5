import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NativeAddon } from './bindings.ts';

export type LoadedAddon = { readonly addon: NativeAddon } | { readonly reason: string };

/** Where the addon is looked for; the defaults are those of this process. */
export interface AddonPlace {
  /** A file of this package; default: this one. */
  readonly from?: URL;
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
  /** Version of Node-API that Node has. */
  readonly nodeApi?: number;
}

/** The version of Node-API that the addon is written for. */
const NODE_API = 8;
/** The header of a program names its loader in its first bytes. */
const HEADER_BYTES = 4_096;

/** Loads the native engine that was built for this machine, and has it look at this Node. Never throws. */
export function loadAddon(place: AddonPlace = {}): LoadedAddon {
  const { from = new URL(import.meta.url), platform = process.platform, arch = process.arch } = place;
  const { nodeApi = Number(process.versions['napi']) } = place;
  if (platform !== 'linux') return { reason: `there is none for ${platform}` };
  if (!(nodeApi >= NODE_API)) return { reason: `this Node has no Node-API ${NODE_API}` };
  const name = `${platform}-${arch}-${isMusl() ? 'musl' : 'glibc'}.node`;
  const root = packageRoot(from);
  const file = root && new URL(`dist/native/${name}`, root);
  if (file === undefined || !existsSync(file))
    return { reason: `dist/native/${name} is missing: scripts/build-native makes it` };
  return load(fileURLToPath(file), name);
}

function load(path: string, name: string): LoadedAddon {
  try {
    const addon: unknown = createRequire(import.meta.url)(path);
    if (!isAddon(addon)) return { reason: `dist/native/${name} is none` };
    const missing = addon.probe();
    return missing === null ? { addon } : { reason: missing };
  } catch (error) {
    const [said = 'it cannot be loaded'] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { reason: said };
  }
}

function isAddon(value: unknown): value is NativeAddon {
  return typeof value === 'object' && value !== null && 'probe' in value && typeof value.probe === 'function';
}

/** The folder of the package that `file` belongs to: another package's build is not ours to load. */
function packageRoot(file: URL): URL | undefined {
  for (let folder = new URL('.', file); ; folder = new URL('..', folder)) {
    if (existsSync(new URL('package.json', folder))) return folder;
    if (folder.pathname === '/') return undefined;
  }
}

/** Whether this Node runs on musl: a program of musl names the loader of musl. */
function isMusl(): boolean {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const program = openSync(process.execPath, 'r');
    try {
      readSync(program, header, 0, HEADER_BYTES, 0);
    } finally {
      closeSync(program);
    }
  } catch {
    return false;
  }
  return header.includes('/ld-musl-');
}
