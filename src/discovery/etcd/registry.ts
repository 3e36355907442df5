import { formatAddress, parseAddress } from '../../core/address.ts';
import type { EtcdBackend } from '../backends.ts';
import type { Reading, Registry } from '../registry.ts';
import { readServiceDirectory } from '../service-directory.ts';

/** Values of the settings of etcd. */
export interface EtcdSettings {
  readonly ETCD_USERNAME: string | undefined;
  readonly ETCD_PASSWORD: string | undefined;
  readonly ETCD_CACERT: string | undefined;
  readonly ETCD_CERT: string | undefined;
  readonly ETCD_KEY: string | undefined;
}

const URL_FORM = /^(https?|etcd):\/\/([^/?#]*)\/?$/i;

export const etcdRegistry: Registry<EtcdBackend, EtcdSettings> = {
  kind: 'etcd',
  title: 'etcd',
  schemes: ['http', 'https', 'etcd'],
  forms: ['http://host:port', 'https://host:port', 'etcd://host:port'],
  isListOfHosts: true,
  credentials: 'ETCD_USERNAME, ETCD_PASSWORD',
  readUrl,
  readService: readServiceDirectory,
  settings: [
    { name: 'ETCD_USERNAME', needs: 'ETCD_PASSWORD' },
    { name: 'ETCD_PASSWORD', needs: 'ETCD_USERNAME' },
    { name: 'ETCD_CACERT', isFile: true, unusedWith: noTls },
    { name: 'ETCD_CERT', isFile: true, needs: 'ETCD_KEY', unusedWith: noTls },
    { name: 'ETCD_KEY', isFile: true, needs: 'ETCD_CERT', unusedWith: noTls },
  ],
  backend: (endpoints, values) => ({
    kind: 'etcd',
    endpoints,
    username: values.ETCD_USERNAME,
    password: values.ETCD_PASSWORD,
    caCertPath: values.ETCD_CACERT,
    certPath: values.ETCD_CERT,
    keyPath: values.ETCD_KEY,
  }),
  urls: ({ endpoints }) => endpoints,
  async load(backend) {
    const { etcdSource } = await import('./source.ts');
    return (options) => etcdSource({ ...options, ...backend });
  },
  async loadText(backend) {
    const { etcdText } = await import('./text.ts');
    return (options) => etcdText({ ...options, backend });
  },
};

/** `etcd://` says nothing of TLS, so it is the plain one. */
function readUrl(url: string): Reading {
  const [, scheme = '', authority = ''] = URL_FORM.exec(url) ?? [];
  if (scheme === '') return { ok: false, reason: 'an endpoint without path, query or fragment' };
  const lower = scheme.toLowerCase();
  const parsed = parseAddress(authority, 'discovered');
  if (!parsed.ok) return { ok: false, reason: `${parsed.reason} (in ${lower}://host:port)` };
  return { ok: true, value: `${lower === 'https' ? 'https' : 'http'}://${formatAddress(parsed.address)}` };
}

function noTls(urls: readonly string[]): string | undefined {
  return urls.some((url) => url.startsWith('https:')) ? undefined : 'has no https:// endpoint';
}
