/**
 * attache as a library: the same services as the program's, as objects.
 *
 * @module
 */
export {
  Ambassador,
  createAmbassador,
  type AmbassadorParts,
  type AmbassadorStatus,
  type Closed,
  type ConnectionsOptions,
  type DrainOptions,
  type Endpoint,
} from './ambassador.ts';
export type { CandidateStatus } from './balancing/candidate.ts';
export { type Config, type ServiceConfig } from './config/config.ts';
export { loadConfig } from './config/load.ts';
export {
  resolveOptions,
  type AddressesOption,
  type AmbassadorOptions,
  type DurationOption,
  type ServiceOptions,
} from './config/options.ts';
export { formatAddress, parseAddress, type Address, type TcpAddress, type UnixAddress } from './core/address.ts';
export { closeReasons, type CloseReason, type EndedBy } from './core/close-reason.ts';
export { AttacheError, ConfigError, type ConfigFault, type ErrorCode } from './core/errors.ts';
export { Metrics, type Measured } from './admin/metrics.ts';
export type * from './core/observer.ts';
export type { OpenConnection, ServiceTraffic } from './core/open-connection.ts';
export type { CandidateSource, SourceCounters, SourceSink, SourceState } from './discovery/source.ts';
export type { ServiceStatus } from './proxy/service.ts';
export type { ReloadResult, TlsCertificate, TlsStatus } from './service-identity.ts';
export type { SlotStatus } from './proxy/slot.ts';
export type { Family, Resolver } from './transport/resolver.ts';
