import type { DiscoveryBackend, DiscoveryConfig } from './config.ts';
import type { Draft } from './draft.ts';
import type { ProcessValues } from './process-words.ts';
import type { Report } from './report.ts';

/** The discovery part, with what its words say together. */
export function discoveryOf(values: ProcessValues, draft: Draft, report: Report): DiscoveryConfig {
  checkPair(draft, ['ETCD_CERT', 'ETCD_KEY'], report);
  checkPair(draft, ['ETCD_USERNAME', 'ETCD_PASSWORD'], report);
  warnOfUnused(values, draft, report);
  return {
    backend: backendOf(values),
    onFailure: values.DISCOVERY_ON_FAILURE,
    stateFile: values.STATE_FILE,
    allow: values.DISCOVERY_ALLOW ?? [],
  };
}

function backendOf(values: ProcessValues): DiscoveryBackend {
  if (values.DSC.kind === 'directory') return { kind: 'directory', root: values.DSC.root };
  return {
    kind: 'etcd',
    endpoints: values.DSC.endpoints,
    username: values.ETCD_USERNAME,
    password: values.ETCD_PASSWORD,
    caCertPath: values.ETCD_CACERT,
    certPath: values.ETCD_CERT,
    keyPath: values.ETCD_KEY,
  };
}

/** Either of the two alone is of no use. */
function checkPair(draft: Draft, pair: readonly [string, string], report: Report): void {
  const { process, spell } = draft;
  const set = pair.filter((word) => process.has(word));
  const [only, missing] = [set[0], pair.find((word) => !process.has(word))];
  if (set.length !== 1 || only === undefined || missing === undefined) return;
  report.fault(process.origin(only), `expected ${spell(missing)} beside it, got none`);
}

function warnOfUnused(values: ProcessValues, draft: Draft, report: Report): void {
  const { process, spell } = draft;
  const tls = ['ETCD_CACERT', 'ETCD_CERT', 'ETCD_KEY'];
  const login = ['ETCD_USERNAME', 'ETCD_PASSWORD'];
  const dsc = process.get('DSC')?.origin ?? spell('DSC');
  const unused = values.DSC.kind === 'directory' ? [...tls, ...login] : values.DSC.scheme === 'http' ? tls : [];
  for (const word of unused.filter((name) => process.has(name))) {
    const why = values.DSC.kind === 'directory' ? `${dsc} is a directory` : `${dsc} has no https:// endpoint`;
    report.warn(process.origin(word), `not used, as ${why}`);
  }
  if (values.STATE_FILE !== undefined && values.DISCOVERY_ON_FAILURE === 'clear') {
    report.warn(process.origin('STATE_FILE'), `not used, as ${process.origin('DISCOVERY_ON_FAILURE')} is clear`);
  }
}
