import assert from 'node:assert/strict';
import { fencedBlocks, type Document } from './documents.ts';

/** The variables of a recipe, which is a block of shell that runs attache. @param info of the block: `sh health redis` */
export function recipe(page: Document, info: string): Readonly<Record<string, string>> {
  const [block = ''] = fencedBlocks(page, info);
  const line = block.replaceAll('\\\n', ' ').trim();
  assert.match(line, / attache$/, info);
  const pairs = [...line.matchAll(/([A-Z_]+)=(?:'([^']*)'|(\S+))/g)];
  assert.ok(pairs.length > 2);
  return Object.fromEntries(pairs.map(([, key = '', quoted, plain]) => [key, quoted ?? plain ?? '']));
}

/** A recipe that listens at ports of the system's choice, with other values for those whose names begin so. */
export function local(
  env: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const changed = Object.entries(env).map(([name, value]) => {
    if (name.startsWith('SRC')) return [name, '127.0.0.1:0'];
    const [, other = value] = Object.entries(values).find(([begin]) => name.startsWith(begin)) ?? [];
    return [name, other];
  });
  return Object.fromEntries(changed) as Record<string, string>;
}
