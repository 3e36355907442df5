import { formatAddress } from '../core/address.ts';
import { listenExplained } from '../core/errno-hint.ts';
import type { Service } from '../proxy/service.ts';

/** What went wrong, when nothing listens and nothing will without a change outside. */
export function listenFailures(services: readonly Service[]): string | undefined {
  const listeners = services.flatMap(({ status }) => status.listeners);
  const failures = listeners.flatMap(({ asked, status }) =>
    status.phase === 'failed' ? [`${formatAddress(asked)} (${listenExplained(status.errno)})`] : [],
  );
  const isHopeless = failures.length > 0 && listeners.every(({ status }) => status.phase === 'failed');
  return isHopeless ? failures.join(', ') : undefined;
}
