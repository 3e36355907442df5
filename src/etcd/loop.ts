import { setTimeout as delay } from 'node:timers/promises';
import { fullJitterBackoff } from '../core/backoff.ts';
import type { EtcdEndpoint } from './endpoint.ts';
import type { EtcdFault } from './fault.ts';
import type { SessionEnd } from './session-end.ts';
import type { EtcdTiming } from './timing.ts';

export interface EtcdLoopOptions {
  readonly endpoints: readonly EtcdEndpoint[];
  readonly timing: EtcdTiming;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Runs one session to its end; it does not throw. */
  readonly run: (endpoint: EtcdEndpoint) => Promise<SessionEnd>;
  /** The set in force is no longer known to be right. A watch that was dropped is not yet that: it is tried again. */
  readonly onFault: (fault: EtcdFault) => void;
  /** No endpoint has brought a watch up since the last one ended. */
  readonly onUnreachable: () => void;
  /** Waits, at most until the signal; it does not reject. Replaced in tests. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Session after session, until the signal: one endpoint after the other, from a random one so that a fleet spreads over
 * the cluster. It waits after a session that was up, and after each round in which no endpoint brought one up.
 */
export async function runEtcdLoop(options: EtcdLoopOptions): Promise<void> {
  const { endpoints, timing, random, signal, run, onFault, onUnreachable, pause = abortablePause } = options;
  const initial = { minMs: timing.backoffMinMs, initialMs: timing.backoffInitialMs, random };
  const backoff = fullJitterBackoff({ ...initial, maxMs: timing.backoffMaxMs });
  const refusedBackoff = fullJitterBackoff({ ...initial, maxMs: timing.refusedBackoffMaxMs });
  let next = Math.floor(random() * endpoints.length);
  let failures = 0;
  let refusals = 0;

  while (!signal.aborted) {
    const endpoint = endpoints[next % endpoints.length];
    if (endpoint === undefined) return;
    next += 1;
    const end = await run(endpoint);
    if (end.kind === 'stopped') return;
    if (end.kind === 'dropped') failures = 0;
    else {
      failures = end.kind === 'failed' ? failures + 1 : 1;
      onFault(end.fault);
      if (failures === endpoints.length) onUnreachable();
    }
    refusals = end.fault.code === 'discovery_refused' ? refusals + 1 : 0;
    if (end.kind === 'failed' && failures % endpoints.length !== 0) continue;
    if (end.kind !== 'failed' && end.upMs >= timing.settledMs) {
      backoff.reset();
      refusedBackoff.reset();
    }
    const wait = refusals >= endpoints.length ? refusedBackoff.next() : backoff.next();
    await pause(wait, signal);
  }
}

async function abortablePause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
