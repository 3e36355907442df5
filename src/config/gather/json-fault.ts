/**
 * Where a text stops being JSON, as `line 3, column 5`. JSON.parse's own message cannot be used: it quotes the text,
 * which may hold anything, and differs between versions of Node.
 */
export function locateJsonFault(text: string): string {
  const before = text.slice(0, faultOffset(text));
  const line = before.split('\n').length;
  return `line ${line}, column ${before.length - before.lastIndexOf('\n')}`;
}

type Expecting = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

const BLANK = /[ \t\n\r]*/y;
// The alternation is unrolled: a group per character would overflow the matcher on long strings.
const TOKEN =
  // eslint-disable-next-line no-control-regex -- JSON refuses control characters in strings
  /[{}[\],:]|"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

function faultOffset(text: string): number {
  const open: string[] = [];
  let expecting: Expecting = 'value';
  let offset = match(BLANK, text, 0).length;
  for (;;) {
    const token = match(TOKEN, text, offset);
    const next: Expecting | undefined = token === '' ? undefined : after(token, expecting, open);
    if (next === undefined) return offset;
    expecting = next;
    offset += token.length;
    offset += match(BLANK, text, offset).length;
  }
}

/** What may follow `token`; undefined when it may not stand here. `open` holds the brackets not closed yet. */
function after(token: string, expecting: Expecting, open: string[]): Expecting | undefined {
  const isEnd = token === '}' || token === ']';
  if (isEnd) {
    const opener = token === '}' ? '{' : '[';
    const emptyEnd: Expecting = token === '}' ? 'key-or-end' : 'value-or-end';
    if (open.at(-1) !== opener || (expecting !== 'comma-or-end' && expecting !== emptyEnd)) return undefined;
    open.pop();
    return close(open);
  }
  if (token === ':') return expecting === 'colon' ? 'value' : undefined;
  if (token === ',') {
    if (expecting !== 'comma-or-end') return undefined;
    return open.at(-1) === '{' ? 'key' : 'value';
  }
  if (expecting === 'key' || expecting === 'key-or-end') return token.startsWith('"') ? 'colon' : undefined;
  if (expecting !== 'value' && expecting !== 'value-or-end') return undefined;
  if (token !== '{' && token !== '[') return close(open);
  open.push(token);
  return token === '{' ? 'key-or-end' : 'value-or-end';
}

function close(open: readonly string[]): Expecting {
  return open.length === 0 ? 'nothing' : 'comma-or-end';
}

function match(pattern: RegExp, text: string, offset: number): string {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0] ?? '';
}
