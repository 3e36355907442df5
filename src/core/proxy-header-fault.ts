/**
 * What is wrong with a header. `NO_HEADER`: the bytes begin neither version; `MALFORMED`: they begin one and break its
 * rules; `TOO_LONG`: a line of more than 107 bytes, or a header of version 2 of more than 4,096; `BAD_CHECKSUM`: the CRC32c in it is
 * that of other bytes.
 */
export type ProxyHeaderFault = 'NO_HEADER' | 'MALFORMED' | 'TOO_LONG' | 'BAD_CHECKSUM';
