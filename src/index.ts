/**
 * attache as a library: the same services as the program's, as objects.
 *
 * @module
 */
export { Ambassador, createAmbassador, type AmbassadorParts, type AmbassadorStatus } from './app/ambassador.ts';
export type { Closed, ConnectionsOptions, DrainOptions } from './app/ambassador-calls.ts';
export type { Extension } from './app/extension.ts';
export type { Endpoint, Listener, SlotStatus } from './app/old-names.ts';
export type { Updated } from './app/updated.ts';
export { type Config, type ServiceConfig } from './config/config.ts';
export { loadConfig, type LoadOptions } from './config/load.ts';
export type {
  Balance,
  CandidatesConfig,
  DiscoveryBackend,
  DiscoveryConfig,
  LogConfig,
  LogLevel,
  Net,
  OnChange,
  RegisterConfig,
  RunTimeConfig,
  TlsConfig,
  TlsMaterialConfig,
} from './config/config.ts';
export type { ListenRule } from './config/table/run-time-kinds.ts';
export type { DirectoryBackend, DnsBackend, EtcdBackend, SentinelBackend } from './discovery/backends.ts';
export type { Buckets } from './admin/buckets.ts';
export type { Counters, MemberCounters, ServiceCounters } from './admin/counters.ts';
export type { Flags } from './config/gather/given-flags.ts';
export type { Environment } from './config/gather/injected.ts';
export type { RawSetting } from './config/gather/raw-setting.ts';
export type { ReadFile } from './config/gather/small-file.ts';
export type { FileOrigin, MaterialOrigin, MaterialOrigins, PartName, S3Origin } from './core/material-origin.ts';
export type {
  Expectation,
  HealthCheck,
  HealthSettings,
  HealthState,
  HttpCheck,
  OnUnhealthy,
} from './core/health-check.ts';
export type { PeerRule } from './core/peer-rule.ts';
export type { ProxyHeaderFault } from './core/proxy-header-fault.ts';
export {
  resolveOptions,
  type AddressesOption,
  type AmbassadorOptions,
  type DurationOption,
  type ServiceOptions,
} from './config/options.ts';
export type { Candidate } from './balancing/candidate.ts';
export {
  leastConnectionsPolicy,
  orderedPolicy,
  randomPolicy,
  roundRobinPolicy,
  type Fits,
  type PickFor,
  type Picker,
  type Policy,
} from './balancing/policies.ts';
export {
  formatAddress,
  parseAddress,
  type Address,
  type AddressRole,
  type ParsedAddress,
  type TcpAddress,
  type UnixAddress,
} from './core/address.ts';
export { closeReasons, type CloseReason, type EndedBy } from './core/close-reason.ts';
export type { ConfigurationSource } from './core/configuration-source.ts';
export type { NatMap } from './core/nat-map.ts';
export { endpointOf, type Endpoint as CandidateEndpoint, type EndpointDetails } from './core/endpoint.ts';
export { AttacheError, ConfigError, type ConfigFault, type ErrorCode } from './core/errors.ts';
export { Metrics, type Measured } from './admin/metrics.ts';
export type * from './core/observer.ts';
export type { ConnectionPhase, OpenConnection, ServiceTraffic } from './core/open-connection.ts';
export type { CandidateSource, EmptySurvey, NearestMembers, SourceSink } from './discovery/source.ts';
export type {
  CandidateHealth,
  CandidateStatus,
  ChecksStatus,
  ConfigurationStatus,
  FollowedKeyStatus,
  ListenerState,
  ListenerStatus,
  EngineStatus,
  ProcessStatus,
  RegistrationStatus,
  ServiceStatus,
  SourceCounters,
  SourceState,
  TlsCertificate,
  TlsStatus,
} from './core/status.ts';
export type { EventCallback } from './app/event-listeners.ts';
export type { ReloadResult } from './app/reload-result.ts';
export type { Family, NameErrno, Resolver } from './core/resolver.ts';
