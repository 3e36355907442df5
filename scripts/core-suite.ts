/** Of the core, what an engine carries: it runs once more with the TypeScript engine. */
export const engineSuite: readonly string[] = [
  'test/unit/transport',
  'test/integration/admin/admin-calls.test.ts',
  'test/integration/proxy/churn-leaves-nothing.test.ts',
  'test/integration/proxy/blocked-loop.test.ts',
  'test/integration/proxy/connection-bytes.test.ts',
  'test/integration/proxy/connection-cuts.test.ts',
  'test/integration/proxy/connection-ends.test.ts',
  'test/integration/proxy/connection-lifetime.test.ts',
  'test/integration/proxy/connection-limits.test.ts',
  'test/integration/proxy/connection-property.test.ts',
  'test/integration/proxy/cut-counts.test.ts',
  'test/integration/app/contained-faults.test.ts',
  'test/integration/app/descriptors.test.ts',
  'test/integration/discovery/directory/members.test.ts',
  'test/integration/app/drain.test.ts',
  'test/integration/balancing/ejection.test.ts',
  'test/integration/app/escaped-errors.test.ts',
  'test/integration/admin/health.test.ts',
  'test/integration/proxy/hold.test.ts',
  'test/integration/app/library.test.ts',
  'test/integration/app/light-start.test.ts',
  'test/integration/proxy/late-waits.test.ts',
  'test/integration/proxy/listening.test.ts',
  'test/integration/logging/exits.test.ts',
  'test/integration/discovery/membership.test.ts',
  'test/integration/admin/metrics.test.ts',
  'test/integration/app/process.test.ts',
  'test/integration/proxy/proxy-header-accept.test.ts',
  'test/integration/proxy/proxy-header-send.test.ts',
  'test/integration/proxy/proxy-header-tls.test.ts',
  'test/integration/proxy/search-reentry.test.ts',
  'test/integration/transport/tls-churn.test.ts',
  'test/integration/transport/tls-core.test.ts',
  'test/integration/transport/tls-openssl.test.ts',
  'test/integration/app/tls-process.test.ts',
  'test/integration/transport/tls-trouble.test.ts',
  'test/integration/transport/node/engine.test.ts',
];

/**
 * What runs on every supported line of Node, where the whole suite does not: everything that moves bytes, and the program from
 * start to stop. What a line could change is Node's sockets, streams, timers and TLS; the rest is plain JavaScript.
 */
export const coreSuite: readonly string[] = [
  'test/unit/balancing',
  'test/unit/core',
  'test/unit/proxy',
  ...engineSuite,
];
