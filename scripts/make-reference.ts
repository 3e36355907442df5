/** Writes the generated parts of `docs/` and of `src/config` anew, from the tables of settings and from the exports of the library. */
import { writeFileSync } from 'node:fs';
import { referenceDocuments } from './reference/documents.ts';

// Twice, as the library's reference tells of the options that the first pass writes.
for (let pass = 1; pass <= 2; pass++) {
  for (const { file, found, wanted } of await referenceDocuments(process.cwd())) {
    if (found !== wanted) writeFileSync(file, wanted);
    if (pass === 2 || found !== wanted) console.log(`${file}: ${found === wanted ? 'as it is' : 'written'}`);
  }
}
