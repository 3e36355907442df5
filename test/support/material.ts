import { readFileSync } from 'node:fs';
import type { PartName } from '../../src/core/material-origin.ts';
import type { MaterialPurpose } from '../../src/identity/material.ts';
import { MaterialError } from '../../src/identity/material-error.ts';
import type { MaterialParts } from '../../src/identity/parts.ts';

export const server = {
  role: 'server',
  clientAuth: 'require',
  minVersion: 'TLSv1.2',
} as const satisfies MaterialPurpose;
export const client = { role: 'client', minVersion: 'TLSv1.2' } as const satisfies MaterialPurpose;

/** Parts as a source would have read them, from paths, or from texts under made-up paths. */
export function partsOf(paths: Readonly<Partial<Record<PartName, string>>>): MaterialParts {
  const parts = Object.entries(paths).map(([name, path]) => [name, { origin: path, bytes: readFileSync(path) }]);
  return Object.fromEntries(parts) as MaterialParts;
}

export function part(origin: string, content: string | Buffer): { readonly origin: string; readonly bytes: Buffer } {
  return { origin, bytes: Buffer.from(content) };
}

/** The error that a function throws or a promise rejects with. */
export async function errorOf(run: () => unknown): Promise<MaterialError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof MaterialError) return error;
    throw error;
  }
  throw new Error('expected a MaterialError, nothing was thrown');
}
