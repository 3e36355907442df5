import type { Errno } from '../../core/errors.ts';
import { errnoOf } from '../../core/errors.ts';
import { errnoName } from './errno.ts';
import type { NativeThread } from './thread.ts';
import { readHandshakeReport } from './handshake-report.ts';

/** `native/engine.h`, TLS_ERROR: stands for an errno where a report says what failed. */
const TLS_ERROR = 4096;

/** What the thread's number for a failure of an end means. */
export function failureCode(
  { slot, thread }: { readonly slot: number; readonly thread: NativeThread },
  code: number,
): Errno {
  if (code !== TLS_ERROR) return errnoName(code);
  return errnoOf({ code: readHandshakeReport(thread.addon.report(slot)).code });
}
