import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { httpEndpoint } from '../../../src/admin/http-endpoint.ts';
import { LiveFeed, MAX_STREAMS } from '../../../src/admin/page/live-feed.ts';
import type { LiveState, StateMessage } from '../../../src/admin/page/wire.ts';
import { mainFile, projectRoot, startAttache, type Attache } from '../../support/attache.ts';
import { httpAsk, httpPort } from '../../support/http.ts';
import { RegistryDirectory, SERVICE } from '../../support/registry-directory.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { startEcho } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

interface Stream {
  readonly socket: Socket;
  /** Everything that came, the head included. */
  text(): string;
  states(): readonly StateMessage[];
  ended(): boolean;
}

/** A client that speaks HTTP by hand, so that it can be as slow as it likes. */
function openStream(t: TestContext, port: number): Stream {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  let [text, ended] = ['', false];
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined).on('close', () => (ended = true));
  socket.write('GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n');
  // Lengths of chunks stand between the events; an event is never split over two.
  const states = () =>
    [...text.matchAll(/^event: state\ndata: (.*)\n\n/gm)].map(([, data = '']) => JSON.parse(data) as StateMessage);
  return { socket, text: () => text, states, ended: () => ended };
}

async function listening(attache: Attache): Promise<number> {
  return httpPort(attache, 'health');
}

test('a change of membership arrives on an open stream within 2 s', async (t) => {
  const [registry, echo] = [await RegistryDirectory.create(t), await startEcho(t)];
  await registry.add(`127.0.0.1:${echo.port}`);
  const http = await listening(
    startAttache(t, {
      env: { SRC: '127.0.0.1:0', SRV: SERVICE, DSC: pathToFileURL(registry.root).href, HTTP_ADDR: '127.0.0.1:0' },
    }),
  );
  const stream = openStream(t, http);
  const count = () => stream.states().at(-1)?.state.services[0]?.candidateCount;
  await eventually(() => count() === 1, 'the state');
  assert.match(stream.text(), /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream\r\ncache-control: no-store\r\n/i);
  await registry.remove(`127.0.0.1:${echo.port}`);
  await eventually(() => count() === 0, 'the change', 2_000);
  assert.equal(stream.states().at(-1)?.state.services[0]?.changes[0]?.removedCount, 1);
});

test('while nothing happens an open stream gets a beat and no state, and no time limit of other answers ends it', async (t) => {
  const http = await listening(
    startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0' } }),
  );
  const stream = openStream(t, http);
  const beats = () => stream.text().split('event: beat\n').length - 1;
  await eventually(() => beats() === 2, 'two beats', 40_000);
  assert.equal(stream.states().length, 1);
  assert.equal(stream.ended(), false);
});

test('no more pages look on than there are places, the other answers go on, and a place that is left is free again', async (t) => {
  const http = await listening(
    startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0' } }),
  );
  const streams = Array.from({ length: MAX_STREAMS }, () => openStream(t, http));
  await eventually(() => streams.every((stream) => stream.states().length > 0), 'all look on');
  const refused = await httpAsk(http, '/events');
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5']);
  for (const path of ['/', '/healthz', '/status', '/metrics']) assert.equal((await httpAsk(http, path)).status, 200);
  streams[0]?.socket.destroy();
  const again: Stream[] = [];
  await eventually(async () => {
    const stream = openStream(t, http);
    again.push(stream);
    await eventually(() => stream.text().includes('\r\n\r\n'), 'an answer');
    return stream.text().startsWith('HTTP/1.1 200');
  }, 'a place');
});

