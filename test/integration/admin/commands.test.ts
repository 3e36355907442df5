import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { mainFile, runAttache, startAttache, type Attache } from '../../support/attache.ts';
import { httpPort } from '../../support/http.ts';
import { ask, connectTo, freePort, readAll, startEcho, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

const OWN = { HTTP_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' } as const;
// eslint-disable-next-line no-control-regex -- what a terminal would obey
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

async function addresses(attache: Attache): Promise<{ HTTP_ADDR: string; ADMIN_ADDR: string }> {
  const [http, admin] = [await httpPort(attache, 'health'), await httpPort(attache, 'admin')];
  return { HTTP_ADDR: `127.0.0.1:${http}`, ADMIN_ADDR: `127.0.0.1:${admin}` };
}

async function start(t: TestContext, env: Readonly<Record<string, string>>) {
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', ...OWN, ...env } });
  return { attache, port: await attache.port(), env: await addresses(attache) };
}

test('attache status and connections are tables, without escape codes where nobody looks', async (t) => {
  const echo = await startEcho(t);
  const { attache, port, env } = await start(t, { DST: `127.0.0.1:${await freePort()},127.0.0.1:${echo.port}` });
  const client = await connectTo(port);
  t.after(() => client.destroy());
  client.write('hello');
  await once(client, 'data');
  const status = await runAttache(t, { args: ['status'], env });
  assert.deepEqual([status.code, status.stderr], [0, '']);
  assert.doesNotMatch(status.stdout, CONTROLS);
  const lines = status.stdout.split('\n');
  assert.match(lines[0] ?? '', /^attache 0\.1\.0, \w+ engine, ready, degraded, serving, up \d+s$/);
  assert.match(status.stdout, /^SERVICE +STATE +LISTENERS +OPEN +EVER +SENT +RECEIVED +DISCOVERY$/m);
  assert.match(
    status.stdout,
    new RegExp(`^default +degraded: 1 of 2 available +127\\.0\\.0\\.1:${port} +1 +1 +5 B +5 B +listed$`, 'm'),
  );
  assert.match(status.stdout, new RegExp(`^ +127\\.0\\.0\\.1:${echo.port} +available +1 +-$`, 'm'));
  assert.match(status.stdout, /^ +127\.0\.0\.1:\d+ +available +0 +ECONNREFUSED, \d+s ago$/m);
  const open = await runAttache(t, { args: ['connections', '--http-addr', env.HTTP_ADDR], env: {} });
  assert.match(
    open.stdout,
    new RegExp(`^1 +default +127\\.0\\.0\\.1:\\d+ +127\\.0\\.0\\.1:${echo.port} +relaying +\\d+s +5 B +5 B +-$`, 'm'),
  );
  client.end();
  await readAll(client);
  await attache.line(({ msg }) => msg === 'connection closed');
  const story = await runAttache(t, { args: ['connections', '--id', '1'], env });
  assert.match(story.stdout, /^Connection 1 of service default came from .* the client finished first\.\n$/);
  const unknown = await runAttache(t, { args: ['connections', '--id=77'], env });
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /^no connection has this number/);
  const none = await runAttache(t, { args: ['connections'], env });
  assert.equal(none.stdout, '0 open\n');
});

test('ready says that clients may come; status says that nobody can be served', async (t) => {
  const { attache, port, env } = await start(t, { DST: `127.0.0.1:${await freePort()}` });
  const before = await runAttache(t, { args: ['status'], env });
  assert.match(before.stdout, /^default +serving /m);
  await readAll(await connectTo(port));
  const { level } = await attache.line(({ msg }) => msg === 'connection closed');
  assert.equal(level, 'warn');
  const after = await runAttache(t, { args: ['status'], env });
  assert.match(after.stdout, /^attache [^ ]+, \w+ engine, ready, failing, serving, up /);
  assert.match(after.stdout, /^default +failing: no candidate answers /m);
  const { code } = await runAttache(t, { args: ['healthcheck'], env });
  assert.equal(code, 0);
});

test('attache status --watch goes on, piped without escape codes, and ends when nobody reads', async (t) => {
  const { env } = await start(t, { DST: '127.0.0.1:1' });
  const child = spawn(process.execPath, [mainFile, 'status', '--watch'], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually(() => text.split('attache 0.1.0').length > 2, 'a second table', 20_000);
  assert.doesNotMatch(text, CONTROLS);
  const exited = once(child, 'exit');
  child.stdout.destroy();
  assert.deepEqual(await exited, [0, null]);
});

test('attache quit drains and ends the one that runs', async (t) => {
  const { attache, env } = await start(t, { DST: '127.0.0.1:1' });
  const { code, stdout } = await runAttache(t, { args: ['quit'], env });
  assert.deepEqual([code, stdout], [0, 'quitting\n']);
  assert.equal(await attache.exited, 0);
});

test('attache wait returns as soon as it is ready, also when it is started later', async (t) => {
  const [http, named] = [await freePort(), await startNamed(t, 'x')];
  const env = { HTTP_ADDR: `127.0.0.1:${http}` };
  const waiting = runAttache(t, { args: ['wait', '--timeout', '60s'], env });
  const attache = startAttache(t, { env: { SRC: '127.0.0.1:0', DST: `127.0.0.1:${named.port}`, ...env } });
  const { code, stdout } = await waiting;
  assert.deepEqual([code, stdout], [0, 'ready\n']);
  assert.equal(await ask(await attache.port()), 'x');
});

test('attache wait gives up at its time limit, and says what it is not ready for', async (t) => {
  const { env } = await start(t, { DST: '127.0.0.1:1', READY_MIN_CANDIDATES: '2' });
  const began = performance.now();
  const { code, stderr, stdout } = await runAttache(t, { args: ['wait', '--timeout=1500ms'], env });
  assert.ok(performance.now() - began >= 1_500);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^not ready at 127\.0\.0\.1:\d+ within 1500 ms: default: too few candidates: 1 of 2\n$/);
});

for (const [command, name] of [
  ['status', 'HTTP_ADDR'],
  ['connections', 'HTTP_ADDR'],
  ['wait', 'HTTP_ADDR'],
  ['quit', 'ADMIN_ADDR'],
] as const) {
  test(`attache ${command} says clearly that nobody listens, that ${name} is off or wrong`, async (t) => {
    const address = `127.0.0.1:${await freePort()}`;
    const args = command === 'wait' ? ['wait', '--timeout', '200ms'] : [command];
    const nobody = await runAttache(t, { args, env: { [name]: address } });
    assert.equal(nobody.code, 1);
    assert.ok(nobody.stderr.includes(address), nobody.stderr);
    assert.match(nobody.stderr, /ECONNREFUSED/);
    const off = await runAttache(t, { args, env: { [name]: 'off' } });
    assert.deepEqual([off.code, off.stderr], [78, `attache: ${name}: expected an address to ask, got off\n`]);
    const wrong = await runAttache(t, { args, env: { [name]: 'nonsense' } });
    assert.equal(wrong.code, 78);
    assert.match(wrong.stderr, new RegExp(`${name}: expected `));
  });
}

test('what is not an attache is not taken for one', async (t) => {
  const { env } = await start(t, { DST: '127.0.0.1:1' });
  // The addresses in each other's place.
  const swapped = { HTTP_ADDR: env.ADMIN_ADDR, ADMIN_ADDR: env.HTTP_ADDR };
  for (const command of ['status', 'connections', 'quit']) {
    const { code, stderr } = await runAttache(t, { args: [command], env: swapped });
    assert.equal(code, 1, command);
    assert.match(stderr, /answered 40[45], as attache does not/);
  }
});

for (const [args, fault] of [
  [['wait', '--timeout', '30'], '--timeout: expected a duration with its unit (30s or 30ms?), got "30"'],
  [['wait', '--timeout'], '--timeout: expected a value, got none'],
  [['connections', '--id', 'x'], '--id: expected a whole number, 0 or more, got "x"'],
  [['status', '--wach'], '--wach: expected a flag of this program, got an unknown one; did you mean --watch?'],
] as const) {
  test(`"attache ${args.join(' ')}" is refused: ${fault}`, async (t) => {
    const { code, stderr } = await runAttache(t, { args, env: {} });
    assert.equal(code, 78);
    assert.ok(stderr.includes(fault), stderr);
  });
}
