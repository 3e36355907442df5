import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configure } from '../configure.ts';

/** What Kubernetes injects for a Service, following its documentation on environment variables. */
function kubernetesService(name: string, port = 6379): Record<string, string> {
  const host = '10.96.0.11';
  return {
    [`${name}_SERVICE_HOST`]: host,
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_HTTP`]: String(port),
    [`${name}_SERVICE_PORT_CLIENT_TLS`]: String(port),
    [`${name}_PORT`]: `tcp://${host}:${port}`,
    [`${name}_PORT_${port}_TCP`]: `tcp://${host}:${port}`,
    [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${name}_PORT_${port}_TCP_PORT`]: String(port),
    [`${name}_PORT_${port}_TCP_ADDR`]: host,
    [`${name}_PORT_53_UDP`]: `udp://${host}:53`,
    [`${name}_PORT_53_UDP_ADDR`]: host,
  };
}

/** What a Docker link with an alias injects on top. */
function dockerLink(alias: string): Record<string, string> {
  return {
    ...kubernetesService(alias),
    [`${alias}_NAME`]: `/app/${alias.toLowerCase()}`,
    [`${alias}_ENV_PATH`]: '/bin',
    [`${alias}_ENV_CONNECT_TIMEOUT`]: '5',
  };
}

const settings = [
  'SRC',
  'DST',
  'SRV',
  'NET',
  'LB',
  'BALANCE',
  'RETRIES',
  'CONNECT_TIMEOUT',
  'ON_CHANGE',
  'TLS_CERT',
  'DSC',
];
const all = settings.flatMap((name) => [
  ...Object.entries(kubernetesService(name)),
  ...Object.entries(kubernetesService(`${name}_REDIS`)),
  ...Object.entries(dockerLink(name)),
]);
const services = { SRC: ':1', DST: 'a:1', SRC_REDIS: ':2', DST_REDIS: 'b:1' };

test('variables that Kubernetes and Docker links inject declare nothing, set nothing, and are no error', () => {
  const config = configure({ env: { ...Object.fromEntries(all), ...services } });
  assert.deepEqual(config, configure({ env: services }));
});

test('each injected variable alone changes nothing', () => {
  const plain = configure({ env: services });
  for (const [name, value] of all) {
    if (/_(?:NAME|ENV_\w+)$/.test(name)) continue; // Docker never injects these without the link's port.
    assert.deepEqual(configure({ env: { ...services, [name]: value } }), plain, `${name}=${value}`);
  }
});
