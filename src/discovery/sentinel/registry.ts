import { formatAddress, parseAddress } from '../../core/address.ts';
import type { SentinelBackend } from '../backends.ts';
import type { Reading, Registry } from '../registry.ts';

/** Values of the settings of Sentinel. */
export interface SentinelSettings {
  readonly SENTINEL_USERNAME: string | undefined;
  readonly SENTINEL_PASSWORD: string | undefined;
  readonly SENTINEL_TLS: boolean;
  readonly SENTINEL_CACERT: string | undefined;
  readonly SENTINEL_CERT: string | undefined;
  readonly SENTINEL_KEY: string | undefined;
}

const SCHEME = 'sentinel://';
const FILES = ['SENTINEL_CACERT', 'SENTINEL_CERT', 'SENTINEL_KEY'] as const;

export const sentinelRegistry: Registry<SentinelBackend, SentinelSettings> = {
  kind: 'sentinel',
  title: 'Sentinel',
  schemes: ['sentinel'],
  forms: ['sentinel://host:port'],
  isListOfHosts: true,
  credentials: 'SENTINEL_USERNAME, SENTINEL_PASSWORD',
  hasRoles: true,
  readUrl,
  readService,
  settings: [
    { name: 'SENTINEL_USERNAME', needs: 'SENTINEL_PASSWORD' },
    { name: 'SENTINEL_PASSWORD' },
    { name: 'SENTINEL_TLS' },
    { name: 'SENTINEL_CACERT', isFile: true },
    { name: 'SENTINEL_CERT', isFile: true, needs: 'SENTINEL_KEY' },
    { name: 'SENTINEL_KEY', isFile: true, needs: 'SENTINEL_CERT' },
  ],
  refuseValues: (values) =>
    values.SENTINEL_TLS
      ? []
      : FILES.filter((name) => values[name] !== undefined).map((name) => [
          name,
          'SENTINEL_TLS=true beside it, got false',
        ]),
  backend: (urls, values) => ({
    kind: 'sentinel',
    sentinels: urls.map((url) => url.slice(SCHEME.length)),
    sentinelUsername: values.SENTINEL_USERNAME,
    sentinelPassword: values.SENTINEL_PASSWORD,
    sentinelTls: values.SENTINEL_TLS,
    sentinelCaCertPath: values.SENTINEL_CACERT,
    sentinelCertPath: values.SENTINEL_CERT,
    sentinelKeyPath: values.SENTINEL_KEY,
  }),
  urls: ({ sentinels }) => sentinels.map((sentinel) => `${SCHEME}${sentinel}`),
  variant: (_, { role }) => (role === 'primary' ? '' : ` ${role}`),
  async load(backend) {
    const { sentinelSource } = await import('./source.ts');
    return (options) => sentinelSource({ ...options, ...backend });
  },
};

function readUrl(url: string): Reading {
  const parsed = parseAddress(url.slice(SCHEME.length).replace(/\/$/, ''), 'discovered');
  if (!parsed.ok) return { ok: false, reason: `${parsed.reason} (in sentinel://host:port)` };
  return { ok: true, value: `${SCHEME}${formatAddress(parsed.address)}` };
}

/** What Sentinels take as the name of a primary. */
function readService(text: string): Reading {
  if (/^[\w.-]{1,255}$/.test(text)) return { ok: true, value: text };
  return { ok: false, reason: 'the name that Sentinels have for a primary, as in mymaster' };
}
