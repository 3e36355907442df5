import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyLimit } from '../../../src/discovery/sentinel/reply-limit.ts';

const REAL =
  '*3\r\n$9\r\nsubscribe\r\n$6\r\n+sdown\r\n:1\r\n*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n$-1\r\n*-1\r\n*0\r\n-ERR no\r\n+OK\r\n$0\r\n\r\n';

test('replies of a Sentinel pass, however they are cut', () => {
  for (const size of [1, 2, 3, 7, 1_000]) {
    const limit = new ReplyLimit();
    for (let round = 0; round < 3; round += 1)
      for (let from = 0; from < REAL.length; from += size)
        assert.ok(limit.take(Buffer.from(REAL.slice(from, from + size))), `${size} at ${from}`);
  }
});

test('a reply counts alone: any number of them may come', () => {
  const limit = new ReplyLimit();
  const reply = Buffer.from(`$100000\r\n${'x'.repeat(100_000)}\r\n`);
  for (let n = 0; n < 200; n += 1) assert.ok(limit.take(reply));
});

test('line feeds in a text are part of it', () => {
  const limit = new ReplyLimit();
  assert.ok(limit.take(Buffer.from('*2\r\n$6\r\n*9\r\n*9\r\n$1\r\nx\r\n+OK\r\n')));
});

for (const [what, text] of [
  ['a text of 100 MB', '$100000000\r\n'],
  ['a list of 30 million items', '*30000000\r\n'],
  ['lists in lists', '*200000\r\n*200000\r\n'],
  ['a line without an end', `+${'x'.repeat(20_000)}`],
  ['a length that is no number', '$1e9\r\n'],
  ['a negative text longer than any', '$-99999999999\r\n'],
  ['HTTP', 'HTTP/1.1 400 Bad Request\r\n'],
  ['an empty line', '\r\n'],
  ['texts without an end', `*200000\r\n${`$50000\r\n${'x'.repeat(50_000)}\r\n`.repeat(100)}`],
] as const) {
  test(`${what} is no reply`, () => {
    const whole = new ReplyLimit();
    assert.equal(whole.take(Buffer.from(text)), false);
    const limit = new ReplyLimit();
    const bytes = Buffer.from(text);
    let isTaken = true;
    for (let from = 0; isTaken && from < bytes.length; from += 999)
      isTaken = limit.take(bytes.subarray(from, from + 999));
    assert.equal(isTaken, false);
  });
}
