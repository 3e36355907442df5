import type { TestContext } from 'node:test';
import { dialPolicy } from '../../src/core/dial-policy.ts';
import { dnsSource, type DnsSourceOptions } from '../../src/discovery/dns/source.ts';
import { LookRecorder } from './look-recorder.ts';

/** Starts a source over name servers, which looks often and believes soon; stopped after the test. */
export function followDns(
  t: TestContext,
  options: Pick<DnsSourceOptions, 'directory' | 'servers'> & Partial<DnsSourceOptions>,
): LookRecorder {
  const sink = new LookRecorder();
  const source = dnsSource({
    net: 'tcp4',
    policy: dialPolicy([]),
    onFailure: 'keep',
    maxMembers: 0,
    minIntervalMs: 100,
    maxIntervalMs: 200,
    doubtMs: 500,
    ...options,
  });
  t.after(() => source.stop());
  source.start(sink);
  return sink;
}
