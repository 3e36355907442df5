import type { Word } from './word.ts';

/** The fault of a word that is documented, but not built yet: accepting it silently would promise what is not done. */
export function notSupported(word: Word): { readonly ok: false; readonly message: string } {
  return { ok: false, message: `expected to be unset, got a value: ${word.name} is not supported by this version` };
}
