import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { commandNames } from '../../../src/config/commands.ts';
import { completionScript } from '../../../src/config/completion.ts';
import { runAttache, startAttache } from '../../support/attache.ts';
import { httpPort } from '../../support/http.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { eventually } from '../../support/wait.ts';

async function start(t: TestContext, env: Readonly<Record<string, string>>) {
  const attache = startAttache(t, {
    env: { SRC: '127.0.0.1:0', HTTP_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0', ...env },
  });
  const port = await attache.port();
  const own = {
    HTTP_ADDR: `127.0.0.1:${await httpPort(attache, 'health')}`,
    ADMIN_ADDR: `127.0.0.1:${await httpPort(attache, 'admin')}`,
  };
  return { attache, port, run: (...args: readonly string[]) => runAttache(t, { args, env: own }) };
}

test('drain and undrain are commands, which name what they did, and say when nobody has the candidate', async (t) => {
  const [a, b] = [await startNamed(t, 'a'), await startNamed(t, 'b')];
  const { port, run } = await start(t, { DST: `127.0.0.1:${a.port},127.0.0.1:${b.port}` });
  assert.equal(await ask(port), 'a');
  const drained = await run('drain', `127.0.0.1:${a.port}`);
  assert.deepEqual([drained.code, drained.stdout], [0, `127.0.0.1:${a.port} is drained in default\n`]);
  assert.equal(await ask(port), 'b');
  const undrained = await run('undrain', `127.0.0.1:${a.port}`, '--service', 'default');
  assert.deepEqual(
    [undrained.code, undrained.stdout],
    [0, `127.0.0.1:${a.port} gets new connections again in default\n`],
  );
  assert.equal(await ask(port), 'a');
  const unknown = await run('drain', '10.0.0.1:1');
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'no service has the candidate 10.0.0.1:1\n']);
  const nothing = await run('drain');
  assert.equal(nothing.code, 78);
  assert.equal(
    nothing.stderr,
    'attache: the command line cannot be used\ndrain: expected CANDIDATE behind it, as in: attache drain 10.0.3.144:6379; got none\n',
  );
});

test('loglevel and reload are commands', async (t) => {
  const { attache, run } = await start(t, { DST: '127.0.0.1:1' });
  const level = await run('loglevel', 'debug');
  assert.deepEqual([level.code, level.stdout], [0, 'log level is debug\n']);
  await attache.line(({ from, to }) => from === 'info' && to === 'debug');
  const wrong = await run('loglevel', 'loud');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^level: expected debug, info, .* got "loud"\n$/);
  const reload = await run('reload');
  assert.deepEqual([reload.code, reload.stdout], [0, 'no service speaks TLS: there is nothing to read\n']);
});

test('connections --closed lists those that ended, --failed those that did so badly, and neither needs a number', async (t) => {
  const good = await startNamed(t, 'good');
  const { port, run } = await start(t, { DST: `127.0.0.1:${good.port}` });
  await ask(port);
  await ask(port);
  await eventually(async () => (await run('connections', '--closed')).stdout.split('\n').length === 4, 'both ended');
  const closed = await run('connections', '--closed');
  assert.match(
    closed.stdout,
    /^ID +ENDED +SERVICE +CLIENT +CANDIDATE +WHY +BY +TRIED +SENT +RECEIVED\n2 .*finished.*\n1 .*finished/,
  );
  assert.equal((await run('connections', '--closed', '--limit', '1')).stdout.split('\n').length, 3);
  assert.equal((await run('connections', '--failed')).stdout, 'none of the last that ended\n');
  await good.stop();
  await ask(port);
  await eventually(
    async () => (await run('connections', '--failed')).stdout.includes('no_candidate_answered'),
    'the failure',
  );
  const json = await run('connections', '--failed', '--json');
  const { connections } = JSON.parse(json.stdout) as { connections: readonly { id: number; reason: string }[] };
  assert.deepEqual(
    connections.map(({ id, reason }) => [id, reason]),
    [[3, 'no_candidate_answered']],
  );
  const nobody = await run('connections', '--closed', '--service', 'nobody');
  assert.deepEqual([nobody.code, nobody.stderr], [1, 'no service has this name: /status lists the services\n']);
});

test('status --json is the report, and --check tells by its exit code whether every service is serving', async (t) => {
  const { port, run } = await start(t, { DST: `127.0.0.1:${await freePort()}` });
  const json = await run('status', '--json', '--check');
  assert.equal(json.code, 0);
  assert.equal((JSON.parse(json.stdout) as { state: string }).state, 'serving');
  await ask(port);
  const check = await run('status', '--check');
  assert.equal(check.code, 1);
  assert.match(check.stdout, /^default +failing: no candidate answers /m);
  assert.equal((await run('status')).code, 0);
});

test('a wrong flag of a command that configures nothing is not told as a fault of the configuration', async (t) => {
  const wrong = await runAttache(t, { args: ['status', '--wach'], env: {} });
  assert.equal(wrong.code, 78);
  assert.equal(
    wrong.stderr,
    'attache: the command line cannot be used\n--wach: expected a flag of this program, got an unknown one; did you mean --watch?\n',
  );
  const check = await runAttache(t, { args: ['check', '--sorc', ':1'], env: {} });
  assert.match(check.stderr, /^attache: the configuration cannot be used\n/);
});

test('every command has a help of its own, by both ways to ask', async (t) => {
  for (const args of [
    ['help', 'drain'],
    ['drain', '--help'],
  ]) {
    const { code, stdout } = await runAttache(t, { args, env: {} });
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: attache drain CANDIDATE \[--service NAME\]\n\nGive a candidate no new connections/);
  }
  const { stdout } = await runAttache(t, { args: ['help'], env: {} });
  for (const name of commandNames) assert.match(stdout, new RegExp(`^  ${name} +[a-z]`, 'm'));
});

test('bash completes commands, their flags and those of settings', () => {
  const complete = (...words: readonly string[]) => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const script = `${completionScript('bash')}COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _attache; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.trim().split('\n');
  };
  assert.deepEqual(complete('attache', 'un'), ['undrain']);
  assert.deepEqual(complete('attache', 'status', '--w'), ['--watch']);
  assert.deepEqual(complete('attache', 'completion', ''), ['bash', 'zsh', 'fish']);
  assert.ok(complete('attache', 'check', '--connect').includes('--connect-timeout'));
  assert.ok(complete('attache', '--sr').includes('--src'));
  assert.match(completionScript('zsh'), /^autoload -Uz compinit bashcompinit/);
  assert.match(completionScript('fish'), /^complete -c attache -n __fish_use_subcommand -a drain -d '/m);
});
