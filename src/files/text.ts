const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Without the mark that editors of Windows put in front of UTF-8: it is no part of what was written. */
export function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, MARK.length).equals(MARK) ? bytes.subarray(MARK.length) : bytes;
}

/** The text of a file. */
export function textOf(bytes: Buffer): string {
  return withoutMark(bytes).toString('utf8');
}
