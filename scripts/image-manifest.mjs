/**
 * Prints the package.json of the image: that of the package, with the optional peers that a program can load among its
 * dependencies, so that `npm ci --omit=dev` installs them, each in the version of package-lock.json.
 */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
// Types are for compilers.
const peers = Object.entries(manifest.peerDependencies).filter(([name]) => !name.startsWith('@types/'));
const dependencies = { ...manifest.dependencies, ...Object.fromEntries(peers) };
delete manifest.peerDependencies;
delete manifest.peerDependenciesMeta;
for (const name in dependencies) delete manifest.devDependencies[name];
console.log(JSON.stringify({ ...manifest, dependencies }, undefined, 2));
