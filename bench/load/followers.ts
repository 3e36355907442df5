import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { scratchFile, type Lab } from '../lab.ts';
import type { Processes, Started } from '../processes.ts';
import type { FollowerOrder, FollowerWord } from './follower-words.ts';

/** In one process; more of them would wait for each other. */
const MOST_IN_PROCESS = 500;
const READY_WITHIN_MS = 180_000;
const SEEN_WITHIN_MS = 120_000;

/** Sidecars' worth of followers of one service. */
export class Followers {
  readonly #parts: readonly Started[];
  readonly #lab: Lab;
  readonly #ready = new Set<Started>();
  #seen = new Set<Started>();
  #lastAt = 0;

  private constructor(lab: Lab, parts: readonly Started[]) {
    this.#lab = lab;
    this.#parts = parts;
    for (const part of parts) {
      part.child.on('message', (word: FollowerWord) => {
        this.#lastAt = performance.now();
        (word.kind === 'ready' ? this.#ready : this.#seen).add(part);
      });
    }
  }

  /** Resolves when each has a set. */
  static async start(lab: Lab, processes: Processes, what: FollowersOptions): Promise<Followers> {
    const parts: Started[] = [];
    for (let left = what.count; left > 0; left -= MOST_IN_PROCESS) {
      const count = Math.min(left, MOST_IN_PROCESS);
      const file = fileURLToPath(new URL('follower-part.js', import.meta.url));
      parts.push(
        await processes.start({
          program: process.execPath,
          args: [file, what.kind, what.server, `${count}`],
          output: scratchFile(lab, 'followers.log'),
          channel: true,
        }),
      );
    }
    const followers = new Followers(lab, parts);
    await followers.#until(() => followers.#ready.size === parts.length, READY_WITHIN_MS, 'have a set');
    return followers;
  }

  /**
   * Has the followers tell of a member, which `put` then writes.
   *
   * @returns from when it was written until the last of them had it, ms
   */
  async see(member: string, put: () => Promise<void>): Promise<number> {
    this.#seen = new Set();
    const order: FollowerOrder = { member };
    for (const { child } of this.#parts) child.send(order);
    await put();
    const putAt = performance.now();
    await this.#until(() => this.#seen.size === this.#parts.length, SEEN_WITHIN_MS, `have ${member}`);
    return Math.max(0, this.#lastAt - putAt);
  }

  async #until(isSo: () => boolean, withinMs: number, what: string): Promise<void> {
    const deadline = performance.now() + withinMs;
    const died = Promise.race(this.#parts.map((part) => part.died));
    while (!isSo()) {
      if (performance.now() > deadline) throw new Error(`not all followers ${what} after ${withinMs / 1_000} s`);
      await Promise.race([delay(2, undefined, { signal: this.#lab.signal }), died]);
    }
  }
}

export interface FollowersOptions {
  readonly kind: 'etcd' | 'dns';
  /** `http://host:port` of etcd, or `host:port` of a name server. */
  readonly server: string;
  readonly count: number;
}
