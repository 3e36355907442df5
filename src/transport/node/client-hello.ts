const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_RECORD = 22;
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;
/** Many times what clients send; beyond it OpenSSL may say what it thinks. */
const MAX_HELLO_BYTES = 32 * 1024;

/**
 * Whether OpenSSL can do something with the first bytes of a client: a whole ClientHello is there, or bytes that are no ClientHello.
 * Until then the client costs no CPU, and is to cost no more memory than its bytes.
 */
export function isWorthReading(bytes: Buffer): boolean {
  if (bytes.length > MAX_HELLO_BYTES) return true;
  let message = 0;
  let wanted = MESSAGE_HEADER_BYTES;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== HANDSHAKE_RECORD) return true;
    if (bytes.length < at + RECORD_HEADER_BYTES) return false;
    const content = at + RECORD_HEADER_BYTES;
    const length = bytes.readUInt16BE(content - 2);
    // An empty record of a handshake is a fault.
    if (length === 0) return true;
    const there = Math.min(length, bytes.length - content);
    if (message === 0 && there > 0 && bytes[content] !== CLIENT_HELLO) return true;
    if (message === 0 && there >= MESSAGE_HEADER_BYTES) wanted += bytes.readUIntBE(content + 1, 3);
    // The length of the message in pieces: nobody does that but to be a nuisance.
    else if (message === 0 && there === length) return true;
    if (wanted > MAX_HELLO_BYTES) return true;
    message += there;
    if (message >= wanted && wanted > MESSAGE_HEADER_BYTES) return true;
    at = content + length;
  }
  return false;
}
