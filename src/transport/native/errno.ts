import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { FailureCode } from '../../core/dial-failure.ts';
import { errnoOf, type Errno } from '../../core/errors.ts';

/** The thread's own time-out; the kernel's is ETIMEDOUT. */
const OWN_TIMEOUT = constants.errno.ETIME;

/** The name of a number of the system's, as Node has it: `ECONNRESET`. */
export function errnoName(errno: number): Errno {
  return errnoOf({ code: getSystemErrorName(-errno) });
}

/** @returns `late` when the time ran out */
export function dialErrno(errno: number, late: FailureCode): FailureCode {
  return errno === OWN_TIMEOUT ? late : errnoName(errno);
}

/** What Node throws for the same errno, as far as anybody looks. */
export function systemError(errno: number, what: string): Error {
  const code = errnoName(errno);
  return Object.assign(new Error(`${what}: ${code}`), { code, errno: -errno });
}
