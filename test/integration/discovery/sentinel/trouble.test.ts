import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startFaultProxy } from '../../../support/fault-proxy.ts';
import { startRedis } from '../../../support/redis.ts';
import { followSentinels } from '../../../support/sentinel-source.ts';
import { startSentinelWorld } from '../../../support/sentinel.ts';
import { startServer } from '../../../support/tcp.ts';
import { eventually } from '../../../support/wait.ts';

const TIMEOUT = { timeout: 180_000 };
const FAILOVER_MS = 40_000;
const NO_LOOK_MS = 600_000;
/** More than the kernel takes for a connection that nobody reads. */
const POURED_BYTES = 200_000_000;
const ONE = { servers: 1, sentinels: 1 } as const;

test(
  'no Sentinel answers: the last primary stays and is stale, or goes; nothing at the start is waited for',
  TIMEOUT,
  async (t) => {
    const world = await startSentinelWorld(t, ONE);
    const [sentinel] = world.sentinels;
    const members = world.servers.map(({ address }) => address);
    assert.ok(sentinel !== undefined);
    const sentinels = [sentinel.address];
    const keeps = followSentinels(t, { sentinels, askMs: 300 });
    const clears = followSentinels(t, { sentinels, askMs: 300, onFailure: 'clear' });
    await Promise.all([keeps, clears].map((seen) => seen.holds(members)));
    await sentinel.kill();
    await keeps.untilStatus('stale', { error: /^127\.0\.0\.1:\d+: ECONNREFUSED$/ });
    await clears.untilSet([]);
    assert.deepEqual(keeps.current, members);
    const late = followSentinels(t, { sentinels });
    await late.untilStatus('starting', { error: /: ECONNREFUSED$/ });
    assert.deepEqual(late.sets, []);
    await sentinel.restart();
    await Promise.all([keeps, clears, late].map((seen) => seen.holds(members)));
  },
);

test(
  'a name that Sentinels do not know, and a server that is no Sentinel, are told with a remedy',
  TIMEOUT,
  async (t) => {
    const { sentinels } = await startSentinelWorld(t, ONE);
    const addresses = sentinels.map(({ address }) => address);
    for (const role of ['primary', 'replicas'] as const) {
      const unknown = followSentinels(t, { sentinels: addresses, directory: 'other', role });
      await unknown.untilStatus('starting', { error: /^most Sentinels know no primary other: correct SRV, or / });
    }
    const redis = await startRedis(t, 'plain');
    const none = followSentinels(t, { sentinels: [`127.0.0.1:${redis.port}`] });
    await none.untilStatus('starting', { error: /^127\.0\.0\.1:\d+: it is no Sentinel: name Sentinels in DSC, / });
  },
);

test('a Sentinel that lies is outvoted, and brings nobody in', TIMEOUT, async (t) => {
  const world = await startSentinelWorld(t);
  // Real ones that watch another Redis by the same name; together they would be a majority.
  const lying = await startSentinelWorld(t, { servers: 1, sentinels: 5 });
  const named = [...world.sentinels.slice(0, 2), ...lying.sentinels.slice(0, 1)];
  const [first] = world.servers;
  assert.ok(first !== undefined);
  const seen = followSentinels(t, { sentinels: named.map(({ address }) => address), askMs: 300 });
  await seen.holds([first.address]);
  await seen.nextLooks(6);
  assert.deepEqual(seen.sets, [[first.address]]);
  const even = followSentinels(t, { sentinels: named.slice(1).map(({ address }) => address), askMs: 300 });
  await even.untilStatus('starting', { error: /^Sentinels disagree on the primary of main: .* \(1\), .* \(1\)$/ });
});

test('a Sentinel that never answers is a fault within its time', TIMEOUT, async (t) => {
  const { servers, sentinels } = await startSentinelWorld(t, ONE);
  const proxy = await startFaultProxy(t, sentinels[0]?.port ?? 0);
  await proxy.set({ mode: 'accept-and-swallow' });
  const seen = followSentinels(t, { sentinels: [`127.0.0.1:${proxy.port}`], askMs: 300 });
  await seen.untilStatus('starting', { error: /: TIMEOUT$/ });
  await proxy.set({ mode: 'pass' });
  await seen.holds(servers.map(({ address }) => address));
  await proxy.set({ mode: 'accept-and-swallow' });
  await seen.untilStatus('stale', { error: /: TIMEOUT$/ });
});

for (const [what, begin, more] of [
  ['a text without an end', '$2000000000\r\n', Buffer.alloc(65_536, 'x')],
  ['texts without an end in one list', '*100000\r\n', Buffer.from(`$65530\r\n${'x'.repeat(65_530)}\r\n`)],
  ['a list of more lists than memory holds', '', Buffer.from('*30000000\r\n'.repeat(5_000))],
] as const) {
  test(`a Sentinel that lies by ${what} is cut off, and takes no memory`, TIMEOUT, async (t) => {
    let sent = 0;
    let cuts = 0;
    const onConnection = (socket: Socket) => {
      socket.on('close', () => (cuts += 1));
      socket.once('data', () => {
        socket.write(begin);
        const pour = () => {
          while (!socket.destroyed && sent < POURED_BYTES) {
            sent += more.length;
            if (!socket.write(more)) return;
          }
        };
        socket.on('drain', pour);
        pour();
      });
    };
    const { port } = await startServer(t, { onConnection });
    const seen = followSentinels(t, { sentinels: [`127.0.0.1:${port}`], askMs: NO_LOOK_MS });
    await seen.untilStatus('starting', { error: /: its reply is too large, or none: name Sentinels in DSC/ });
    await eventually(() => cuts >= 2, 'both connections are cut');
    assert.ok(sent < POURED_BYTES, `${sent} bytes were taken`);
  });
}

test('a subscription that is lost is made again, and what was missed is asked for', TIMEOUT, async (t) => {
  const world = await startSentinelWorld(t, { servers: 2, sentinels: 1 });
  const proxy = await startFaultProxy(t, world.sentinels[0]?.port ?? 0);
  const seen = followSentinels(t, { sentinels: [`127.0.0.1:${proxy.port}`], askMs: NO_LOOK_MS });
  const [first, second] = world.servers;
  assert.ok(first !== undefined && second !== undefined);
  await seen.holds([first.address]);
  const looks = seen.states.length;
  proxy.resetAll();
  await seen.until('a further look', () => seen.states.length > looks && seen.status === 'synced');
  assert.equal(await world.failover(), second.port);
  await seen.until('the other, by news', () => seen.current?.[0] === second.address, FAILOVER_MS);
  await proxy.set({ mode: 'refuse' });
  await seen.untilStatus('stale', { error: /: ECONNREFUSED$/ });
  assert.equal(await world.failover(), first.port);
  await proxy.set({ mode: 'pass' });
  await seen.holds([first.address]);
});

test('a subscription that has gone silent is made up for by looks', TIMEOUT, async (t) => {
  const world = await startSentinelWorld(t, { servers: 2, sentinels: 1 });
  const proxy = await startFaultProxy(t, world.sentinels[0]?.port ?? 0);
  const seen = followSentinels(t, { sentinels: [`127.0.0.1:${proxy.port}`], askMs: 1_000 });
  await seen.holds(world.servers.slice(0, 1).map(({ address }) => address));
  // One asks, one listens, in either order: whichever is silent, the other finds out.
  proxy.silence(1);
  const port = await world.failover();
  await seen.until('the other', () => seen.current?.[0] === `127.0.0.1:${port}`, FAILOVER_MS);
});
