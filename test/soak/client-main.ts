/** The child process of `clients.ts`: all clients of a soak, told by IPC when to come and when to leave. */
import { setMaxListeners } from 'node:events';
import { seededRandom } from '../support/seeded.ts';
import type { Stay } from './absences.ts';
import { Visitor, type Habits, type Tally } from './visitor.ts';

export type ClientOrder =
  | { readonly kind: 'come'; readonly ports: readonly number[]; readonly seed: number }
  /** All of them again, after they had left. */
  | { readonly kind: 'come again' }
  /** At once, in the middle of what they do. */
  | { readonly kind: 'leave' };

export interface ClientReport {
  readonly tally: Tally;
  /** `Date.now()` of the oldest last answer: every client has been answered since. */
  readonly allAnsweredSince: number;
  /** Who that is. */
  readonly slowest: string;
  /** Since the last report. */
  readonly stays: readonly Stay[];
  /** What must never be, as text; the first few. */
  readonly wrong: readonly string[];
  readonly isResting: boolean;
}

const REPORT_EVERY_MS = 250;
const MOST_WRONG = 20;
const MiB = 1024 * 1024;

/** Of each kind and for each service. */
const KINDS = [
  { kind: 'steady', count: 8, mostQuestions: 300, thinkMs: 60, largeBytes: 64 * 1024, largeShare: 0.02, isSlow: false },
  { kind: 'brief', count: 5, mostQuestions: 2, thinkMs: 250, largeBytes: 1024, largeShare: 0.01, isSlow: false },
  { kind: 'bulk', count: 1, mostQuestions: 8, thinkMs: 400, largeBytes: 4 * MiB, largeShare: 0.7, isSlow: false },
  { kind: 'slow', count: 2, mostQuestions: 8, thinkMs: 300, largeBytes: 2 * MiB, largeShare: 0.7, isSlow: true },
] as const;

const tally: Tally = {
  connections: 0,
  answers: 0,
  cuts: 0,
  bytesIn: 0,
  bytesOut: 0,
  largestBytes: 0,
  longestPauseMs: 0,
  pausesOverSecond: 0,
};
const visitors: { readonly name: string; readonly visitor: Visitor }[] = [];
const wrong: string[] = [];
let stays: Stay[] = [];
let over = new AbortController();
let underWay = 0;

// The soak has ended, in whatever way.
process.once('disconnect', () => process.exit(0));
// It is the soak that decides what a Ctrl-C ends, and when.
process.on('SIGINT', () => undefined);
process.on('message', (order: ClientOrder) => {
  if (order.kind === 'leave') {
    over.abort();
    return;
  }
  if (order.kind === 'come') hire(order.ports, order.seed);
  over = new AbortController();
  // One for each client, and one for each pause.
  setMaxListeners(0, over.signal);
  for (const one of visitors) void run(one);
});
setInterval(report, REPORT_EVERY_MS);

function hire(ports: readonly number[], seed: number): void {
  for (const [service, port] of ports.entries()) {
    for (const { kind, count, ...habits } of KINDS) {
      for (let n = 0; n < count; n += 1) {
        const name = `${kind}-${service}-${n}`;
        const random = seededRandom(seed + visitors.length);
        const all: Habits = { ...habits, name, port, random };
        visitors.push({ name, visitor: new Visitor(all, tally, (stay) => stays.push(stay)) });
      }
    }
  }
}

async function run({ name, visitor }: (typeof visitors)[number]): Promise<void> {
  underWay += 1;
  const { signal } = over;
  while (!signal.aborted) {
    try {
      await visitor.run(signal);
    } catch (error) {
      // Whatever it is: a client that fails otherwise than by a cut is a finding, too.
      if (wrong.length < MOST_WRONG) wrong.push(`${name}: ${String(error)}`);
    }
  }
  underWay -= 1;
}

function report(): void {
  const [slowest] = [...visitors].sort((a, b) => a.visitor.lastAnswerAt - b.visitor.lastAnswerAt);
  process.send?.({
    tally,
    allAnsweredSince: slowest?.visitor.lastAnswerAt ?? 0,
    slowest: slowest?.name ?? '',
    stays,
    wrong,
    isResting: underWay === 0,
  } satisfies ClientReport);
  stays = [];
}
