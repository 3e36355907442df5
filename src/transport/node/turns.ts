import { containing, type Contained } from '../../core/contained.ts';

/** Whose bytes are moved turn by turn: a leg. */
export interface TurnTaker extends Contained {
  /** It may read again. */
  turnCame(): void;
}

/** Least that one is given at a time: below it stopping and starting costs more than it is worth. */
const LEAST_SHARE_BYTES = 64 * 1024;
/** Bytes that streams move in one turn of the event loop, together: one or two milliseconds of work. */
const TURN_BYTES = 2 * 1024 * 1024;
/** The same for one stream alone, whose bytes cost less. */
const LONE_TURN_BYTES = 6 * 1024 * 1024;
/** The same for many, which are read in the smallest pieces anyway: libuv accepts one client a turn, and they come in numbers. */
const CROWDED_TURN_BYTES = 1024 * 1024;
/** From so many streams on. */
const CROWD = CROWDED_TURN_BYTES / LEAST_SHARE_BYTES;
/** A turn of less than this is not told from the next. */
const NOTICED_BYTES = 512 * 1024;
/** Reads from this size on count towards a turn. libuv goes on reading a socket only where a read filled its buffer. */
const LARGE_READ_BYTES = 8 * 1024;

let turnBytes = LONE_TURN_BYTES;
let share = LONE_TURN_BYTES;
/** In this turn, by all. */
let spentInTurn = 0;
let isDue = false;
/** In order. Taken from the front by index; what has been taken is cut off when it is the larger part. */
let waiting: TurnTaker[] = [];
let taken = 0;

/** How many bytes one stream may read before it has to wait for its turn. */
export function shareBytes(): number {
  return share;
}

/**
 * Whether a stream may go on reading in this turn of the event loop. libuv reads up to 32 buffers of a socket before it
 * looks at the next one, so without a bound a few fast streams are all that an event loop has time for.
 *
 * @param read bytes that it has just read
 * @param spent bytes that it has read since its last turn, those included
 */
export function mayReadOn(read: number, spent: number): boolean {
  if (read >= LARGE_READ_BYTES) {
    spentInTurn += read;
    // A turn that is to be noticed costs one more look at all sockets: those in which little is moved count as one.
    if (spentInTurn >= NOTICED_BYTES) schedule();
  }
  // Many that begin in the same turn have no small share yet.
  return spent < (spentInTurn < turnBytes ? share : LEAST_SHARE_BYTES);
}

/**
 * Calls `turnCame` in a later turn of the event loop: as many streams go on in one turn as its bytes allow, in the order in
 * which they came. The more streams wait, the smaller is the share of each.
 */
export function waitForTurn(taker: TurnTaker): void {
  waiting.push(taker);
  schedule();
}

function schedule(): void {
  if (isDue) return;
  isDue = true;
  setImmediate(nextTurn);
}

function nextTurn(): void {
  isDue = false;
  spentInTurn = 0;
  const count = waiting.length - taken;
  turnBytes = count <= 1 ? LONE_TURN_BYTES : count > CROWD ? CROWDED_TURN_BYTES : TURN_BYTES;
  share = Math.max(LEAST_SHARE_BYTES, Math.floor(turnBytes / Math.max(1, count)));
  const last = taken + Math.min(count, Math.floor(turnBytes / share));
  while (taken < last) {
    const taker = waiting[taken];
    taken += 1;
    if (taker !== undefined) containing(taker, () => taker.turnCame());
  }
  if (taken * 2 >= waiting.length) {
    waiting = waiting.slice(taken);
    taken = 0;
  }
  if (waiting.length > taken) schedule();
}
