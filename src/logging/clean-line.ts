/** What JSON leaves as it is and a terminal may obey: DEL, the C1 controls, line separators, text direction. */
const UNESCAPED = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const UNESCAPED_ALL = new RegExp(UNESCAPED, 'g');
/**
 * User and password of a URL, up to the last `@` before a blank or the end of the JSON string: an unescaped `@` or `/` in a
 * password must not let its second half out, so rather too much is taken than too little.
 */
const URL_CREDENTIALS = /:\/\/(?:\\.|[^\s"\\])*@/g;
/** `X-Amz-Signature=…`, `password=…`, `token: …` in texts of others, and what an Authorization header says. */
const NAMED_SECRETS =
  /\b((?:[\w-]{0,24}(?:password|passwd|secret|signature|credential|token|access[_-]?key)[\w-]{0,24})(?:=|:\s?))(?!\s)(?:\\.|[^\s"\\&,;])+/gi;
const SCHEMED_SECRETS = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
const PRIVATE_KEY = /-----BEGIN[ A-Z]*PRIVATE KEY-----(?:\\.|[^"\\])*?(?:-----END[ A-Z]*PRIVATE KEY-----|(?="))/g;
const MAY_HOLD_SECRET = /[@=]|-----BEGIN|Bearer|Basic|(?:passw|secret|signature|credential|token|key)[\w-]*:/i;
const CENSORED = '[redacted]';

/**
 * The last gate before a log line leaves the process: whatever text of a peer, a registry or a library got into it, no
 * terminal obeys it and no secret that can be recognised is in it. Field names known to be secret are censored before.
 *
 * @param line one JSON object as text; it stays one
 */
export function cleanLine(line: string): string {
  let clean = line;
  if (UNESCAPED.test(clean)) clean = clean.replace(UNESCAPED_ALL, escapeCharacter);
  if (MAY_HOLD_SECRET.test(clean)) {
    clean = clean
      .replace(URL_CREDENTIALS, `://${CENSORED}@`)
      .replace(PRIVATE_KEY, CENSORED)
      .replace(SCHEMED_SECRETS, `$1 ${CENSORED}`)
      .replace(NAMED_SECRETS, `$1${CENSORED}`);
  }
  return clean;
}

/** The six characters `\u001b` in place of the one that a terminal obeys. */
export function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
