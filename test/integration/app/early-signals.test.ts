import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { environmentWith, mainFile, startAttache } from '../../support/attache.ts';
import { endWithProcess } from '../../support/end-with.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { freePort } from '../../support/tcp.ts';

const env = { SRC: '127.0.0.1:0', DST: '127.0.0.1:1' };

/** Tells on stderr what has been loaded when SIGTERM is first listened for, then does what `then` says. */
const hook = (then: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import { writeSync } from 'node:fs';
    const loaded = () => process.moduleLoadList.filter((name) => /^NativeModule (?:net|http|crypto)$/.test(name));
    const heard = (event) => {
      if (event !== 'SIGTERM') return;
      process.off('newListener', heard);
      writeSync(2, 'heard ' + JSON.stringify(loaded()) + '\\n');
      queueMicrotask(() => { ${then} });
    };
    process.on('newListener', heard);
  `)}`;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`promise 35: ${signal} is heard before the program is loaded, and ends it with 0`, async (t) => {
    const attache = startAttache(t, {
      env,
      nodeArgs: ['--import', hook(`setImmediate(() => process.kill(process.pid, '${signal}'))`)],
    });
    assert.equal(await attache.exited, 0);
    assert.equal(attache.stderr(), 'heard []\n');
  });
}

test('a command that a signal ends before it has asked does not say that all is well', async (t) => {
  const attache = startAttache(t, {
    args: ['wait'],
    env: { HTTP_ADDR: `127.0.0.1:${await freePort()}` },
    nodeArgs: ['--import', hook("setImmediate(() => process.kill(process.pid, 'SIGTERM'))")],
  });
  assert.equal(await attache.exited, 128 + 15);
});

test('SIGHUP before there is anything to read again does not kill', async (t) => {
  const attache = startAttache(t, { env, nodeArgs: ['--import', hook("process.kill(process.pid, 'SIGHUP')")] });
  await attache.line(({ msg }) => msg === 'listening');
});

test('promise 35: as process 1, to which the kernel gives only what is listened for, SIGTERM ends every start', async (t) => {
  const inNamespace = namespaceCommand();
  for (let i = 0; i < 10; i += 1) {
    const child = startAsOne(t, inNamespace);
    const logged = text(child.stdout);
    const [said] = (await once(child.stderr, 'data')) as [Buffer];
    assert.equal(said.toString(), 'heard []\n');
    const asked = new Stopwatch();
    // Some at once, some while it loads, some when it serves.
    await new Promise((resolve) => setTimeout(resolve, i * 20));
    process.kill(await processOne(child.pid ?? 0), 'SIGTERM');
    const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(10_000) })) as [number | null];
    assert.equal(code, 0, await logged);
    assert.ok(asked.ms() < 5_000);
  }
});

function startAsOne(t: TestContext, inNamespace: readonly string[]) {
  const [file = '', ...args]: readonly string[] = [...inNamespace, process.execPath, '--import', hook(''), mainFile];
  const child = spawn(file, args, {
    env: environmentWith(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithProcess(child);
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** As seen from here. */
async function processOne(parent: number): Promise<number> {
  return Number((await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).trim());
}

/** Whoever may make a namespace of processes: root, or a user in a namespace of his own. */
function namespaceCommand(): readonly string[] {
  const unshare = ['unshare', '--pid', '--fork', '--kill-child=KILL'];
  const ways = [unshare, [...unshare, '--user', '--map-root-user'], ['sudo', '-n', ...unshare]];
  const way = ways.find(([file = '', ...args]) => {
    try {
      execFileSync(file, [...args, 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  if (way === undefined) throw new Error('unshare is not allowed here: run this as root, or with user namespaces');
  return way;
}
