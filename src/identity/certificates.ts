import { X509Certificate } from 'node:crypto';
import { invalid } from './material-error.ts';
import type { MaterialPart } from './parts.ts';
import { describeBlocks, isCertificate, parsePem, type PemBlock } from './pem.ts';

/**
 * Every certificate of a file, at least one, in its order. Other blocks are left alone.
 *
 * @throws MaterialError
 */
export function readCertificates({ origin, bytes }: MaterialPart): readonly X509Certificate[] {
  const parsed = parsePem(bytes);
  if (!parsed.ok) throw invalid(origin, `expected certificates in PEM, found ${parsed.found}`);
  const blocks = parsed.blocks.filter(isCertificate);
  if (blocks.length === 0) {
    throw invalid(origin, `expected at least one certificate, found ${describeBlocks(parsed.blocks)}`);
  }
  return blocks.map((block, index) => {
    const certificate = readCertificate(block);
    if (certificate !== undefined) return certificate;
    const which = `number ${index + 1} of ${blocks.length}`;
    throw invalid(origin, `expected certificates, found one that cannot be read (${which})`);
  });
}

function readCertificate({ text }: PemBlock): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}
