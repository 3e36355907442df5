import { containing, type Contained } from '../core/contained.ts';

/** A handshake that is to begin: that takes a millisecond of CPU, in one piece. */
export interface QueuedHandshake extends Contained {
  /** It is its turn. */
  begin(): void;
  /** Too many handshakes began after this one and it is not done: it has to fail, and to `leave`. */
  giveWay?(): void;
}

/** Time for handshakes in one turn of the event loop; each turn has one at least. */
const TURN_MS = 2;
/** So many are awaited at once, so that their answers make no crowd, either; one that keeps us waiting is not counted. */
const MAX_FRESH = 8;
const FRESH_MS = 25;
/** Handshakes of one service that have begun and wait for their peers; beyond it the oldest gives way. */
const MAX_UNDER_WAY = 1_024;

/**
 * The handshakes of one service. They begin in the order in which they come, a few in each turn of the event loop, in
 * which the services of the process alternate: hundreds at once hold nobody else up. One that waits for its peer costs
 * no CPU, and keeps nobody out for long.
 */
export class Handshakes {
  readonly #waiting = new Set<QueuedHandshake>();
  readonly #underWay = new Set<QueuedHandshake>();

  come(handshake: QueuedHandshake): void {
    this.#waiting.add(handshake);
    takeTurns(this);
  }

  /** It has ended, or waits no longer. */
  leave(handshake: QueuedHandshake): void {
    this.#waiting.delete(handshake);
    this.#underWay.delete(handshake);
    over(handshake);
  }

  /** @returns whether others wait */
  beginNext(): boolean {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      this.#underWay.add(next);
      if (this.#underWay.size > MAX_UNDER_WAY) this.#oldest()?.giveWay?.();
      begun(next);
      containing(next, () => next.begin());
      break;
    }
    return this.#waiting.size > 0;
  }

  #oldest(): QueuedHandshake | undefined {
    for (const oldest of this.#underWay) return oldest;
    return undefined;
  }
}

/** Services with handshakes that wait; whose turn is next is the first. */
const services = new Set<Handshakes>();
/** Handshakes that have begun a moment ago, and when: their peers are about to answer, which takes CPU as well. */
const fresh = new Map<QueuedHandshake, number>();
let next: 'turn' | NodeJS.Timeout | undefined;

function takeTurns(service: Handshakes): void {
  services.add(service);
  if (next === undefined) askForTurn();
}

function begun(handshake: QueuedHandshake): void {
  fresh.set(handshake, performance.now());
}

function over(handshake: QueuedHandshake): void {
  if (!fresh.delete(handshake) || next === 'turn' || services.size === 0) return;
  clearTimeout(next);
  askForTurn();
}

function askForTurn(): void {
  next = 'turn';
  setImmediate(takeTurn);
}

function takeTurn(): void {
  const until = performance.now() + TURN_MS;
  for (const service of services) {
    if (freshFor() > 0) break;
    services.delete(service);
    // Put back as the last, which this loop visits again.
    if (service.beginNext()) services.add(service);
    if (performance.now() >= until) break;
  }
  next = undefined;
  if (services.size === 0) return;
  const wait = freshFor();
  if (wait > 0) next = setTimeout(takeTurn, wait);
  else askForTurn();
}

/** @returns how long it takes until another may begin, ms */
function freshFor(): number {
  const now = performance.now();
  for (const [handshake, at] of fresh) {
    if (now - at < FRESH_MS) return fresh.size < MAX_FRESH ? 0 : at + FRESH_MS - now;
    fresh.delete(handshake);
  }
  return 0;
}
