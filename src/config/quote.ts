const MAX_SHOWN = 80;
/** Invisible or direction-changing characters that JSON leaves alone, yet would let a value rewrite a terminal line. */
const INVISIBLE = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const PLAIN_NAME = /^[\w.[\]-]+(?: [\w.[\]-]+)*$/;

/**
 * A value as a fault shows it: quoted, escaped, at most about 80 characters, and without what stands before an `@`,
 * which in a URL typed into the wrong place is a password.
 */
export function quote(text: string): string {
  if (text === '') return 'an empty value';
  const at = text.lastIndexOf('@');
  const safe = at < 0 ? text : `***${text.slice(at)}`;
  return escape(cut(safe));
}

/** The name of a variable, flag or key: as it is when harmless, otherwise quoted. */
export function quoteName(name: string): string {
  return name.length <= MAX_SHOWN && PLAIN_NAME.test(name) ? name : escape(cut(name));
}

/** A text unchanged when all its characters are visible, otherwise quoted and escaped; never cut. */
export function printable(text: string): string {
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(text) ? escape(text) : text;
}

function cut(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  // A cut must not leave half of a surrogate pair.
  return `${text.slice(0, MAX_SHOWN - 3).replace(/[\ud800-\udbff]$/, '')}...`;
}

function escape(text: string): string {
  return JSON.stringify(text).replace(INVISIBLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
