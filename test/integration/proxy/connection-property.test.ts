import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Engine } from '../../../src/transport/engine.ts';
import type { ConnectionClosedEvent } from '../../../src/core/observer.ts';
import { ENGINES } from '../../support/engine.ts';
import { ErraticPeer, type ErraticStep } from '../../support/erratic-peer.ts';
import { openDescriptors } from '../../support/kernel.ts';
import { activeResources, untilResourcesAre } from '../../support/resources.ts';
import { runSeed, seededRandom } from '../../support/seeded.ts';
import { startService, type TestService } from '../../support/service.ts';
import { startServer } from '../../support/tcp.ts';
import { Tape } from '../../support/tape.ts';
import { eventually } from '../../support/wait.ts';

const AT_ONCE = 40;
/** Each run goes on for this long, and until so much has been done. */
const RUN_MS = 4_000;
const LEAST_STEPS = 2_000;

for (const [name, engineOf] of Object.entries(ENGINES)) {
  for (const [condition, changes] of [
    ['with peers that write, stall, end and reset as they like', false],
    ['while the candidate set changes under them', true],
  ] as const) {
    test(`connections ${condition} carry every byte once and in order, and leave nothing behind (${name})`, async (t) => {
      const seed = runSeed();
      t.diagnostic(`TEST_SEED=${seed}`);
      const engine = engineOf();
      const bare = { fds: openDescriptors(), resources: activeResources() };
      const world = await startWorld(t, { seed, engine });
      const changing = changes ? setInterval(() => world.change(), 40) : undefined;
      t.after(() => clearInterval(changing));
      await world.round(4);
      const before = { fds: openDescriptors(), resources: activeResources() };
      const until = performance.now() + RUN_MS;
      do {
        const pairs = await world.round(AT_ONCE);
        for (const { client, candidate, record } of pairs) {
          const story = `TEST_SEED=${seed}: ${JSON.stringify({ client, candidate, record })}`;
          checkRecord({ client, candidate, record, changes }, story);
          if (candidate === undefined) continue;
          checkStream({ from: client, to: candidate, changes }, story);
          checkStream({ from: candidate, to: client, changes }, story);
        }
      } while (performance.now() < until || world.steps.total < LEAST_STEPS);
      t.diagnostic(`${world.steps.connections} connections, ${world.steps.total} steps: ${world.steps.summary()}`);
      for (const side of ['client', 'candidate'] as const) {
        for (const step of STEPS) assert.ok(world.steps.of(side, step) > 0, `no ${step} by a ${side}`);
      }
      await untilResourcesAre(before.resources, 5_000);
      await eventually(() => openDescriptors() <= before.fds, 'every descriptor is closed');
      clearInterval(changing);
      await world.close();
      await untilResourcesAre(bare.resources, 5_000);
      await eventually(() => openDescriptors() <= bare.fds, 'nothing is left of the service itself');
    });
  }
}

const STEPS: readonly ErraticStep[] = ['write', 'flood', 'stall', 'wait', 'end', 'reset'];

/** Counts what was done, by whom. */
class StepCount {
  connections = 0;
  total = 0;
  readonly #counts = new Map<string, number>();

  add(side: Side, step: ErraticStep): void {
    this.total += 1;
    this.#counts.set(`${side} ${step}`, this.of(side, step) + 1);
  }

  of(side: Side, step: ErraticStep): number {
    return this.#counts.get(`${side} ${step}`) ?? 0;
  }

