import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWorthReading } from '../../../../src/transport/node/client-hello.ts';

const MESSAGE = Buffer.concat([Buffer.from('010000c8', 'hex'), Buffer.alloc(200, 3)]);

function record(content: Buffer): Buffer {
  const header = Buffer.from([22, 3, 1, 0, 0]);
  header.writeUInt16BE(content.length, 3);
  return Buffer.concat([header, content]);
}

test('a hello is waited for until its last byte is there', () => {
  const hello = record(MESSAGE);
  for (let at = 1; at < hello.length; at += 1)
    assert.equal(isWorthReading(hello.subarray(0, at)), false, `${at} bytes`);
  assert.equal(isWorthReading(hello), true);
  assert.equal(isWorthReading(Buffer.concat([hello, hello.subarray(0, 3)])), true);
});

test('a hello over several records is waited for until its last record is whole', () => {
  const records = [MESSAGE.subarray(0, 10), MESSAGE.subarray(10, 100), MESSAGE.subarray(100)].map(record);
  const hello = Buffer.concat(records);
  for (let at = 1; at < hello.length; at += 1)
    assert.equal(isWorthReading(hello.subarray(0, at)), false, `${at} bytes`);
  assert.equal(isWorthReading(hello), true);
});

for (const [what, bytes] of [
  ['an HTTP request', Buffer.from('G')],
  ['another record', Buffer.from('1703030005', 'hex')],
  ['a hello of SSL 2', Buffer.from('802e0103', 'hex')],
  ['another message', record(Buffer.from('0e000000', 'hex'))],
  ['an empty record', record(Buffer.alloc(0))],
  ['a message whose length comes in pieces', record(Buffer.from('0100', 'hex'))],
  ['a hello of megabytes', record(Buffer.from('01ffffff', 'hex'))],
] as const) {
  test(`${what} is for OpenSSL to refuse, at once`, () => {
    assert.equal(isWorthReading(bytes), true);
  });
}
