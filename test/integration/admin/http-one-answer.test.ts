import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startAttache } from '../../support/attache.ts';
import { httpPort } from '../../support/http.ts';
import { openDescriptors } from '../../support/kernel.ts';
import { askRaw } from '../../support/raw-http.ts';
import { eventually } from '../../support/wait.ts';

const HOST = 'Host: 127.0.0.1\r\n';

/** `GOOD` is a request line that the server answers with 200. */
const cases: readonly (readonly [what: string, bytes: string, status: number, trickle?: string])[] = [
  ['an Expect nobody knows', `GOOD HTTP/1.1\r\n${HOST}Expect: foo\r\n\r\n`, 417],
  ['Expect: 100-continue', `GOOD HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\n`, 200],
  ['Expect: 100-continue for a body', `GOOD HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`, 413],
  ['an upgrade', `GOOD HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 200],
  [
    'an upgrade to HTTP/2',
    `GOOD HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n`,
    200,
  ],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['CONNECT', `CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n`, 405],
  ['CONNECT with bytes behind it', `CONNECT 127.0.0.1:1 HTTP/1.1\r\n${HOST}\r\n${'x'.repeat(4_000)}`, 405],
  ['bytes that are no request', '\u0000\u0001garbage\r\n\r\n', 400],
  ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 400],
  ['headers too long', `GOOD HTTP/1.1\r\n${HOST}X: ${'y'.repeat(20_000)}`, 431],
  ['headers that do not end', `GOOD HTTP/1.1\r\n${HOST}X: `, 408, 'y'],
  ['not one byte', '', 408],
  ['two requests at once', `GOOD HTTP/1.1\r\n${HOST}\r\n`.repeat(2), 200],
  ['a hundred requests at once', `GOOD HTTP/1.1\r\n${HOST}\r\n`.repeat(100), 200],
  ['garbage behind a request', `GOOD HTTP/1.1\r\n${HOST}\r\n\u0000garbage`, 200],
  ['CONNECT behind a request', `GOOD HTTP/1.1\r\n${HOST}\r\nCONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`, 200],
  ['keep-alive', `GOOD HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\n`, 200],
  ['HTTP/1.0 with keep-alive', `GOOD HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`, 200],
  ['no Host', 'GOOD HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', `GOOD HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  ['a version nobody knows', `GOOD HTTP/9.9\r\n${HOST}\r\n`, 400],
  ['a body', `GOOD HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, 413],
  ['a body that is mostly to come', `GOOD HTTP/1.1\r\n${HOST}Content-Length: 2000000\r\n\r\n${'z'.repeat(1_000)}`, 413],
  ['a large body', `GOOD HTTP/1.1\r\n${HOST}Content-Length: 300000\r\n\r\n${'z'.repeat(300_000)}`, 413],
  ['a chunked body that never ends', `GOOD HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`, 413, '1\r\nz\r\n'],
  ['two lengths', `GOOD HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
  [
    'a length and chunks',
    `GOOD HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['TRACE', `TRACE /healthz HTTP/1.1\r\n${HOST}\r\n`, 405],
  ['a method nobody knows', `FROB / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['another method', `DELETE /quit HTTP/1.1\r\n${HOST}\r\n`, 405],
  ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 400],
];

const servers = [
  ['HTTP_ADDR', 'health', 'GET /healthz'],
  ['ADMIN_ADDR', 'admin', 'POST /reload'],
] as const;
const SLOW = 408;
const TIMES = 1_000;

for (const [setting, server, good] of servers) {
  test(`promise 40: ${setting} gives each connection one answer and ends it, whatever is sent`, async (t) => {
    const { port } = await start(t, setting, server);
    const found = await Promise.all(
      cases.map(async ([what, bytes, , trickle]) => {
        const said = await askRaw({ port, bytes: bytes.replaceAll('GOOD', good), ...(trickle && { trickle }) });
        const closes = said.text.match(/^connection: close\r$/gim)?.length;
        return [what, said.statuses, closes, said.end, said.ms < 6_000] as const;
      }),
    );
    const expected = cases.map(([what, , status]) => [what, [statusOf(status, what, server)], 1, 'fin', true]);
    assert.deepEqual(found, expected);
  });

  test(`promise 40: ${setting} answers on after ${TIMES} of everything, and has no connection left`, async (t) => {
    const { port, attache } = await start(t, setting, server);
    const isServed = async () => (await askRaw({ port, bytes: `${good} HTTP/1.1\r\n${HOST}\r\n` })).statuses[0] === 200;
    // What the first answers load is open for good.
    assert.ok(await isServed());
    const before = openDescriptors(attache.child.pid);
    for (const [what, bytes, status, trickle] of cases) {
      if (status === SLOW || trickle !== undefined) continue;
      const sent = bytes.replaceAll('GOOD', good);
      // What Node itself would answer, most of all.
      let left = status === 200 || status === 413 ? TIMES / 10 : TIMES;
      const asking = Array.from({ length: 80 }, async () => {
        while ((left -= 1) >= 0) assert.notEqual((await askRaw({ port, bytes: sent })).end, 'open', what);
      });
      await Promise.all(asking);
    }
    assert.ok(await isServed());
    await eventually(() => openDescriptors(attache.child.pid) <= before, 'no connection left');
  });
}

test('promise 40: a request that follows another on its connection is not acted on', async (t) => {
  const { port, attache } = await start(t, 'ADMIN_ADDR', 'admin');
  const level = (name: string) => `POST /loglevel?level=${name} HTTP/1.1\r\n${HOST}\r\n`;
  const { statuses } = await askRaw({ port, bytes: level('warn') + level('error') + level('fatal') });
  assert.deepEqual(statuses, [200]);
  const { text } = await askRaw({ port, bytes: level('info') });
  assert.match(text, / 200 /);
  const { from } = await attache.line(({ msg, to }) => msg === 'log level changed' && to === 'info');
  assert.equal(from, 'warn');
});

async function start(t: TestContext, setting: string, server: 'health' | 'admin') {
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', [setting]: '127.0.0.1:0' } });
  return { attache, port: await httpPort(attache, server) };
}

/** What is refused for its path or its method before it is looked at on the other server. */
function statusOf(status: number, what: string, server: 'health' | 'admin'): number {
  return server === 'admin' && (what === 'TRACE' || what === 'a path') ? 404 : status;
}
