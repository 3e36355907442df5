import { setTimeout as pause } from 'node:timers/promises';
import { RedisInline } from '../support/redis-inline.ts';
import { startRedisWriter, type RedisWriter, type Written } from '../support/redis-writer.ts';
import type { Scope } from '../support/scope.ts';
import { startSentinelWorld, type SentinelRedis, type SentinelWorld } from '../support/sentinel.ts';
import { eventually } from '../support/wait.ts';
import { rolesPlan, type RolesStep } from './plan.ts';

/** What came of the changes of the primary. */
export interface RolesFindings {
  /** How often another has led. */
  readonly changes: number;
  /** Writes that the primary and both replicas had. */
  readonly acknowledged: number;
  /** Those of them that the last primary does not have. */
  readonly lost: readonly string[];
  /** Writes that a replica refused. */
  readonly refusals: number;
  /** Those of them that were sent when no change was going on. */
  readonly lateRefusals: readonly string[];
}

const REPLICAS = 2;
const SETTLE_MS = 60_000;
/** A change that no connection told of is seen at the next check, 2 s later, or 4 s on a busy machine. */
const SEEN_WITHIN_MS = 4_000;
/** Numbers of one writer; the next begins above them. */
const PER_WRITER = 1_000_000;

/** Three Redis whose Sentinels have another lead again and again, and an app that writes to the one that leads. */
export class Roles {
  readonly addresses: readonly string[];
  /** How often each kind of change was done. */
  readonly counts = new Map<string, number>();
  readonly #scope: Scope;
  readonly #world: SentinelWorld;
  readonly #plan: Generator<RolesStep, never>;
  readonly #onStep: (target: string, step: RolesStep) => void;
  readonly #writers: RedisWriter[] = [];
  /** Times in which a change went on, by `performance.now()`. */
  readonly #changes: { readonly from: number; readonly to: number }[] = [];

  private constructor(scope: Scope, world: SentinelWorld, options: RolesOptions) {
    this.#scope = scope;
    this.#world = world;
    this.#plan = rolesPlan(options.seed);
    this.#onStep = options.onStep;
    this.addresses = world.servers.map(({ address }) => address);
  }

  static async start(scope: Scope, options: RolesOptions): Promise<Roles> {
    // As the page of the recipe has it: a check fails before the Sentinels act.
    const world = await startSentinelWorld(scope, { downAfterMs: 4_000, failoverTimeoutMs: 3_000 });
    return new Roles(scope, world, options);
  }

  /** The app begins to write. @param port of the service */
  come(port: number): void {
    const first = this.#writers.length * PER_WRITER + 1;
    this.#writers.push(startRedisWriter(this.#scope, port, { replicas: REPLICAS, first }));
  }

  async leave(): Promise<void> {
    await this.#writers.at(-1)?.stop();
  }

  /** Goes on with the changes until aborted; when it resolves one leads, and the others follow it. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const step = this.#plan.next().value;
      try {
        await pause(step.afterMs, undefined, { signal });
      } catch {
        return;
      }
      this.counts.set(step.kind, (this.counts.get(step.kind) ?? 0) + 1);
      this.#onStep('primary', step);
      const from = performance.now();
      await this.#change(step);
      await this.#settled();
      this.#changes.push({ from, to: performance.now() + SEEN_WITHIN_MS });
    }
  }

  async findings(): Promise<RolesFindings> {
    const acknowledged = this.#writers.flatMap((writer) => writer.acknowledged);
    const refusals = this.#writers.flatMap((writer) => writer.refusals);
    const late = refusals.filter(({ atMs }) => !this.#changes.some(({ from, to }) => from <= atMs && atMs <= to));
    return {
      changes: this.#changes.length,
      acknowledged: acknowledged.length,
      lost: await this.#lost(acknowledged),
      refusals: refusals.length,
      lateRefusals: late.map(({ text, atMs }) => `${Math.round(atMs)} ms: ${text}`),
    };
  }

  async #change(step: RolesStep): Promise<void> {
    if (step.kind === 'failover by Sentinel') {
      await this.#world.failover();
      return;
    }
    const old = await this.#primary();
    if (step.kind === 'primary kill -9') await old.kill();
    else old.freeze();
    // Not before: one that comes back empty, and still leads, would empty the others.
    const another = async () => (await this.#world.primaryPort().catch(() => old.port)) !== old.port;
    await eventually(another, 'another leads', SETTLE_MS);
    if (step.kind === 'primary kill -9') await old.restart();
    else old.thaw();
  }

  async #primary(): Promise<SentinelRedis> {
    const port = await this.#world.primaryPort();
    const found = this.#world.servers.find((server) => server.port === port);
    if (found === undefined) throw new Error(`no Redis of the soak has port ${port}`);
    return found;
  }

  async #settled(): Promise<void> {
    const isSettled = async () => {
      const port = await this.#world.primaryPort().catch(() => 0);
      const links = await Promise.all(this.#world.servers.map((server) => followed(server.port)));
      return this.#world.servers.every((server, index) => {
        return server.port === port ? links[index] === 'leads' : links[index] === `${port}`;
      });
    };
    await eventually(isSettled, 'one leads, and all others follow it', SETTLE_MS);
  }

  async #lost(acknowledged: readonly Written[]): Promise<readonly string[]> {
    const redis = await RedisInline.connect(await this.#world.primaryPort());
    try {
      const lost: string[] = [];
      for (const { n } of acknowledged) if ((await redis.words(`EXISTS w:${n}`)) !== '1') lost.push(`write ${n}`);
      return lost;
    } finally {
      redis.close();
    }
  }
}

export interface RolesOptions {
  readonly seed: number;
  readonly onStep: (target: string, step: RolesStep) => void;
}

/** `leads`, or the port of the one that it follows and has caught up with; otherwise undefined. */
async function followed(port: number): Promise<string | undefined> {
  try {
    const redis = await RedisInline.connect(port);
    try {
      const [role, , primaryPort, link] = (await redis.words('ROLE')).split('\n');
      if (role === 'master') return 'leads';
      return link === 'connected' ? primaryPort : undefined;
    } finally {
      redis.close();
    }
  } catch {
    return undefined;
  }
}
