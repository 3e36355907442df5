/** A reply of the Redis protocol, version 2; numbers are texts, and what is missing is an empty one. */
export type RespReply =
  | { readonly kind: 'text' | 'error'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly RespReply[] };

/** `short`: more is to come; `broken`: this is no reply. */
export type ReadRespReply = { readonly reply: RespReply; readonly end: number } | 'short' | 'broken';

const MOST_LINE_BYTES = 1024;
const MOST_ITEMS = 1024;
const MOST_DEPTH = 4;
const NUMBER = /^-?\d{1,9}$/;

/** Reads the reply that begins at `offset`. */
export function readRespReply(bytes: Buffer, offset: number, depth = 0): ReadRespReply {
  const lineEnd = bytes.indexOf('\r\n', offset, 'latin1');
  if (lineEnd === -1) return bytes.length - offset > MOST_LINE_BYTES || !mayBegin(bytes[offset]) ? 'broken' : 'short';
  const line = bytes.toString('latin1', offset + 1, lineEnd);
  const next = lineEnd + 2;
  switch (bytes.toString('latin1', offset, offset + 1)) {
    case '+':
    case ':':
      return { reply: { kind: 'text', text: line }, end: next };
    case '-':
      return { reply: { kind: 'error', text: line }, end: next };
    case '$':
      return NUMBER.test(line) ? readBulk(bytes, next, Number(line)) : 'broken';
    case '*':
      return NUMBER.test(line) && depth < MOST_DEPTH
        ? readItems(bytes, { from: next, count: Number(line), depth })
        : 'broken';
    default:
      return 'broken';
  }
}

function readBulk(bytes: Buffer, from: number, length: number): ReadRespReply {
  if (length < 0) return { reply: { kind: 'text', text: '' }, end: from };
  const end = from + length;
  if (bytes.length < end + 2) return 'short';
  return { reply: { kind: 'text', text: bytes.toString('latin1', from, end) }, end: end + 2 };
}

interface Items {
  readonly from: number;
  readonly count: number;
  readonly depth: number;
}

function readItems(bytes: Buffer, { from, count, depth }: Items): ReadRespReply {
  if (count > MOST_ITEMS) return 'broken';
  const items: RespReply[] = [];
  let end = from;
  while (items.length < count) {
    const read = readRespReply(bytes, end, depth + 1);
    if (typeof read === 'string') return read;
    items.push(read.reply);
    end = read.end;
  }
  return { reply: { kind: 'list', items }, end };
}

function mayBegin(byte: number | undefined): boolean {
  return byte === undefined || '+-:$*'.includes(String.fromCharCode(byte));
}
