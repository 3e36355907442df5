/** Writes the generated parts of `docs/` anew, from the table of words and from the exports of the library. */
import { writeFileSync } from 'node:fs';
import { referenceDocuments } from './reference/documents.ts';

for (const { file, found, wanted } of await referenceDocuments(process.cwd())) {
  if (found !== wanted) writeFileSync(file, wanted);
  console.log(`${file}: ${found === wanted ? 'as it was' : 'written'}`);
}
