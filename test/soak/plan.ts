import { seededRandom } from '../support/seeded.ts';

/** What is done to one Redis, after a pause. */
export interface RedisStep {
  readonly afterMs: number;
  readonly kind: 'redis kill -9' | 'redis freeze';
  readonly ms: number;
}

/** What is done to the registry, after a pause. A set is a bit mask over the three Redis. */
export type RegistryStep = { readonly afterMs: number } & (
  | { readonly kind: 'set swapped in one transaction' | 'members flapped one by one'; readonly set: number }
  | { readonly kind: 'burst of sets'; readonly sets: readonly number[] }
  | { readonly kind: 'set emptied'; readonly ms: number; readonly set: number }
  | { readonly kind: 'lease expired'; readonly member: number }
  | { readonly kind: 'key that is no address'; readonly key: string }
  | { readonly kind: 'same set written again' }
  | {
      readonly kind: 'etcd kill -9' | 'etcd freeze' | 'etcd restart';
      readonly ms: number;
      /** Right before it, so that the event may be lost with etcd. */
      readonly set: number;
    }
);

/** What is done to the Redis that leads, after a pause. */
export interface RolesStep {
  readonly afterMs: number;
  readonly kind: 'failover by Sentinel' | 'primary kill -9' | 'primary freeze';
}

/** What is done to the list of services, after a pause. */
export type EditStep = { readonly afterMs: number } & (
  | {
      readonly kind: 'service added' | 'service removed' | 'service sent elsewhere' | 'time-out changed';
      readonly guest: number;
    }
  | { readonly kind: 'list with a fault' }
);

/** What is done to one registrar, after a pause. */
export interface RegistrarStep {
  readonly afterMs: number;
  readonly kind:
    'registrar kill -9' | 'registrar kill -9, and another at once' | 'registrar SIGTERM' | 'its server dies';
  readonly registrar: number;
}

/** Services that come, go and change. */
export const GUESTS = 4;
export const REGISTRARS = 3;
export const MEMBERS = 3;
export const ALL_MEMBERS = 2 ** MEMBERS - 1;

/** Steps without end for one Redis: the same for the same seed and number. */
export function* redisPlan(seed: number, index: number): Generator<RedisStep, never> {
  const random = new Draw(seed + 1 + index);
  for (;;) {
    const afterMs = random.between(800, 6_000);
    if (random.chance(0.5)) yield { afterMs, kind: 'redis kill -9', ms: random.between(100, 3_000) };
    else yield { afterMs, kind: 'redis freeze', ms: random.between(50, 4_000) };
  }
}

/** Steps without end for the primary: the same for the same seed. */
export function* rolesPlan(seed: number): Generator<RolesStep, never> {
  const random = new Draw(seed + 100);
  for (;;) {
    const kind = random.of([
      'failover by Sentinel',
      'failover by Sentinel',
      'primary kill -9',
      'primary freeze',
    ] as const);
    yield { afterMs: random.between(500, 5_000), kind };
  }
}

/** Steps without end for the list of services: the same for the same seed. */
export function* editPlan(seed: number): Generator<EditStep, never> {
  const random = new Draw(seed + 200);
  for (;;) {
    const afterMs = random.between(200, 2_500);
    if (random.chance(0.15)) yield { afterMs, kind: 'list with a fault' };
    const kind = random.of(['service added', 'service removed', 'service sent elsewhere', 'time-out changed'] as const);
    yield { afterMs, kind, guest: random.between(0, GUESTS - 1) };
  }
}

/** Steps without end for the registrars: the same for the same seed. */
export function* registrarPlan(seed: number): Generator<RegistrarStep, never> {
  const random = new Draw(seed + 300);
  for (;;) {
    const kind = random.of([
      'registrar kill -9',
      'registrar kill -9, and another at once',
      'registrar SIGTERM',
      'its server dies',
    ] as const);
    yield { afterMs: random.between(500, 4_000), kind, registrar: random.between(0, REGISTRARS - 1) };
  }
}

/** Steps without end for the registry: the same for the same seed. */
export function* registryPlan(seed: number): Generator<RegistryStep, never> {
  const random = new Draw(seed);
  for (;;) {
    const afterMs = random.between(50, 2_000);
    const kind = random.of(KINDS);
    switch (kind) {
      case 'set swapped in one transaction':
      case 'members flapped one by one':
        yield { afterMs, kind, set: random.set() };
        break;
      case 'burst of sets':
        yield { afterMs, kind, sets: Array.from({ length: random.between(10, 60) }, () => random.set()) };
        break;
      case 'set emptied':
        yield { afterMs, kind, ms: random.between(200, 4_000), set: random.set() };
        break;
      case 'lease expired':
        yield { afterMs, kind, member: random.between(0, MEMBERS - 1) };
        break;
      case 'key that is no address':
        yield { afterMs, kind, key: random.of(NO_ADDRESSES) };
        break;
      case 'same set written again':
        yield { afterMs, kind };
        break;
      case 'etcd kill -9':
        yield { afterMs, kind, ms: random.between(300, 5_000), set: random.set() };
        break;
      case 'etcd freeze':
        // Beyond the 8 s after which the silence is noticed, too.
        yield { afterMs, kind, ms: random.between(200, 10_000), set: random.set() };
        break;
      case 'etcd restart':
        yield { afterMs, kind, ms: 0, set: random.set() };
        break;
    }
  }
}

/** Each as often as it stands here. */
const KINDS = [
  'set swapped in one transaction',
  'set swapped in one transaction',
  'set swapped in one transaction',
  'members flapped one by one',
  'members flapped one by one',
  'members flapped one by one',
  'burst of sets',
  'burst of sets',
  'set emptied',
  'set emptied',
  'lease expired',
  'lease expired',
  'key that is no address',
  'same set written again',
  'etcd kill -9',
  'etcd freeze',
  'etcd restart',
] as const;

const NO_ADDRESSES = [
  'nonsense',
  '10.0.0.1',
  '127.0.0.1:0',
  'a/b:1',
  '169.254.169.254:80',
  'x\u001b[2J:99999',
] as const;

class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  of<T>(list: readonly T[]): T {
    const item = list[this.between(0, list.length - 1)];
    if (item === undefined) throw new Error('nothing to draw from');
    return item;
  }

  /** Not the empty one: that has a step of its own. */
  set(): number {
    return this.between(1, ALL_MEMBERS);
  }
}
