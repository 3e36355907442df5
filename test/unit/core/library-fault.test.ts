import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLibraryFault } from '../../../src/core/library-fault.ts';

function thrownFrom(...frames: readonly string[]): Error {
  const error = new Error('boom');
  error.stack = ['Error: boom', ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}

for (const file of [
  '/app/node_modules/etcd3/lib/watch.js',
  '/app/node_modules/@grpc/grpc-js/build/src/channel.js',
  '/app/node_modules/cockatiel/dist/index.js',
  '/app/node_modules/@grpc/proto-loader/node_modules/protobufjs/src/reader.js',
  '/app/node_modules/@protobufjs/base64/index.js',
  '/usr/lib/node_modules/attache/node_modules/long/umd/index.js',
]) {
  test(`an error that begins in ${file} is the library's, although our code is further up`, () => {
    const error = thrownFrom(
      'Socket.emit (node:events:524:28)',
      `read (${file}:12:3)`,
      'watch (/app/dist/etcd.js:1:1)',
    );
    assert.equal(isLibraryFault(error), true);
  });
}

test('an error that begins in our own code is ours, although a library called it', () => {
  assert.equal(
    isLibraryFault(thrownFrom('file:///app/dist/etcd.js:3:7', 'x (/app/node_modules/etcd3/a.js:1:1)')),
    false,
  );
  assert.equal(isLibraryFault(thrownFrom('f (/usr/lib/node_modules/attache/dist/main.js:3:7)')), false);
});

test('what has no frame but those of Node, and what is no error, is not taken for a library fault', () => {
  assert.equal(isLibraryFault(thrownFrom('TCP.onread (node:internal/stream_base_commons:217:20)')), false);
  assert.equal(isLibraryFault('etcd3'), false);
});
