/** Refuses sentences of the pages for users that are too long, or that use a phrase that makes a reader stop. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { proseFaults } from './prose.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'deploy/kubernetes/README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const faults = pages.flatMap((name) => proseFaults({ name, text: readFileSync(name, 'utf8') }));
for (const { page, sentence, fault } of faults) console.error(`${page}: ${fault}\n  ${sentence}`);
console.log(`prose: ${pages.length} pages, ${faults.length === 0 ? 'no fault' : `${faults.length} faults`}`);
process.exitCode = faults.length === 0 ? 0 : 1;
