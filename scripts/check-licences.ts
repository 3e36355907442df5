/**
 * Checks that every package which reaches a user (package-lock.json without the development ones, and with the optional
 * peers that the image holds) has a licence of the list. Reads what is installed, and the lock file where a package is for another platform.
 * Exits 1 on any other licence, on none, and when no package was read.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Those that ask for no more than their text beside the code, which the image keeps. */
const ALLOWED: ReadonlySet<string> = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);

interface Package {
  readonly version?: string;
  readonly license?: string | { readonly type?: string };
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const { packages = {} } = read('package-lock.json') as { packages?: Record<string, Package> };
const ofPeers = reachedFrom(
  Object.keys(packages['']?.peerDependencies ?? {}).filter((name) => !name.startsWith('@types/')),
);
const shipped = Object.entries(packages).filter(
  ([path, { dev = false }]) => path !== '' && (!dev || ofPeers.has(path)),
);
if (shipped.length === 0) fail(['no package found in package-lock.json']);

const counts = new Map<string, number>();
const refused: string[] = [];
for (const [path, locked] of shipped) {
  const licence = licenceOf(path, locked);
  if (!isAllowed(licence)) refused.push(`${path}@${locked.version ?? '?'}: ${licence === '' ? 'no licence' : licence}`);
  counts.set(licence, (counts.get(licence) ?? 0) + 1);
}
if (refused.length > 0) fail([...refused, `allowed: ${[...ALLOWED].join(', ')}`]);
const summary = [...counts].sort(([, a], [, b]) => b - a).map(([licence, count]) => `${count} ${licence}`);
console.log(`licences: ${shipped.length} packages: ${summary.join(', ')}`);

/** Places of the packages of these names, and of all that they depend on. */
function reachedFrom(names: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = names.map((name) => placeOf(name, ''));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (path === '' || reached.has(path)) continue;
    reached.add(path);
    const { dependencies, optionalDependencies, peerDependencies } = packages[path] ?? {};
    const from = path;
    const wanted = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    waiting.push(...Object.keys(wanted).map((name) => placeOf(name, from)));
  }
  return reached;
}

/** Where Node finds a package from another: the nearest folder of packages above it that has it; '' is none. */
function placeOf(name: string, from: string): string {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('node_modules/')).replace(/\/$/, '')) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (place in packages) return place;
    if (folder === '') return '';
  }
}

/** What the package itself says; the lock file only repeats it, as it was when it was written. */
function licenceOf(path: string, locked: Package): string {
  const manifest = join(path, 'package.json');
  const { license = '' } = existsSync(manifest) ? (read(manifest) as Package) : locked;
  return typeof license === 'string' ? license : (license.type ?? '');
}

/** Of an SPDX expression: one of those joined by OR, all of those joined by AND. */
function isAllowed(expression: string): boolean {
  const inner = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(inner)) return false;
  return inner.split(' OR ').some((choice) => choice.split(' AND ').every((licence) => ALLOWED.has(licence)));
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function fail(lines: readonly string[]): never {
  for (const line of lines) console.error(`licences: ${line}`);
  process.exit(1);
}
