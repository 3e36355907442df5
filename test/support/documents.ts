import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './attache.ts';

/** A Markdown file of the project. */
export interface Document {
  /** Its path from the project's root. */
  readonly name: string;
  readonly text: string;
}

/** The README and every page of `docs/`. */
export function documents(): readonly Document[] {
  const pages = readdirSync(join(projectRoot, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...pages.map((name) => join('docs', name))].map(document);
}

/** @param name its path from the project's root */
export function document(name: string): Document {
  return { name, text: readFileSync(join(projectRoot, name), 'utf8') };
}

/** What is in the fenced blocks with this info string: `sh check`, `log`. */
export function fencedBlocks({ text }: Document, info: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${info}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code ?? '');
}
