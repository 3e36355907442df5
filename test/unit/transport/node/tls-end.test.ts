import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { watchEnd, type StreamEnd } from '../../../../src/transport/node/tls-end.ts';

const OVERHEAD_BYTES = 22;
const ALERT_BYTES = 24;
const KEY_UPDATE_BYTES = 27;
const RECORD_BYTES = 16_384;

/** What a TLS socket inherits, as far as it is used here. */
const nodesOwn: object = Object.assign(new EventEmitter(), {
  push: () => true,
  getCipher: () => ({ standardName: 'TLS_AES_256_GCM_SHA384', version: 'TLSv1.3' }),
});

/**
 * How the end of a stream of TLS 1.3 is judged.
 *
 * @param lastBytes what came in the last read, behind a whole record
 */
function endOf(lastBytes: number): StreamEnd | undefined {
  const raw = { bytesRead: 0 };
  const socket = Object.create(nodesOwn) as TLSSocket;
  const leg: { streamEnd: StreamEnd | undefined } = { streamEnd: undefined };
  const watch = watchEnd({ leg, socket, raw: raw as unknown as Socket });
  raw.bytesRead = 1_000;
  watch.mark();
  raw.bytesRead += RECORD_BYTES + OVERHEAD_BYTES;
  socket.push(Buffer.alloc(RECORD_BYTES));
  raw.bytesRead += lastBytes;
  socket.push(null);
  return leg.streamEnd;
}

test('an end behind the bytes of a close_notify is one that the peer told of', () => {
  assert.equal(endOf(ALERT_BYTES), 'notified');
});

test('an end behind nothing is a bare one', () => {
  assert.equal(endOf(0), 'bare');
});

test('a record that was cut anywhere is never taken for a close_notify without a doubt', () => {
  const certain = [];
  for (let bytes = 1; bytes < RECORD_BYTES; bytes += 1) if (endOf(bytes) === 'notified') certain.push(bytes);
  assert.deepEqual(certain, [ALERT_BYTES]);
});

test('a close_notify behind key updates is taken for one, and for one that a reset can unmake', () => {
  for (const updates of [1, 2, 3]) assert.equal(endOf(updates * KEY_UPDATE_BYTES + ALERT_BYTES), 'doubtful');
});
