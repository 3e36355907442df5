import { pathToFileURL } from 'node:url';
import { formatAddress } from '../core/address.ts';
import { formatDuration } from '../core/duration.ts';
import { formatMaterialOrigin } from '../core/material-origin.ts';
import { formatPeerRule } from '../core/peer-rule.ts';
import { printable } from './quote.ts';
import type { Config, DiscoveryConfig, ServiceConfig, TlsConfig } from './config.ts';

type Plain = string | number | boolean | readonly string[];
type Row = readonly [word: string, value: Plain];

/** A configuration as text for people: every word with its value, aligned, without secrets or a newline at the end. */
export function describeConfig(config: Config): string {
  const blocks = [
    ...config.services.map((service) => block(`service ${service.name} (${service.origin})`, serviceRows(service))),
    block('process', processRows(config)),
  ];
  if (config.warnings.length > 0) blocks.push(['warnings', ...config.warnings.map((text) => `  ${text}`)].join('\n'));
  return blocks.join('\n\n');
}

/**
 * A configuration as JSON for programs, without secrets: lower-case words, `services` in the shape that the variable
 * `SERVICES` takes, so that what was printed can be used.
 */
export function describeConfigJson(config: Config): string {
  const services = config.services.map((service) => ({
    name: service.name,
    ...describeService(service),
  }));
  return JSON.stringify({ services, ...Object.fromEntries(processRows(config)), warnings: config.warnings }, null, 2);
}

/** The words of one service with what they come to, lower case, without secrets. */
export function describeService(service: ServiceConfig): Readonly<Record<string, Plain>> {
  return Object.fromEntries(serviceRows(service));
}

function serviceRows(service: ServiceConfig): readonly Row[] {
  const { candidates } = service;
  return [
    ['src', service.listeners.map(formatAddress)],
    candidates.kind === 'static' ? ['dst', candidates.addresses.map(formatAddress)] : ['srv', candidates.directory],
    ['net', service.net],
    ['balance', service.balance],
    ['connect_timeout', formatDuration(service.connectTimeoutMs)],
    ['retries', service.retries],
    ['max_fails', service.maxFails],
    ['fail_timeout', formatDuration(service.failTimeoutMs)],
    ['hold_timeout', formatDuration(service.holdTimeoutMs)],
    ['on_change', service.onChange],
    ['drain_timeout', formatDuration(service.drainTimeoutMs)],
    ['reset_jitter', formatDuration(service.resetJitterMs)],
    ['idle_timeout', formatDuration(service.idleTimeoutMs)],
    ['half_close_timeout', formatDuration(service.halfCloseTimeoutMs)],
    ['max_lifetime', formatDuration(service.maxLifetimeMs)],
    ['keepalive', formatDuration(service.keepAliveMs)],
    ['max_connections', service.maxConnections],
    ['proxy_protocol', service.proxyProtocol],
    ['accept_proxy_protocol', service.acceptProxyProtocol],
    ...tlsRows(service.tls),
  ];
}

function tlsRows(tls: TlsConfig): readonly Row[] {
  if (tls.mode === 'off') return [['tls_mode', 'off']];
  const { ca, cert, key } = tls.origins;
  const optional: readonly (readonly [string, string | undefined])[] = [
    ['tls_cacert', ca && formatMaterialOrigin(ca)],
    ['tls_cert', cert && formatMaterialOrigin(cert)],
    ['tls_key', key && formatMaterialOrigin(key)],
    ['tls_server_name', tls.mode === 'client' ? tls.serverName : undefined],
  ];
  const server: readonly Row[] =
    tls.mode === 'client'
      ? []
      : [
          ['tls_client_auth', tls.clientAuth],
          ['tls_allow', tls.allow.map(formatPeerRule)],
        ];
  return [
    ['tls_mode', tls.mode],
    ...given(optional),
    ['tls_min_version', tls.minVersion],
    ['tls_reload', formatDuration(tls.reloadMs)],
    ...server,
  ];
}

/** Rows that have a value. */
function given(rows: readonly (readonly [string, string | undefined])[]): readonly Row[] {
  return rows.flatMap(([word, value]) => (value === undefined ? [] : [[word, value] as const]));
}

function processRows(config: Config): readonly Row[] {
  return [
    ...discoveryRows(config.discovery),
    ['http_addr', config.httpAddress === undefined ? 'off' : formatAddress(config.httpAddress)],
    ['admin_addr', config.adminAddress === undefined ? 'off' : formatAddress(config.adminAddress)],
    ['ready_min_candidates', config.readyMinCandidates],
    ['drain_delay', formatDuration(config.drainDelayMs)],
    ['shutdown_timeout', formatDuration(config.shutdownTimeoutMs)],
    ['direct_io', config.directIo],
    ['log_level', config.log.level],
    ['log_format', config.log.format],
    ['access_log', config.log.access],
  ];
}

function discoveryRows({ backend, onFailure, allow, stateFile }: DiscoveryConfig): readonly Row[] {
  const rows: Row[] = [
    ['dsc', backend.kind === 'etcd' ? backend.endpoints : [pathToFileURL(backend.root).href]],
    ['discovery_on_failure', onFailure],
    ['discovery_allow', allow],
    ...given([['state_file', stateFile]]),
  ];
  if (backend.kind === 'directory') return rows;
  const login: readonly (readonly [string, string | undefined])[] = [
    ['etcd_username', backend.username],
    ['etcd_password', backend.password === undefined ? undefined : '(hidden)'],
    ['etcd_cacert', backend.caCertPath],
    ['etcd_cert', backend.certPath],
    ['etcd_key', backend.keyPath],
  ];
  return [...rows, ...given(login)];
}

function block(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([word]) => word.length));
  return [title, ...rows.map(([word, value]) => `  ${word.padEnd(width)}  ${show(value)}`)].join('\n');
}

function show(value: Plain): string {
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  return text === '' ? '-' : printable(text);
}
