import { setTimeout as pause } from 'node:timers/promises';
import type { EtcdNode } from '../support/etcd.ts';
import type { Redis } from '../support/redis.ts';
import { ALL_MEMBERS, registryPlan, redisPlan, type RedisStep, type RegistryStep } from './plan.ts';
import type { Registry } from './registry.ts';

/** Longest that etcd may keep the key of a lease of 1 s. */
const LEASE_LIMIT_MS = 20_000;
const FLAP_PAUSE_MS = 5;

export interface FaultsOptions {
  readonly seed: number;
  readonly etcd: EtcdNode;
  readonly redises: readonly Redis[];
  readonly registry: Registry;
  /** Told of each step when it begins. */
  readonly onStep: (target: string, step: RedisStep | RegistryStep) => void;
}

/**
 * What is done to the servers: four sequences at once, one for each Redis and one for the registry, each of them the
 * same whenever the seed is.
 */
export class Faults {
  /** How often each kind was done. */
  readonly counts = new Map<string, number>();
  /** Steps that could not be carried out, as text. */
  readonly failures: string[] = [];
  readonly #options: FaultsOptions;
  readonly #plans: readonly Generator<RedisStep, never>[];
  readonly #registryPlan: Generator<RegistryStep, never>;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#plans = options.redises.map((_, index) => redisPlan(options.seed, index));
    this.#registryPlan = registryPlan(options.seed);
  }

  /** Goes on with the sequences until aborted; when it resolves all servers answer, and all are members. */
  async run(signal: AbortSignal): Promise<void> {
    const { redises, registry } = this.#options;
    await Promise.all([...redises.map((redis, index) => this.#torment(redis, index, signal)), this.#unsettle(signal)]);
    await registry.swap(ALL_MEMBERS);
    await registry.look();
  }

  async #torment(redis: Redis, index: number, signal: AbortSignal): Promise<void> {
    // Not `for of`, which would end the sequence with the loop.
    for (;;) {
      const step = this.#plans[index]?.next().value;
      if (step === undefined) return;
      if (!(await passed(step.afterMs, signal))) return;
      this.#begin(`redis ${index + 1}`, step);
      if (step.kind === 'redis kill -9') {
        await redis.kill();
        await passed(step.ms, signal);
        await redis.restart();
      } else {
        redis.freeze();
        await passed(step.ms, signal);
        redis.thaw();
      }
    }
  }

  async #unsettle(signal: AbortSignal): Promise<void> {
    for (;;) {
      const step = this.#registryPlan.next().value;
      if (!(await passed(step.afterMs, signal))) return;
      this.#begin('registry', step);
      try {
        await this.#change(step, signal);
      } catch (error) {
        this.failures.push(`${step.kind}: ${String(error)}`);
        await this.#options.registry.look().catch(() => undefined);
      }
    }
  }

  async #change(step: RegistryStep, signal: AbortSignal): Promise<void> {
    const { etcd, registry } = this.#options;
    switch (step.kind) {
      case 'set swapped in one transaction':
        await registry.swap(step.set);
        return;
      case 'members flapped one by one':
        await registry.flap(step.set);
        return;
      case 'burst of sets':
        for (const set of step.sets) {
          await registry.swap(set);
          await pause(FLAP_PAUSE_MS);
        }
        return;
      case 'set emptied':
        await registry.swap(0);
        await passed(step.ms, signal);
        await registry.swap(step.set);
        return;
      case 'lease expired':
        await registry.expire(step.member, LEASE_LIMIT_MS);
        return;
      case 'key that is no address':
        await registry.putNonsense(step.key);
        return;
      case 'same set written again':
        await registry.touch();
        return;
      case 'etcd freeze':
        await registry.swap(step.set);
        await registry.outage(async () => {
          etcd.freeze();
          await passed(step.ms, signal);
          etcd.thaw();
        });
        return;
      case 'etcd kill -9':
      case 'etcd restart':
        await registry.swap(step.set);
        await registry.outage(async () => {
          await etcd.kill();
          await passed(step.ms, signal);
          await etcd.restart();
        });
        return;
    }
  }

  #begin(target: string, step: RedisStep | RegistryStep): void {
    this.counts.set(step.kind, (this.counts.get(step.kind) ?? 0) + 1);
    this.#options.onStep(target, step);
  }
}

/** @returns false when it was aborted before the time had passed */
async function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
