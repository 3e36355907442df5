import { errnoOf } from '../../core/errors.ts';
import type { FailureCode } from '../../core/dial-failure.ts';

/** What the thread has to say of a handshake, or of TLS that failed behind it: `native/secure.h`. */
export interface HandshakeReport {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  readonly isResumed: boolean;
  /** It failed for who the peer is. */
  readonly isPeer: boolean;
  /** Why it failed. */
  readonly code: FailureCode;
  /** SNI of a client. */
  readonly serverName: string | undefined;
  readonly protocol: string | undefined;
  /** The peer's certificate as DER. */
  readonly certificate: Buffer | undefined;
}

const HEAD_BYTES = 28;
const TLS_1_3 = 0x0304;

/** @param bytes undefined: the thread had no memory for a report */
export function readHandshakeReport(bytes: Buffer = Buffer.alloc(HEAD_BYTES)): HandshakeReport {
  const word = (index: number): number => bytes.readUInt32LE(index * 4);
  let at = HEAD_BYTES;
  const [code, serverName, protocol, certificate] = [3, 4, 5, 6].map((index) => {
    const part = bytes.subarray(at, at + word(index));
    at += part.length;
    return part.length > 0 ? part : undefined;
  });
  return {
    version: word(0) === TLS_1_3 ? 'TLSv1.3' : 'TLSv1.2',
    isResumed: word(1) === 1,
    isPeer: word(2) === 1,
    code: errnoOf({ code: code?.toString('latin1') ?? 'ERR_SSL_UNKNOWN' }),
    serverName: serverName?.toString(),
    protocol: protocol?.toString(),
    certificate,
  };
}
