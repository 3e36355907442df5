import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Candidate } from '../../../src/balancing/candidate.ts';
import { policyOf } from '../../../src/balancing/policies.ts';
import { Pool } from '../../../src/balancing/pool.ts';
import type { LoadTicket } from '../../../src/balancing/load-ticket.ts';
import type { Selection } from '../../../src/balancing/selection.ts';
import type { Address } from '../../../src/core/address.ts';
import type { FailureCode } from '../../../src/core/dial-failure.ts';
import { heldHeapBytes } from '../../support/memory.ts';

const at = (port: number): Address => ({ kind: 'tcp', host: '10.0.0.1', port });
const BALANCES = ['ordered', 'round-robin', 'least-connections', 'random'] as const;
const FAIL_TIMEOUT = 100;

type Step =
  | { readonly do: 'connect' }
  | { readonly do: 'answer' | 'fail' | 'own-fault' | 'leave'; readonly which: number }
  | { readonly do: 'swap'; readonly set: readonly number[] }
  | { readonly do: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'connect' } as const) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('answer', 'fail', 'fail', 'own-fault', 'leave'),
      which: fc.nat(20),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('swap' as const),
      set: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 150 }) }) },
);

/** One connection as the proxy drives it. */
interface Client {
  readonly selection: Selection;
  readonly tried: Candidate[];
  dialing: boolean;
  seat: LoadTicket | undefined;
}

test('whatever happens: a connection gets a candidate while there is one, nobody twice, and no count is left over', () => {
  const settings = fc.record({
    balance: fc.constantFrom(...BALANCES),
    retries: fc.nat(3),
    maxFails: fc.nat(3),
    steps: fc.array(step, { maxLength: 200 }),
  });
  fc.assert(
    fc.property(settings, ({ balance, retries, maxFails, steps }) => {
      let now = 0;
      const ejected = new Map<string, boolean>();
      const pool = new Pool(policyOf(balance, retries), {
        ejection: { maxFails, failTimeoutMs: FAIL_TIMEOUT },
        now: () => now,
        onHealth({ key }, change) {
          const again = change.kind === 'ejected' && change.again;
          // Ejections and recoveries alternate; a repeated one says so.
          assert.equal(ejected.get(key) ?? false, change.kind === 'recovered' || again);
          ejected.set(key, change.kind === 'ejected');
        },
      });
      let clients: Client[] = [];
      const set = (ports: readonly number[]) => {
        pool.replace(ports.map(at));
        const members = new Set(pool.candidates.map(({ key }) => key));
        for (const key of ejected.keys()) if (!members.has(key)) ejected.delete(key);
        // As the proxy does: a dial to a candidate that left is given up at once.
        for (const client of clients) {
          const last = client.tried.at(-1);
          if (client.dialing && last !== undefined && !pool.has(last)) fail(client, 'REMOVED');
        }
      };
      const dial = (client: Client) => {
        const tried = client.tried.filter((candidate) => pool.has(candidate));
        const next = client.selection.next();
        const mayTry = balance === 'ordered' || tried.length <= retries;
        assert.equal(next !== undefined, mayTry && tried.length < pool.candidates.length);
        client.dialing = next !== undefined;
        if (next === undefined) return;
        assert.ok(pool.has(next) && !tried.includes(next));
        client.tried.push(next);
      };
      const fail = (client: Client, errno: FailureCode) => {
        client.selection.failed(errno);
        dial(client);
      };
      const leave = (client: Client) => {
        client.selection.release();
        client.seat?.leave();
      };
      set([1, 2, 3]);
      for (const action of steps) {
        const client = 'which' in action ? clients[action.which % Math.max(1, clients.length)] : undefined;
        if (action.do === 'wait') now += action.ms;
        else if (action.do === 'swap') set(action.set);
        else if (action.do === 'connect') {
          const fresh = { selection: pool.select(), tried: [], dialing: false, seat: undefined };
          clients.push(fresh);
          dial(fresh);
        } else if (client !== undefined) {
          if (action.do === 'answer' && client.dialing) {
            client.seat = client.selection.answered();
            client.dialing = false;
          } else if (action.do === 'fail' && client.dialing) fail(client, 'ECONNREFUSED');
          else if (action.do === 'own-fault' && client.dialing) fail(client, 'EMFILE');
          else if (action.do === 'leave') {
            leave(client);
            leave(client);
            clients = clients.filter((other) => other !== client);
          }
        }
        for (const { state, fails } of pool.statuses) {
          assert.ok(state === 'available' ? maxFails === 0 || fails < maxFails : maxFails > 0);
        }
        const usable = pool.statuses.some(({ state }) => state === 'available');
        if (usable) assert.ok(pool.undrained.some(({ health }) => health.isUsable(() => now)));
      }
      clients.forEach(leave);
      assert.ok(pool.statuses.every(({ open, state }) => open === 0 && state !== 'probing'));
    }),
    { numRuns: 300 },
  );
});

test('a member that left with connections and came back still has them counted, until they end', () => {
  const pool = new Pool(policyOf('least-connections', 0));
  pool.replace([at(1), at(2)]);
  const old = Array.from({ length: 4 }, () => {
    const selection = pool.select();
    selection.next();
    return selection.answered();
  });
  pool.replace([at(2)]);
  pool.replace([at(1), at(2)]);
  assert.deepEqual(
    pool.statuses.map(({ open }) => open),
    [2, 2],
  );
  pool.replace([at(2)]);
  for (const seat of old) seat.leave();
  pool.replace([at(1), at(2)]);
  assert.deepEqual(
    pool.statuses.map(({ open }) => open),
    [0, 0],
  );
});

test('addresses that come, carry a connection and go leave nothing behind', () => {
  const pool = new Pool(policyOf('ordered', 0));
  const churn = (from: number) => {
    for (let i = from; i < from + 30_000; i += 1) {
      pool.replace([{ kind: 'tcp', host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 1 }]);
      const selection = pool.select();
      selection.next();
      const seat = selection.answered();
      pool.replace([]);
      seat.leave();
    }
  };
  churn(0);
  const before = heldHeapBytes();
  churn(30_000);
  // One number and its key for each would be 3 MB and more.
  const grown = heldHeapBytes() - before;
  assert.ok(grown < 1_000_000, `${grown} bytes`);
});
