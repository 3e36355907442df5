import { isIP } from 'node:net';
import { formatAddress, parseAddress } from '../../core/address.ts';
import { formatDuration } from '../../core/duration.ts';
import type { DnsBackend } from '../backends.ts';
import type { Reading, Registry } from '../registry.ts';

/** Values of the settings of DNS. */
export interface DnsSettings {
  readonly DNS_MIN_INTERVAL: number;
  readonly DNS_MAX_INTERVAL: number;
}

const SCHEME = 'dns://';
const PORT = 53;
const LEAST_INTERVAL_MS = 100;
/** `_redis._tcp.` and the domain. */
const SRV_NAME = /^_[a-z0-9-]{1,62}\._[a-z0-9-]{1,62}(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;
const MAX_NAME_LENGTH = 253;

export const dnsRegistry: Registry<DnsBackend, DnsSettings> = {
  kind: 'dns',
  title: 'DNS',
  schemes: ['dns'],
  forms: ['dns://', 'dns://ip:port'],
  isListOfHosts: true,
  readUrl,
  refuseUrls: (urls) =>
    urls.length > 1 && urls.includes(SCHEME) ? "dns:// alone for the system's servers, or servers" : undefined,
  readService,
  settings: [{ name: 'DNS_MIN_INTERVAL' }, { name: 'DNS_MAX_INTERVAL' }],
  refuseValues({ DNS_MIN_INTERVAL: least, DNS_MAX_INTERVAL: most }) {
    if (least < LEAST_INTERVAL_MS) {
      const fault = `${formatDuration(LEAST_INTERVAL_MS)} or more, as name servers are asked so often, got ${formatDuration(least)}`;
      return [['DNS_MIN_INTERVAL', fault]];
    }
    if (most >= least) return [];
    const fault = `${formatDuration(least)}, which is DNS_MIN_INTERVAL, or more, got ${formatDuration(most)}`;
    return [['DNS_MAX_INTERVAL', fault]];
  },
  backend: (urls, values) => ({
    kind: 'dns',
    servers: urls.map((url) => url.slice(SCHEME.length)).filter((server) => server !== ''),
    minIntervalMs: values.DNS_MIN_INTERVAL,
    maxIntervalMs: values.DNS_MAX_INTERVAL,
  }),
  urls: ({ servers }) => (servers.length === 0 ? [SCHEME] : servers.map((server) => `${SCHEME}${server}`)),
  variant: (_, { net }) => (net === 'tcp4' ? '' : ` ${net}`),
  async load(backend) {
    const { dnsSource } = await import('./source.ts');
    return (options) => dnsSource({ ...options, ...backend });
  },
};

function readUrl(url: string): Reading {
  const authority = url.slice(SCHEME.length).replace(/\/$/, '');
  if (authority === '') return { ok: true, value: SCHEME };
  const reason = 'the IP address of a name server, as in dns://10.96.0.10:53';
  const text = isIP(authority) === 4 || /^\[[^\]]*\]$/.test(authority) ? `${authority}:${PORT}` : authority;
  const parsed = parseAddress(text, 'discovered');
  if (!parsed.ok || parsed.address.kind !== 'tcp' || isIP(parsed.address.host) === 0) return { ok: false, reason };
  return { ok: true, value: `${SCHEME}${formatAddress(parsed.address)}` };
}

function readService(text: string): Reading {
  if (text.startsWith('_')) {
    if (SRV_NAME.test(text) && text.length <= MAX_NAME_LENGTH) return { ok: true, value: text.toLowerCase() };
    return { ok: false, reason: 'the name of SRV records, without a port, as in _redis._tcp.example.com' };
  }
  const parsed = parseAddress(text, 'discovered');
  if (parsed.ok && parsed.address.kind === 'tcp' && isIP(parsed.address.host) === 0) {
    return { ok: true, value: formatAddress(parsed.address) };
  }
  return { ok: false, reason: 'name:port, or the name of SRV records such as _redis._tcp.example.com' };
}