test('a reader that reads nothing has no more than one state waiting, is dropped, and slows nobody down', async (t) => {
  let looks = 0;
  const big = 'x'.repeat(1_000_000);
  const look = (): LiveState => ({
    version: '1',
    phase: `${(looks += 1)} ${big}`,
    ready: true,
    health: 'serving',
    startedAtMs: 0,
    reasons: [],
    configuration: undefined,
    services: [],
    connections: [],
    failures: [],
  });
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const feed = new LiveFeed({ look, past: () => [], onError, everyMs: 20, stallMs: 1_000 });
  const channels: Writable[] = [];
  const endpoint = httpEndpoint({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    onListenFailed: onError,
    onError,
    answer: () => {
      const answer = feed.answer();
      if (!('stream' in answer)) return answer;
      return {
        ...answer,
        stream: (channel) => {
          channels.push(channel);
          answer.stream(channel);
        },
      };
    },
  });
  t.after(() => {
    feed.close();
    return endpoint.close();
  });
  await endpoint.start();
  const address = endpoint.address();
  assert.ok(address?.kind === 'tcp');
  const slow = Array.from({ length: 3 }, () => openStream(t, address.port));
  for (const { socket } of slow) socket.pause();
  await eventually(() => feed.readers === 3, 'the slow look on');
  const quick = connect({ port: address.port, host: '127.0.0.1' });
  t.after(() => quick.destroy());
  let taken = 0;
  quick.on('data', (chunk: Buffer) => (taken += chunk.length));
  quick.write('GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  await eventually(() => feed.readers === 4, 'the quick looks on');
  let most = 0;
  await eventually(
    () => {
      most = Math.max(most, ...channels.map(({ writableLength }) => writableLength));
      return feed.readers === 1;
    },
    'the slow are dropped',
    30_000,
  );
  // One state and what HTTP puts around it.
  assert.ok(most > 0 && most < 1_100_000, `${most} bytes`);
  await eventually(() => taken > 20_000_000, 'the quick goes on', 30_000);
  assert.equal(channels.filter(({ destroyed }) => destroyed).length, 3);
  assert.deepEqual(errors, []);
});

test('open streams end at once when the program stops, and do not hold it up', async (t) => {
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0' } });
  const http = await listening(attache);
  const [stream, stuck] = [openStream(t, http), openStream(t, http)];
  await eventually(() => stream.states().length > 0 && stuck.states().length > 0, 'both look on');
  stuck.socket.pause();
  const began = new Stopwatch();
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
  assert.ok(began.ms() < 3_000);
  await eventually(() => stream.ended(), 'the end');
  // A whole answer, so that a page knows it for an end and no fault.
  assert.match(stream.text(), /\r\n0\r\n\r\n$/);
});

test('the page and its events are for GET and HEAD on HTTP_ADDR alone, and not for the pages of others', async (t) => {
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' },
  });
  const [http, admin] = [await listening(attache), await httpPort(attache, 'admin')];
  const page = await httpAsk(http, '/');
  assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8']);
  for (const [name, value] of [
    ['x-content-type-options', 'nosniff'],
    ['cache-control', 'no-store'],
    ['referrer-policy', 'no-referrer'],
    ['cross-origin-resource-policy', 'same-origin'],
  ] as const)
    assert.equal(page.headers[name], value);
  assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; script-src 'sha256-/);
  const head = await httpAsk(http, '/', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', page.headers['content-length']]);
  const events = await httpAsk(http, '/events', { method: 'HEAD' });
  assert.deepEqual([events.status, events.headers['content-type'], events.body], [200, 'text/event-stream', '']);
  for (const path of ['/', '/events']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const refused = await httpAsk(http, path, { method });
      assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD'], `${method} ${path}`);
    }
    assert.equal((await httpAsk(admin, path)).status, 404);
  }
  assert.equal((await httpAsk(http, '/events', { headers: { origin: 'https://elsewhere.example' } })).status, 403);
  assert.equal((await httpAsk(http, '/index.html')).status, 404);
});

test('nothing of the page is loaded before somebody asks for it, and without its files all else goes on', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'attache-without-page-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(dirname(mainFile), join(folder, 'dist'), { recursive: true });
  await cp(join(projectRoot, 'package.json'), join(folder, 'package.json'));
  await symlink(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  for (const file of ['document.js', 'live-feed.js', 'live-state.js', 'browser'])
    await rm(join(folder, 'dist', 'admin', 'page', file), { recursive: true });
  const attache = startAttache(t, {
    main: join(folder, 'dist', 'main.js'),
    env: { SRC: '127.0.0.1:0', DST: '127.0.0.1:1', HTTP_ADDR: '127.0.0.1:0' },
  });
  const http = await listening(attache);
  assert.equal((await httpAsk(http, '/status')).status, 200);
  for (const path of ['/', '/events']) assert.equal((await httpAsk(http, path)).status, 500);
  assert.equal((await httpAsk(http, '/healthz')).status, 200);
  attache.child.kill('SIGTERM');
  assert.equal(await attache.exited, 0);
});
