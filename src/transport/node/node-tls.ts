import type * as tls from 'node:tls';

/** `node:tls`, loaded when it is first used: services without TLS need not wait for OpenSSL, nor keep it in memory. */
export function nodeTls(): typeof tls {
  return process.getBuiltinModule('node:tls');
}
