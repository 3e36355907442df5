import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { compile, engineSources, fuzz, FUZZ_SECONDS, NATIVE, SANITIZERS } from '../../../support/native-programs.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const run = promisify(execFile);
/** What the addon has of OpenSSL comes from node, the program's from the system. */
const SYSTEM_OPENSSL = ['-l:libssl.so.3', '-l:libcrypto.so.3'];
/** Who turns tickets off by OpenSSL's own means wants no session to be taken up. */
const OURS = `openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = ours
[ours]
`;
const LIMIT = { timeout: 300_000 + 1000 * Number(FUZZ_SECONDS) };

/** What `native/test/tls-tests.c` has in its list: one that is forgotten there is seen here. */
const TESTS = 18;

test('TLS in memory: no sanitizer has anything to say of its tests', LIMIT, async (t) => {
  const folder = await scratchFolder(t);
  const program = join(folder, 'tls-tests');
  await compile([...SANITIZERS, '-O1', ...(await sources('tls-main.c')), ...SYSTEM_OPENSSL, '-o', program]);
  await run(join(NATIVE, 'test/make-certificates'), [folder]);
  const { stdout } = await run(program, [folder]);
  assert.equal(stdout, `${TESTS} tests\n`);
  const configuration = join(folder, 'openssl.cnf');
  const env = { ...process.env, OPENSSL_CONF: configuration };
  for (const how of ['Options = -SessionTicket', 'NumTickets = 0']) {
    await writeFile(configuration, `${OURS}${how}\n`);
    assert.equal((await run(program, [folder, 'without-tickets'], { env })).stdout, '1 tests\n', how);
  }
});

test(
  'TLS in memory: whatever the network and a hostile peer do, no sanitizer has anything to say',
  LIMIT,
  async (t) => {
    const folder = await scratchFolder(t);
    await run(join(NATIVE, 'test/make-certificates'), [folder]);
    const { inputs, ways } = await fuzz(t, {
      flags: [],
      tried: [...(await ownSources()), join(NATIVE, 'test/tls-pair.c'), join(NATIVE, 'fuzz/tls-fuzz.c')],
      others: [],
      libraries: SYSTEM_OPENSSL,
      corpus: 'tls-corpus',
      env: { ATTACHE_TLS_CERTIFICATES: folder },
    });
    assert.ok(inputs > 100, 'it has tried some');
    assert.ok(ways > 300, 'they come behind the handshake');
  },
);

test("TLS in memory: its tests pass with this node's own OpenSSL", LIMIT, async (t) => {
  const folder = await scratchFolder(t);
  const addon = join(folder, 'tls-tests.node');
  const shared = ['-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-Wl,-z,now'];
  await compile([...shared, ...(await sources('tls-addon.c')), '-o', addon]);
  await run(join(NATIVE, 'test/make-certificates'), [folder]);
  const script = `const it = { exports: {} }; process.dlopen(it, ${JSON.stringify(addon)}); console.log(it.exports.count)`;
  const { stdout } = await run(process.execPath, ['-e', script], {
    env: { ...process.env, ATTACHE_TLS_CERTIFICATES: folder },
  });
  assert.equal(stdout, `${TESTS}\n`);
});

test('TLS in memory: a node that lacks any symbol of OpenSSL can load it, and is told which', LIMIT, async (t) => {
  const folder = await scratchFolder(t);
  const object = join(folder, 'tls.so');
  await compile(['-O2', '-fPIC', '-shared', ...(await ownSources()), '-o', object]);
  const { stdout } = await run('nm', ['-u', object]);
  const symbols = stdout.split('\n').map((line) => line.trim().split(' '));
  const openssl = symbols.filter(([, name = '']) =>
    /^(SSL|X509|BIO|ERR|EVP|PEM|OPENSSL|OpenSSL|TLS|CRYPTO|[id]2[id])_/.test(name),
  );
  assert.ok(openssl.length > 60, 'nm shows what is used of OpenSSL');
  assert.deepEqual(
    openssl.filter(([kind]) => kind !== 'w'),
    [],
  );
  const program = join(folder, 'probe');
  await compile(['-O2', ...(await ownSources()), join(NATIVE, 'test/tls-missing.c'), '-o', program]);
  assert.match(
    (await run(program)).stdout,
    /^this node has no [A-Z]\w+: it is built with something else than OpenSSL 3\n$/,
  );
});

async function sources(main: string): Promise<readonly string[]> {
  return [...(await ownSources()), ...['tls-pair.c', 'tls-tests.c', main].map((name) => join(NATIVE, 'test', name))];
}

function ownSources(): Promise<readonly string[]> {
  return engineSources((name) => name.startsWith('tls'));
}
