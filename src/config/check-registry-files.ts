import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { ConfigFault } from '../core/errors.ts';
import { foundInstead } from '../files/file-fault.ts';
import { readBounded } from '../files/read-file.ts';
import { withoutMark } from '../files/text.ts';
import type { Config, DiscoveryBackend } from './config.ts';

/** Paths of what TLS to a registry needs, and the settings that say them. */
interface TlsFiles {
  /** What the settings begin with: `ETCD` for `ETCD_CACERT`, `ETCD_CERT`, `ETCD_KEY`. */
  readonly prefix: 'ETCD' | 'SENTINEL';
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** What is wrong with the files that TLS to the registries in use will need, each opened and judged. */
export async function checkRegistryFiles(config: Config): Promise<readonly ConfigFault[]> {
  const files = new Map(
    usedRegistries(config)
      .flatMap(filesOf)
      .map((one) => [one.prefix, one]),
  );
  return (await Promise.all([...files.values()].map(judge))).flat();
}

function usedRegistries({ services, discovery }: Config): readonly DiscoveryBackend[] {
  return services.flatMap(({ candidates, register }) => [
    ...(candidates.kind === 'discovered' ? [candidates.registry ?? discovery.backend] : []),
    ...(register === undefined ? [] : [register.registry ?? discovery.backend]),
  ]);
}

function filesOf(backend: DiscoveryBackend): readonly TlsFiles[] {
  if (backend.kind === 'etcd' && backend.endpoints.some((one) => one.startsWith('https:'))) {
    return [{ prefix: 'ETCD', ca: backend.caCertPath, cert: backend.certPath, key: backend.keyPath }];
  }
  if (backend.kind !== 'sentinel' || !backend.sentinelTls) return [];
  const { sentinelCaCertPath: ca, sentinelCertPath: cert, sentinelKeyPath: key } = backend;
  return [{ prefix: 'SENTINEL', ca, cert, key }];
}

async function judge({ prefix, ca, cert, key }: TlsFiles): Promise<readonly ConfigFault[]> {
  const faults: ConfigFault[] = [];
  const refuse = (setting: string, expected: string, got: string) =>
    faults.push({ setting, message: `expected ${expected}, got ${got}` });
  const read = async (setting: string, path: string | undefined): Promise<Buffer | undefined> => {
    if (path === undefined) return undefined;
    try {
      return withoutMark((await readBounded(path)).bytes);
    } catch (error) {
      refuse(setting, 'the path of a readable file', `"${path}" (${foundInstead(error)})`);
      return undefined;
    }
  };
  const [caBytes, certBytes, keyBytes] = await Promise.all([
    read(`${prefix}_CACERT`, ca),
    read(`${prefix}_CERT`, cert),
    read(`${prefix}_KEY`, key),
  ]);
  if (ca !== undefined && caBytes !== undefined && !isCertificate(caBytes)) {
    refuse(`${prefix}_CACERT`, 'certificates in PEM', `"${ca}"`);
  }
  if (cert === undefined || certBytes === undefined || keyBytes === undefined) return faults;
  if (!isCertificate(certBytes)) refuse(`${prefix}_CERT`, 'a certificate in PEM', `"${cert}"`);
  else if (!isKeyOf(certBytes, keyBytes)) refuse(`${prefix}_KEY`, `the key of ${prefix}_CERT in PEM`, `"${key ?? ''}"`);
  return faults;
}

function isKeyOf(cert: Buffer, key: Buffer): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isCertificate(bytes: Buffer): boolean {
  try {
    new X509Certificate(bytes);
    return true;
  } catch {
    return false;
  }
}
