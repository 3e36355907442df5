/** What a server of today asks for: the group P-256, uncompressed points, signatures by ECDSA and RSA-PSS with SHA-256. */
export const EXTENSIONS = '000a000400020017' + '000b00020100' + '000d0006000404030804';

/**
 * A whole ClientHello of TLS 1.2 in one record.
 *
 * @param suites in hexadecimal, e.g. `c02bc02f`
 * @param extensions in hexadecimal, each with its type and length; default: none
 */
export function helloOf(suites: string, extensions = ''): Buffer {
  const more = extensions === '' ? '' : `${(extensions.length / 2).toString(16).padStart(4, '0')}${extensions}`;
  const length = (suites.length / 2).toString(16).padStart(4, '0');
  const body = Buffer.from(`0303${'07'.repeat(32)}00${length}${suites}0100${more}`, 'hex');
  return recordOf(Buffer.concat([Buffer.from([1, 0, 0, body.length]), body]));
}

/** One handshake record of at most 255 bytes. */
export function recordOf(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([22, 3, 1, 0, content.length]), content]);
}
