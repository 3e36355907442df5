import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mainFile } from '../../support/attache.ts';
import { httpAsk } from '../../support/http.ts';
import { hasOpen } from '../../support/open-files.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { engineChoice } from '../../support/engine-choice.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { ask, freePort, startNamed } from '../../support/tcp.ts';
import { CTRL_Q, CTRL_S, quoted, startTerminal, type Terminal } from '../../support/terminal.ts';
import { eventually } from '../../support/wait.ts';

const PROGRAM = fileURLToPath(new URL('../../support/logging-process.js', import.meta.url));
const node = quoted(process.execPath);
/** Several times what stopped everything when lines were written with the event loop. */
const CLIENTS = 400;
/** Without these, root may open what belongs to nobody. */
const asMortal = process.getuid?.() === 0 ? 'setpriv --bounding-set=-dac_override,-dac_read_search ' : '';
/** What ends a process that a thread is held in: another program takes it over, where Node can do that. */
const codeWhenHeld = 'execve' in process ? 0 : 128 + 9;

async function startProgram(
  t: TestContext,
  command: string,
): Promise<{ terminal: Terminal; port: number; http: number }> {
  const server = await startNamed(t, 'hello');
  const [port, http] = [await freePort(), await freePort()];
  const terminal = startTerminal(t, command, {
    SRC: `127.0.0.1:${port}`,
    DST: `127.0.0.1:${server.port}`,
    HTTP_ADDR: `127.0.0.1:${http}`,
    ADMIN_ADDR: 'off',
    ENGINE: engineChoice(),
  });
  await eventually(() => terminal.screen().includes('HTTP server listening'), 'the start', 20_000);
  return { terminal, port, http };
}

async function expectService(port: number, http: number): Promise<void> {
  for (let i = 0; i < CLIENTS; i += 1) assert.equal(await ask(port), 'hello');
  const since = new Stopwatch();
  assert.equal((await httpAsk(http, '/healthz')).status, 200);
  assert.ok(since.ms() < 2_000, `/healthz took ${since.ms()} ms`);
}

async function expectEnd(terminal: Terminal, pid: number, code: number): Promise<void> {
  const since = new Stopwatch();
  process.kill(pid, 'SIGTERM');
  assert.equal(await terminal.exited, code);
  assert.ok(since.ms() < 3_000, `the end took ${since.ms()} ms`);
}

for (const [format, mark] of [
  ['json', '"msg":"connection closed"'],
  ['pretty', 'connection closed'],
] as const) {
  test(`a terminal stopped by Ctrl-S stops neither clients, /healthz nor SIGTERM (${format})`, async (t) => {
    const command = `echo "pid:$$:"; LOG_FORMAT=${format} exec ${node} ${quoted(mainFile)}`;
    const { terminal, port, http } = await startProgram(t, command);
    const pid = await terminal.pid();
    terminal.type(CTRL_S);
    await expectService(port, http);
    assert.equal(terminal.screen().includes(mark), false, 'the terminal was not stopped');
    await expectEnd(terminal, pid, 0);
  });
}

test('lines wait for a stopped terminal, and are shown when it goes on', async (t) => {
  const { terminal, port, http } = await startProgram(t, `exec ${node} ${quoted(mainFile)}`);
  terminal.type(CTRL_S);
  await expectService(port, http);
  terminal.type(CTRL_Q);
  const shown = () => terminal.screen().split('"msg":"connection closed"').length - 1;
  await eventually(() => shown() === CLIENTS, `${CLIENTS} access lines`, 20_000);
});

test('a terminal that cannot be opened anew, and is stopped, holds one thread and nothing else', async (t) => {
  const command = `echo "pid:$$:"; chmod 0 "$(tty)"; exec ${asMortal}${node} ${quoted(mainFile)}`;
  const { terminal, port, http } = await startProgram(t, command);
  const pid = await terminal.pid();
  terminal.type(CTRL_S);
  await expectService(port, http);
  await expectEnd(terminal, pid, codeWhenHeld);
});

test('lines that a stopped terminal cost are counted, and told in one line when it goes on', async (t) => {
  const said = join(await scratchFolder(t), 'said');
  const terminal = startTerminal(t, `read _; exec ${node} ${quoted(PROGRAM)} stopped 40000 ${quoted(said)}`);
  terminal.type(`go${CTRL_S}\n`);
  await eventually(() => existsSync(said), '10 MB of lines', 20_000);
  terminal.type(CTRL_Q);
  assert.equal(await terminal.exited, 0);
  const lines = terminal.screen().split('\r\n');
  const shown = lines.filter((line) => line.includes('"msg":"line"')).length;
  const told = lines.flatMap((line) => /"lines":(\d+),"msg":"log lines dropped"/.exec(line)?.[1] ?? []);
  assert.equal(told.length, 1);
  assert.equal(shown + Number(told[0]), 40_000);
});

test('a faulty configuration ends the process with 78, whether or not its terminal is stopped', async (t) => {
  for (const stop of ['', CTRL_S]) {
    const terminal = startTerminal(t, `read _; exec ${node} ${quoted(mainFile)}`, { SRC: 'nonsense' });
    terminal.type(`go${stop}\n`);
    const since = new Stopwatch();
    assert.equal(await terminal.exited, 78);
    assert.ok(since.ms() < 10_000);
    if (stop === '') assert.match(terminal.screen(), /the configuration cannot be used\r\nSRC: /);
  }
});

test('a command waits for its terminal as long as it takes, and SIGTERM still ends it', async (t) => {
  const command = `echo "pid:$$:"; read _; exec ${node} ${quoted(mainFile)} help`;
  const patient = startTerminal(t, command);
  const pid = await patient.pid();
  patient.type(`go${CTRL_S}\n`);
  await eventually(() => hasOpen(pid, '/dev/pts/'), 'the help being written', 20_000);
  process.kill(pid, 'SIGTERM');
  assert.equal(await patient.exited, 128 + 15);

  const read = startTerminal(t, command);
  const other = await read.pid();
  read.type(`go${CTRL_S}\n`);
  await eventually(() => hasOpen(other, '/dev/pts/'), 'the help being written', 20_000);
  read.type(CTRL_Q);
  assert.equal(await read.exited, 0);
  assert.ok(read.screen().includes('SRC'));
});