  summary(): string {
    return [...this.#counts].map(([what, count]) => `${what} ${count}`).join(', ');
  }
}

type Side = 'client' | 'candidate';

interface Pair {
  readonly client: ErraticPeer;
  /** Undefined when neither heard from the other. */
  readonly candidate: ErraticPeer | undefined;
  /** Undefined when the client was reset before it was accepted: then it had no address any more. */
  readonly record: ConnectionClosedEvent | undefined;
}

/** What arrived is what was sent, from the first byte on; an end was seen only behind the last, and only if one was sent. */
function checkStream(
  { from, to, changes }: { from: ErraticPeer; to: ErraticPeer; changes: boolean },
  story: string,
): void {
  assert.equal(to.wrongAt, undefined, story);
  assert.ok(to.received <= from.sent, story);
  if (to.sawEnd === true) assert.deepEqual([from.ended, to.received], [true, from.sent], story);
  if (changes || from.reset || to.reset) return;
  assert.deepEqual([to.sawEnd ?? true, to.received], [true, from.sent], story);
}

/** What a record says lies between what one side sent and what the other got, and is all of it when it was finished. */
function checkRecord(
  { client, candidate, record, changes }: Pair & { readonly changes: boolean },
  story: string,
): void {
  if (record === undefined) {
    assert.ok(client.reset, story);
    return;
  }
  const { bytesToCandidate, bytesToClient, reason } = record;
  assert.ok(bytesToClient >= client.received && bytesToCandidate <= client.sent, story);
  const wasReset = client.reset || candidate?.reset === true;
  if (candidate !== undefined) {
    assert.ok(bytesToCandidate >= candidate.received && bytesToClient <= candidate.sent, story);
    if (!wasReset && !changes) assert.equal(reason, 'finished', story);
    if (reason === 'finished') {
      assert.deepEqual([bytesToCandidate, bytesToClient], [client.sent, candidate.sent], story);
    }
  }
  const reasons = changes ? [...RESET_REASONS, ...CHANGE_REASONS] : RESET_REASONS;
  assert.ok(reasons.includes(reason), story);
}

/** A candidate that resets at once may look as if it had refused. */
const RESET_REASONS = ['finished', 'client_reset', 'candidate_reset', 'client_gone', 'no_candidate_answered'];
const CHANGE_REASONS = ['membership_changed', 'no_candidates'];

interface World {
  /** Plays that many connections to their ends. */
  round(connections: number): Promise<readonly Pair[]>;
  /** Another candidate set, with or without the one that is used. */
  change(): void;
  /** Ends the service and the candidates. */
  close(): Promise<void>;
  readonly steps: StepCount;
}

async function startWorld(
  t: TestContext,
  { seed, engine }: { readonly seed: number; readonly engine: Engine },
): Promise<World> {
  const random = seededRandom(seed);
  const tape = new Tape(random);
  const steps = new StepCount();
  let streams = 0;
  const peerOf = (side: Side) => (socket: ConstructorParameters<typeof ErraticPeer>[0]['socket']) => {
    streams += 1;
    const onStep = (step: ErraticStep) => steps.add(side, step);
    return new ErraticPeer({ socket, stream: streams, tape, random: seededRandom(seed + streams), onStep });
  };
  let candidates: ErraticPeer[] = [];
  const onConnection: NonNullable<Parameters<typeof startServer>[1]>['onConnection'] = (socket) => {
    const candidate = peerOf('candidate')(socket);
    candidates.push(candidate);
    void candidate.play();
  };
  const servers = [await startServer(t, { onConnection }), await startServer(t, { onConnection })];
  // By name, so that looking up takes a while and clients speak before their candidate answers.
  const addresses = servers.map(({ address }) => ({ ...address, host: 'candidate.test' }));
  const service = await startService(t, {
    candidates: addresses.slice(0, 1),
    engine,
    dialing: {
      resolver: { resolve: () => new Promise((answer) => setTimeout(answer, random() * 20, ['127.0.0.1'])) },
    },
  });
  return {
    steps,
    async close() {
      await service.service.close();
      await Promise.all(servers.map((server) => server.stop()));
    },
    async round(connections) {
      candidates = [];
      steps.connections += connections;
      const finishedBefore = service.closed().length;
      const clients = Array.from({ length: connections }, (_, place) => join(service, peerOf('client'), place));
      await Promise.all(clients.map(({ client }) => client.play()));
      const all = () => [...candidates, ...clients.map(({ client }) => client)];
      await eventually(() => all().every(({ closed }) => closed), 'every socket is closed', 20_000);
      await eventually(() => service.service.connections === 0, 'every connection is closed');
      const records = service.closed().slice(finishedBefore);
      assert.equal(records.length, connections, `TEST_SEED=${seed}: a record for each connection`);
      return clients.map(({ client, ip }) => ({
        client,
        candidate: candidates.find(
          ({ stream, heardFrom }) => heardFrom === client.stream || client.heardFrom === stream,
        ),
        record: records.find((record) => record.client.startsWith(`${ip}:`)),
      }));
    },
    change() {
      const sets = [addresses, addresses.slice(0, 1), addresses.slice(1), []];
      service.source.put(sets[Math.floor(random() * sets.length)] ?? []);
    },
  };
}

/** A client from an address of its own, by which its record is found. */
function join(
  service: TestService,
  peer: (socket: ReturnType<typeof connect>) => ErraticPeer,
  place: number,
): { readonly client: ErraticPeer; readonly ip: string } {
  const ip = `127.1.${place >> 8}.${1 + (place & 255)}`;
  const socket = connect({ port: service.port, host: '127.0.0.1', localAddress: ip, allowHalfOpen: true });
  return { client: peer(socket), ip };
}
