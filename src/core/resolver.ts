/** Address family that names are looked up in; 0 is both. */
export type Family = 0 | 4 | 6;

/** Turns a host into the addresses to try, in order. */
export interface Resolver {
  /** At least one IP literal. @throws an error with a `code`: a {@link NameErrno}, or whatever a resolver of yours throws */
  resolve(host: string, family: Family): Promise<readonly string[]>;
}

/**
 * Why a name has no address.
 *
 * - `ENOTFOUND`: there is no such name, or it has no address at all;
 * - `IPV6_ONLY`, `IPV4_ONLY`: it has addresses, but none in the family that `NET` asks for;
 * - `EAI_AGAIN`: every name server answered that it cannot say (SERVFAIL, REFUSED), or refused the question;
 * - `DNS_TIMEOUT`: no name server answered in time;
 * - `LOOKUP_BUSY`: only the system's own sources could know it, and other names kept them busy.
 */
export type NameErrno = 'ENOTFOUND' | 'IPV6_ONLY' | 'IPV4_ONLY' | 'EAI_AGAIN' | 'DNS_TIMEOUT' | 'LOOKUP_BUSY';

/** A name that has no address for us. */
export class NameError extends Error {
  readonly code: NameErrno;
  readonly hostname: string;

  constructor(code: NameErrno, hostname: string) {
    super(`${hostname} cannot be looked up: ${code}`);
    this.name = 'NameError';
    this.code = code;
    this.hostname = hostname;
  }
}
