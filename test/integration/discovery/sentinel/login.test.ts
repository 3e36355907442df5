import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../../../support/certificates.ts';
import { followSentinels } from '../../../support/sentinel-source.ts';
import { startSentinelWorld } from '../../../support/sentinel.ts';

const TIMEOUT = { timeout: 120_000 };
const ONE = { servers: 1, sentinels: 1 } as const;

test(
  'Sentinels that want a password get it; a wrong one and none are told, without the password',
  TIMEOUT,
  async (t) => {
    const world = await startSentinelWorld(t, {
      ...{ ...ONE, password: 'hunter2' },
      // What the page says that a user needs.
      lines: ['user attache on >secret-of-its-own &* +subscribe +sentinel'],
    });
    const sentinels = world.sentinels.map(({ address }) => address);
    const members = world.servers.map(({ address }) => address);
    await followSentinels(t, { sentinels, sentinelPassword: 'hunter2' }).holds(members);
    const user = { sentinels, sentinelUsername: 'attache', sentinelPassword: 'secret-of-its-own' };
    await followSentinels(t, user).holds(members);
    const wrong = followSentinels(t, { sentinels, sentinelPassword: 'wrong-secret' });
    await wrong.untilStatus('starting', { error: /: WRONGPASS: correct SENTINEL_USERNAME and SENTINEL_PASSWORD$/ });
    const none = followSentinels(t, { sentinels });
    await none.untilStatus('starting', { error: /: NOAUTH: correct SENTINEL_USERNAME and SENTINEL_PASSWORD$/ });
    assert.ok(![...wrong.states, ...none.states].some((state) => JSON.stringify(state).includes('secret')));
  },
);

test('SENTINEL_TLS: each side checks the certificate of the other', TIMEOUT, async (t) => {
  const authority = await createAuthority(t);
  const files = await authority.issue('sentinel', ['IP:127.0.0.1']);
  const world = await startSentinelWorld(t, { ...ONE, tls: { ...files, caPath: authority.caPath } });
  const sentinels = world.sentinels.map(({ tlsAddress }) => tlsAddress);
  const ours = await authority.issue('attache', []);
  const good = {
    ...{ sentinels, sentinelTls: true, sentinelCaCertPath: authority.caPath },
    ...{ sentinelCertPath: ours.chainPath, sentinelKeyPath: ours.keyPath },
  };
  await followSentinels(t, good).holds(world.servers.map(({ address }) => address));
  const { caPath } = await createAuthority(t);
  const other = followSentinels(t, { ...good, sentinelCaCertPath: caPath });
  await other.untilStatus('starting', { error: /: (?:SELF_SIGNED_CERT|UNABLE_TO_|CERT_SIGNATURE)/ });
  const nameless = followSentinels(t, { ...good, sentinelCertPath: undefined, sentinelKeyPath: undefined });
  await nameless.untilStatus('starting', { error: /./ });
  const plain = followSentinels(t, { sentinels });
  await plain.untilStatus('starting', { error: /: (?:ECONNRESET|it closed the connection: set SENTINEL_TLS=true)/ });
});
