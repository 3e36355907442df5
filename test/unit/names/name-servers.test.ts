import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { NameServers } from '../../../src/names/name-servers.ts';
import { block } from '../../support/block.ts';
import { freeUdpPort, startDnsScript, startSilentServer } from '../../support/dns.ts';
import { Stopwatch } from '../../support/stopwatch.ts';
import { eventually } from '../../support/wait.ts';

function nameServers(t: TestContext, ports: readonly number[], limitMs = 10_000): NameServers {
  const servers = ports.map((port) => `127.0.0.1:${port}`);
  const all = new NameServers({ servers, limitMs, rotate: false, now: () => performance.now() });
  t.after(() => all.close());
  return all;
}

test('a name server that says no is told apart from one that cannot say and from one that says nothing', async (t) => {
  const { port } = await startDnsScript(t, (name) => {
    if (name === 'there.test') return ['10.0.0.1', '10.0.0.2'];
    if (name === 'empty.test') return [];
    if (name === 'gone.test') return 'NXDOMAIN';
    if (name === 'refused.test') return 'REFUSED';
    return name === 'broken.test' ? 'SERVFAIL' : undefined;
  });
  const servers = nameServers(t, [port], 700);
  const asked = ['there.test', 'empty.test', 'gone.test', 'refused.test', 'broken.test', 'silent.test'];
  assert.deepEqual(await Promise.all(asked.map((name) => servers.ask(name, 4))), [
    { kind: 'found', addresses: ['10.0.0.1', '10.0.0.2'] },
    { kind: 'none', exists: true },
    { kind: 'none', exists: false },
    { kind: 'failed', code: 'EAI_AGAIN' },
    { kind: 'failed', code: 'EAI_AGAIN' },
    { kind: 'failed', code: 'DNS_TIMEOUT' },
  ]);
});

test('a name server that answers while the loop is blocked beyond the limit is not late', async (t) => {
  const { port } = await startDnsScript(t, () => {
    // The answer is sent, and then nothing is read for a while.
    setImmediate(block, 500);
    return ['10.0.0.1'];
  });
  const servers = nameServers(t, [port], 300);
  assert.equal((await servers.ask('there.test', 4)).kind, 'found');
});

test('a first name server that is silent costs one look-up a moment, and the next ones nothing', async (t) => {
  const silent = await startSilentServer(t);
  const good = await startDnsScript(t, () => ['10.0.0.1']);
  const servers = nameServers(t, [silent.port, good.port]);
  assert.equal((await servers.ask('one.test', 4)).kind, 'found');
  const before = new Stopwatch();
  for (let n = 0; n < 50; n += 1) assert.equal((await servers.ask(`name${n}.test`, 4)).kind, 'found');
  // Fifty moments of 400 ms each would be 20 s.
  assert.ok(before.ms() < 5_000, `${before.ms()} ms`);
});

test('a first name server that is not there costs nothing', async (t) => {
  const good = await startDnsScript(t, () => ['10.0.0.1']);
  const servers = nameServers(t, [await freeUdpPort(), good.port]);
  assert.equal((await servers.ask('one.test', 4)).kind, 'found');
});

test('no name server there at all: it cannot be said at the moment', async (t) => {
  const servers = nameServers(t, [await freeUdpPort(), await freeUdpPort()]);
  assert.deepEqual(await servers.ask('one.test', 4), { kind: 'failed', code: 'EAI_AGAIN' });
});

test('a name server that was silent is asked again once it answers', async (t) => {
  let isBack = false;
  let now = 0;
  const first = await startDnsScript(t, () => (isBack ? ['10.0.0.1'] : undefined));
  const second = await startDnsScript(t, () => ['10.0.0.2']);
  const servers = new NameServers({
    servers: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`],
    limitMs: 10_000,
    rotate: false,
    now: () => now,
  });
  t.after(() => servers.close());
  const ask = async () => {
    const answer = await servers.ask('name.test', 4);
    return answer.kind === 'found' ? answer.addresses[0] : answer.kind;
  };
  assert.equal(await ask(), '10.0.0.2');
  now = 1_000;
  const asked = first.asked.length;
  assert.equal(await ask(), '10.0.0.2');
  isBack = true;
  now = 10_000;
  await ask();
  await eventually(async () => (await ask()) === '10.0.0.1', 'the first one is asked first again');
  assert.ok(first.asked.length > asked);
});

test('that a name is not there is believed of a later server only when the first has had a moment', async (t) => {
  const slow = await startDnsScript(t, async () => {
    await new Promise((resolve) => setTimeout(resolve, 600));
    return ['10.0.0.1'];
  });
  const quick = await startDnsScript(t, () => 'NXDOMAIN');
  const servers = nameServers(t, [slow.port, quick.port]);
  assert.deepEqual(await servers.ask('inside.test', 4), { kind: 'found', addresses: ['10.0.0.1'] });
  assert.deepEqual(quick.asked, ['inside.test A']);
});

test('20 names that are never answered keep no other name of the same server waiting', async (t) => {
  const { port } = await startDnsScript(t, (name) => (name.startsWith('dead') ? undefined : ['10.0.0.1']));
  const servers = nameServers(t, [port], 3_000);
  const dead = Array.from({ length: 20 }, (_, n) => servers.ask(`dead${n}.test`, 4));
  const before = new Stopwatch();
  for (let n = 0; n < 100; n += 1) assert.equal((await servers.ask(`good${n}.test`, 4)).kind, 'found');
  assert.ok(before.ms() < 2_000, `${before.ms()} ms`);
  for (const answer of await Promise.all(dead)) assert.deepEqual(answer, { kind: 'failed', code: 'DNS_TIMEOUT' });
});
