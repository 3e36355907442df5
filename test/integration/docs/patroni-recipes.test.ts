import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { startAttache, type Attache, type LogLine } from '../../support/attache.ts';
import { document } from '../../support/documents.ts';
import { psql, startPatroni, type PatroniNode, type PatroniWorld } from '../../support/patroni.ts';
import { createTable, holdQuery, missing, startPostgresWriter } from '../../support/postgres-app.ts';
import { local, recipe } from '../../support/recipe.ts';
import { ScriptScope } from '../../support/scope.ts';
import { eventually } from '../../support/wait.ts';

const TIMEOUT = { timeout: 110_000 };
const WAIT_MS = 60_000;
const WHO = 'SELECT host(inet_server_addr()), pg_is_in_recovery()';
const page = document('docs/health-checks.md');
const scope = new ScriptScope();
let world: PatroniWorld;
/** One has the three servers from `DST`, the other from etcd. */
const apps: Record<string, Attache> = {};

before(async () => {
  world = await startPatroni(scope);
  const leader = await world.leader();
  await createTable({ host: leader.host, port: world.port });
  for (const address of world.addresses) await world.etcd.api.put(`/srv/pg/${address}`);
  const places = { DST: world.addresses.join(), DSC: world.etcd.url };
  for (const name of ['patroni', 'patroni-registry']) {
    const env = Object.entries(local(recipe(page, `sh health ${name}`), places));
    // The port of Patroni's REST API is the system's choice as well.
    const moved = env.map(([key, value]) => [key, value.replace(':8008/', `:${world.restPort}/`)]);
    apps[name] = startAttache(scope, { env: Object.fromEntries(moved) as Record<string, string> });
  }
});
after(() => scope.close());

test('Patroni: writes go to the leader, reads to the replicas', TIMEOUT, async () => {
  const leader = await world.leader();
  for (const attache of Object.values(apps)) {
    await writesGoTo(attache, leader);
    await readsGoToReplicas(attache, leader);
  }
});

test('Patroni: a switchover is followed, and no confirmed write is lost', TIMEOUT, async (t) => {
  await followed(t, async () => {
    await world.switchover();
    await world.settled();
  });
});

test('Patroni: the leader is killed, and the writes follow', TIMEOUT, async (t) => {
  await followed(t, async (old) => {
    await old.kill();
    await world.settled(world.nodes.filter((node) => node !== old));
  });
});

test('Patroni: the leader loses its Patroni, and its PostgreSQL goes on: nobody is left on it', TIMEOUT, async (t) => {
  const change = async (old: PatroniNode) => {
    old.freeze();
    await eventually(async () => (await world.leader()) !== old, 'another leads', WAIT_MS);
    assert.ok(old.isRunning());
  };
  await followed(t, change, false);
});

test(
  'HEALTH_CHECK=postgres: real servers are healthy, whatever their role, and log nothing of it',
  TIMEOUT,
  async (t) => {
    const alive = world.nodes.filter((node) => node.isRunning());
    assert.ok(alive.length >= 2);
    const before = alive.map((node) => node.log());
    const attache = startAttache(t, {
      env: {
        SRC: '127.0.0.1:0',
        DST: world.addresses.join(),
        HEALTH_CHECK: 'postgres',
        HEALTH_INTERVAL: '100ms',
      },
    });
    const healthy = ({ msg, candidate }: LogLine) =>
      msg === 'candidate healthy' && alive.some(({ address }) => address === candidate);
    await attache.line(healthy, alive.length);
    const gone = world.nodes.filter((node) => !alive.includes(node)).map(({ address }) => address);
    await attache.line(({ msg, candidate }) => msg === 'candidate unhealthy' && gone.includes(String(candidate)));
    // Again and again, not once.
    const port = await attache.port();
    for (let n = 0; n < 5; n += 1) await psql({ port }, 'SELECT 1');
    for (const [index, node] of alive.entries()) {
      const written = node.log().slice(before[index]?.length);
      assert.doesNotMatch(written, /SSL|startup packet|reset by peer|unexpected EOF/);
    }
  },
);

/** What is owed when another leads than before, whatever the reason is. */
async function followed(
  t: TestContext,
  change: (old: PatroniNode) => Promise<void>,
  hasReplicas = true,
): Promise<void> {
  const old = await world.leader();
  const working = await Promise.all(
    Object.entries(apps).map(async ([app, attache]) => {
      const port = await attache.port('write');
      return { app, attache, held: holdQuery(t, port), writer: startPostgresWriter(t, `${app} ${t.name}`, port) };
    }),
  );
  const holding = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'held'";
  const place = { host: old.host, port: world.port };
  await eventually(async () => (await psql(place, holding)) === `${working.length}`, 'both hold', WAIT_MS);
  for (const { writer } of working) await eventually(() => writer.confirmed.length >= 5, 'the app writes', WAIT_MS);
  const seen = Object.values(apps).map(({ lines }) => lines.length);
  await change(old);
  const leader = await world.leader();
  assert.notEqual(leader, old);
  // Patroni says that it leads some moments before its PostgreSQL takes writes.
  const isOpen = async () => (await psql({ host: leader.host, port: world.port }, WHO)) === `${leader.host}|f`;
  await eventually(isOpen, 'the new leader takes writes', WAIT_MS);
  const promotedAt = Date.now();
  for (const [index, { app, attache, held, writer }] of working.entries()) {
    await eventually(held.hasEnded, `${app}: the connection to the old leader ends`, WAIT_MS);
    const before = writer.confirmed.length;
    await eventually(() => writer.confirmed.length >= before + 5, `${app}: writes go on`, WAIT_MS);
    await writer.stop();
    const isLoss = ({ msg, candidate, service }: LogLine) =>
      msg === 'candidate unhealthy' && candidate === old.address && service === 'write';
    const lost = await attache.line(isLoss, attache.lines.slice(0, seen[index]).filter(isLoss).length + 1);
    const from = Math.max(promotedAt, Date.parse(String(lost['time'])));
    const late = writer.refusals.filter(({ begunAt }) => begunAt > from);
    assert.deepEqual(late, [], `${app}: nobody is refused once the change was seen`);
    const place = { host: leader.host, port: world.port };
    assert.deepEqual(await missing(place, `${app} ${t.name}`, writer.confirmed), [], `${app}: confirmed, and lost`);
    const first = writer.confirmedAt.find((at) => at > promotedAt) ?? Infinity;
    const counts = `${writer.confirmed.length} writes, ${writer.refusals.length} refusals`;
    t.diagnostic(
      `${app}: ${counts}, the first write ${first - promotedAt} ms after the new leader was seen to take them`,
    );
    await writesGoTo(attache, leader);
    if (hasReplicas) await readsGoToReplicas(attache, leader);
  }
}

async function told(attache: Attache, service: string): Promise<string> {
  return psql({ port: await attache.port(service) }, WHO).catch(() => 'nobody');
}

async function writesGoTo(attache: Attache, leader: PatroniNode): Promise<void> {
  await eventually(async () => (await told(attache, 'write')) === `${leader.host}|f`, 'to the leader', WAIT_MS);
}

async function readsGoToReplicas(attache: Attache, leader: PatroniNode): Promise<void> {
  const isReplica = (answer: string) => answer.endsWith('|t') && !answer.startsWith(`${leader.host}|`);
  const areReplicas = async () => {
    const answers = await Promise.all(['read', 'read', 'read'].map((service) => told(attache, service)));
    return answers.every(isReplica);
  };
  await eventually(areReplicas, 'reads go to replicas', WAIT_MS);
}
