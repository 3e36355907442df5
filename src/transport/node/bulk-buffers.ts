/**
 * Buffers that bulk streams read into and write from without a copy. Their number is bounded, whatever the peers do; they
 * are used again and again, because memory that is allocated and freed all the time does not go back to the system.
 */

/**
 * - `trial`: for a stream that may yet turn out to be one whose reader has stopped;
 * - `steady`: for one that has moved more than the kernel can have kept for it;
 * - `wide`: the same, while few streams are bulky.
 */
export type BulkKind = 'trial' | 'steady' | 'wide';

/** The best of 64 to 512 KiB for one stream. */
export const WIDE_BYTES = 256 * 1024;
export const NARROW_BYTES = 64 * 1024;

/** Most of each kind that are out at once: 32 MiB in all. */
const MOST: Readonly<Record<BulkKind, number>> = { trial: 128, steady: 256, wide: 32 };
/** How long spare buffers are kept that nobody has needed, ms. */
export const SPARE_MS = 5_000;

/** Spare buffers of one size, and how few there were since they were last looked at. */
interface Spare {
  readonly bytes: number;
  readonly buffers: Buffer[];
  fewest: number;
}

const wide: Spare = { bytes: WIDE_BYTES, buffers: [], fewest: 0 };
const narrow: Spare = { bytes: NARROW_BYTES, buffers: [], fewest: 0 };
const out: Record<BulkKind, number> = { trial: 0, steady: 0, wide: 0 };
let timer: NodeJS.Timeout | undefined;

/** @returns undefined when all of this kind are out; otherwise it is to be given back */
export function takeBulkBuffer(kind: BulkKind): Buffer | undefined {
  if (out[kind] >= MOST[kind]) return undefined;
  out[kind] += 1;
  const spare = spareOf(kind);
  const buffer = spare.buffers.pop();
  spare.fewest = Math.min(spare.fewest, spare.buffers.length);
  return buffer ?? Buffer.allocUnsafeSlow(spare.bytes);
}

/** @param isFree no write still uses the buffer; otherwise the garbage collector gets it */
export function giveBulkBuffer(kind: BulkKind, buffer: Buffer, isFree: boolean): void {
  out[kind] -= 1;
  if (!isFree) return;
  spareOf(kind).buffers.push(buffer);
  timer ??= setInterval(trim, SPARE_MS).unref();
}

/** Whether another of this kind could be had. */
export function hasBulkBuffer(kind: BulkKind): boolean {
  return out[kind] < MOST[kind];
}

/** Bytes of the buffers that are out, and of those that are kept for the next stream. */
export function bulkBytes(): { readonly out: number; readonly spare: number } {
  return {
    out: out.wide * WIDE_BYTES + (out.trial + out.steady) * NARROW_BYTES,
    spare: wide.buffers.length * WIDE_BYTES + narrow.buffers.length * NARROW_BYTES,
  };
}

function spareOf(kind: BulkKind): Spare {
  return kind === 'wide' ? wide : narrow;
}

/** Lets go what nobody has needed since the last time. */
function trim(): void {
  for (const spare of [wide, narrow]) {
    spare.buffers.splice(0, spare.fewest);
    spare.fewest = spare.buffers.length;
  }
  if (wide.buffers.length + narrow.buffers.length > 0) return;
  clearInterval(timer);
  timer = undefined;
}
