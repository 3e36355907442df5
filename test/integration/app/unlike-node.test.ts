import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { preload } from '../../support/preload.ts';
import { connectTo, readAll, startEcho } from '../../support/tcp.ts';

/**
 * What a Node would do whose inner parts are not as known, put in place before the program is loaded. `TCP` is the class
 * of handles, `usual` its `writeBuffer`; `isDirect` tells a write of the program's own from one of Node's, whose request
 * knows already whom to tell.
 */
const PRELUDE = `
import net from 'node:net';
import { syncBuiltinESMExports } from 'node:module';
const socket = net.connect(1, '127.0.0.1').on('error', () => {});
const TCP = Object.getPrototypeOf(socket._handle);
socket.destroy();
const usual = TCP.writeBuffer;
const isDirect = (request) => request !== null && request.oncomplete === undefined;
const writes = (directly) => {
  TCP.writeBuffer = function (request, chunk) {
    return isDirect(request) ? directly.call(this, request, chunk) : usual.call(this, request, chunk);
  };
};
const accepts = (set) => {
  const { listen } = TCP;
  TCP.listen = function (...args) {
    const own = this.onconnection;
    let current = own;
    Object.defineProperty(this, 'onconnection', { get: () => current, set: (ours) => { current = set(ours, own); } });
    return listen.apply(this, args);
  };
};
const sockets = (change) => {
  const { Socket } = net;
  net.Socket = new Proxy(Socket, {
    construct: (target, [options], as) => Reflect.construct(target, [options?.handle && options.onread ? change(options) : options], as),
  });
  syncBuiltinESMExports();
};
const inNode = () => {
  const error = new Error('inside Node');
  error.stack = 'Error: inside Node\\n    at TCP.onwrite (node:internal/stream_base_commons:87:19)';
  throw error;
};
`;

const unlike: readonly (readonly [string, string])[] = [
  ['throws when it is written to directly', 'writes(() => { throw new TypeError("not so"); });'],
  ['answers a direct write with nothing', 'writes(() => undefined);'],
  ['answers a direct write with nonsense', 'writes(() => ({}));'],
  ['answers a direct write with a number that was not known', 'writes(() => 7);'],
  ['never finishes a direct write', 'writes((request) => { request.getAsyncId = () => 5; return 0; });'],
  ['says that a direct write is done, and drops it', 'writes(() => 0);'],
  [
    'garbles a direct write',
    'writes(function (request, chunk) { return usual.call(this, request, Buffer.alloc(chunk.length)); });',
  ],
  ['refuses a direct write', 'writes(() => -22);'],
  [
    'throws inside itself after a direct write',
    'writes(function (request, chunk) { setImmediate(inNode); return usual.call(this, request, chunk); });',
  ],
  ['keeps its own way to accept', 'accepts((ours, own) => own);'],
  ['throws when it is given another way to accept', 'accepts(() => { throw new TypeError("not so"); });'],
  [
    'throws inside itself after it was given another way to accept',
    'accepts((ours) => { setImmediate(inNode); return ours; });',
  ],
  ['accepts nobody in another way', 'accepts(() => () => undefined);'],
  ['makes no socket that reads into given buffers', 'sockets(() => { throw new TypeError("not so"); });'],
  ['does not read into given buffers', 'sockets(({ onread, ...options }) => options);'],
  ['gives no handle to a socket', 'sockets(({ handle, ...options }) => options);'],
  [
    'throws when a listening handle is given options',
    'for (const name of ["setNoDelay", "setKeepAlive"]) { const own = TCP[name]; TCP[name] = function (...args) { if (this.onconnection) throw new TypeError("not so"); return own.apply(this, args); }; }',
  ],
];

/** Those that go on directly: what is not to be had has another documented way. */
const HARMLESS = new Set(['throws when a listening handle is given options']);

const SENT = Buffer.alloc(1_000_003, 'abcdefghijklmnopq');

suite('a Node whose inner parts are not as known', { timeout: 120_000, concurrency: 2 }, () => {
  for (const [what, statements] of unlike) {
    for (const DIRECT_IO of ['auto', 'on']) {
      test(
        `one that ${what} carries every byte the usual way (DIRECT_IO=${DIRECT_IO})`,
        { timeout: 30_000 },
        async (t) => {
          const server = await startEcho(t);
          const attache = startAttache(t, {
            env: { ENGINE: 'typescript', SRC: '127.0.0.1:0', DST: `127.0.0.1:${server.port}`, DIRECT_IO },
            nodeArgs: preload(t, `${PRELUDE}\n${statements}`),
          });
          const port = await attache.port();
          // At once, while the check may still be under way, and behind it.
          for (let i = 0; i < 3; i += 1) {
            const client = await connectTo(port);
            client.end(SENT);
            const { bytes, end } = await readAll(client);
            assert.equal(end, 'eof');
            assert.ok(bytes.equals(SENT), 'every byte has come back');
          }
          if (DIRECT_IO === 'on' && !HARMLESS.has(what)) {
            await attache.line(({ level, msg }) => level === 'warn' && msg?.startsWith('DIRECT_IO=on') === true);
          }
          attache.child.kill('SIGTERM');
          assert.equal(await attache.exited, 0);
          assert.equal(attache.lines.filter(({ level }) => level === 'fatal').length, 0);
          assert.equal(attache.lines.filter(({ msg }) => msg?.startsWith('DIRECT_IO=on') === true).length <= 1, true);
        },
      );
    }
  }
});
