/** What a terminal obeys or a reader cannot see: controls, soft hyphens, line separators, marks of text direction. */
const INVISIBLE =
  // eslint-disable-next-line no-control-regex -- control characters are what is being replaced
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** The six characters `\u001b` in place of the one that a terminal obeys. JSON stays the same JSON. */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A foreign text on one line with all its characters visible, at most `max` of them. */
export function visible(text: string, max = 256): string {
  // A cut must not leave half of a surrogate pair.
  const cut = text.length <= max ? text : `${text.slice(0, max).replace(/[\ud800-\udbff]$/, '')}…`;
  return escapeInvisible(cut);
}
