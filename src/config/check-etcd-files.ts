import type { ConfigFault } from '../core/errors.ts';
import { foundInstead } from '../files/file-fault.ts';
import { readBounded } from '../files/read-file.ts';
import type { Config } from './config.ts';

/** What is wrong with the files that etcd's TLS will need, each opened. */
export async function checkEtcdFiles({ discovery: { backend }, services }: Config): Promise<readonly ConfigFault[]> {
  const isUsed = services.some(({ candidates }) => candidates.kind === 'discovered');
  if (backend.kind !== 'etcd' || !isUsed || !backend.endpoints.some((one) => one.startsWith('https:'))) {
    return [];
  }
  const files = [
    ['ETCD_CACERT', backend.caCertPath],
    ['ETCD_CERT', backend.certPath],
    ['ETCD_KEY', backend.keyPath],
  ] as const;
  const faults = await Promise.all(
    files.map(async ([setting, path]): Promise<readonly ConfigFault[]> => {
      if (path === undefined) return [];
      try {
        await readBounded(path);
        return [];
      } catch (error) {
        return [{ setting, message: `expected the path of a readable file, got "${path}" (${foundInstead(error)})` }];
      }
    }),
  );
  return faults.flat();
}
