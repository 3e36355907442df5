/**
 * A process full of followers: `follower-part.js etcd|dns SERVER COUNT`. Each follows the same service by itself, with connections
 * of its own, as sidecars do. It says when all of them have a set, and when all of them have a member that it is asked for.
 */
import { formatAddress } from '../../src/core/address.ts';
import { dialPolicy } from '../../src/core/dial-policy.ts';
import { toEndpoint } from '../../src/core/endpoint.ts';
import { dnsSource } from '../../src/discovery/dns/source.ts';
import { etcdSource } from '../../src/discovery/etcd/source.ts';
import type { CandidateSource } from '../../src/discovery/source.ts';
import { FOLLOWED_NAME, FOLLOWED_DIRECTORY, type FollowerOrder, type FollowerWord } from './follower-words.ts';

const [kind = '', server = '', count = '0'] = process.argv.slice(2);
/** Of each follower. */
const sets: (ReadonlySet<string> | undefined)[] = Array.from({ length: Number(count) }, () => undefined);
let wanted: string | undefined;
let isReady = false;

for (const index of sets.keys()) {
  open().start({
    candidates(set) {
      sets[index] = new Set(set.map((member) => formatAddress(toEndpoint(member).address)));
      look();
    },
    state: () => undefined,
    ignored: () => undefined,
  });
}

process.on('message', ({ member }: FollowerOrder) => {
  wanted = member;
  look();
});
process.once('disconnect', () => process.exit());

function look(): void {
  if (!isReady && sets.every((set) => set !== undefined)) {
    isReady = true;
    say({ kind: 'ready' });
  }
  const member = wanted;
  if (member === undefined || !sets.every((set) => set?.has(member))) return;
  wanted = undefined;
  say({ kind: 'seen', member });
}

function say(word: FollowerWord): void {
  process.send?.(word);
}

function open(): CandidateSource {
  const usual = { policy: dialPolicy([]), onFailure: 'keep', maxMembers: 0 } as const;
  if (kind === 'etcd') return etcdSource({ ...usual, directory: FOLLOWED_DIRECTORY, endpoints: [server] });
  return dnsSource({
    ...{ ...usual, net: 'tcp4', directory: `${FOLLOWED_NAME}.:6379`, servers: [server] },
    ...{ minIntervalMs: 1_000, maxIntervalMs: 30_000 },
  });
}
