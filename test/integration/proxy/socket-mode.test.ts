import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAttache, type LogLine } from '../../support/attache.ts';
import { askAsOther } from '../../support/other-user.ts';
import { scratchFolder } from '../../support/scratch.ts';

interface Sockets {
  /** Of the service, `HTTP_ADDR`, `ADMIN_ADDR`. */
  readonly src: string;
  readonly http: string;
  readonly admin: string;
}

/** attache on three Unix sockets in a folder that everybody may enter, in front of a server that echoes. */
async function sockets(t: TestContext, env: Readonly<Record<string, string>>): Promise<Sockets> {
  const folder = await scratchFolder(t);
  await chmod(folder, 0o755);
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  t.after(() => echo.close());
  await once(echo, 'listening');
  const address = echo.address();
  assert.ok(address !== null && typeof address === 'object');
  const paths = { src: join(folder, 'app'), http: join(folder, 'http'), admin: join(folder, 'admin') };
  const attache = startAttache(t, {
    env: {
      SRC: `unix:${paths.src}`,
      DST: `127.0.0.1:${address.port}`,
      HTTP_ADDR: `unix:${paths.http}`,
      ADMIN_ADDR: `unix:${paths.admin}`,
      ...env,
    },
  });
  const listens = (fits: (line: LogLine) => boolean) =>
    attache.line((line) => line.msg?.includes('listening') === true && fits(line));
  await Promise.all([
    listens(({ service }) => service === 'default'),
    listens(({ server }) => server === 'health'),
    listens(({ server }) => server === 'admin'),
  ]);
  return paths;
}

const GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const POST = 'POST /reload HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** What another user's process gets at each of the three. */
async function seenByOther({ src, http, admin }: Sockets, gid?: number): Promise<readonly string[]> {
  const answers = await Promise.all([
    askAsOther(src, 'hello', gid),
    askAsOther(http, GET, gid),
    askAsOther(admin, POST, gid),
  ]);
  return answers.map((answer) => answer.split('\r\n')[0] ?? '');
}

test("another user's process gets through a service and asks HTTP_ADDR, but not ADMIN_ADDR", async (t) => {
  assert.deepEqual(await seenByOther(await sockets(t, {})), ['hello', 'HTTP/1.1 200 OK', 'EACCES']);
});

test('SOCKET_MODE=0600 keeps others out of a service and HTTP_ADDR, and does not open ADMIN_ADDR', async (t) => {
  assert.deepEqual(await seenByOther(await sockets(t, { SOCKET_MODE: '0600' })), ['EACCES', 'EACCES', 'EACCES']);
  const open = await sockets(t, { SOCKET_MODE: '0777' });
  assert.deepEqual(await seenByOther(open), ['hello', 'HTTP/1.1 200 OK', 'EACCES']);
});

test('SOCKET_MODE_<NAME> is for one service, ADMIN_SOCKET_MODE for ADMIN_ADDR', async (t) => {
  const env = { SOCKET_MODE: '0600', SOCKET_MODE_DEFAULT: '0666', ADMIN_SOCKET_MODE: '0666' };
  const [src, http, admin] = await seenByOther(await sockets(t, env));
  assert.deepEqual([src, http], ['hello', 'EACCES']);
  assert.match(admin ?? '', /^HTTP\/1.1 2/);
});

test('SOCKET_MODE=0660 lets in who is of the group, and nobody else', async (t) => {
  const paths = await sockets(t, { SOCKET_MODE: '0660' });
  const group = process.getgid?.() ?? 0;
  assert.equal(await askAsOther(paths.src, 'hello', group), 'hello');
  assert.equal(await askAsOther(paths.src, 'hello'), 'EACCES');
});
