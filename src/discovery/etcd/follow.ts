import { MembershipGuard } from './membership-guard.ts';
import type { EtcdClient, EtcdSnapshot } from '../../etcd/client.ts';
import type { EtcdEndpoint } from '../../etcd/endpoint.ts';
import { EtcdFault, faultOf } from '../../etcd/fault.ts';
import { loadEtcdLibrary } from '../../etcd/library.ts';
import { runEtcdLoop } from '../../etcd/loop.ts';
import type { SessionEnd } from '../../etcd/session-end.ts';
import { StateReport } from './report.ts';
import { runSession, type SessionListener } from './session.ts';
import type { EtcdPlan } from './plan.ts';
import { EtcdView } from './view.ts';
import { MemberReader } from '../members.ts';
import type { SourceSink } from '../source.ts';

export interface FollowOptions {
  readonly sink: SourceSink;
  readonly signal: AbortSignal;
  /** Gets the connection of each session, and undefined when that is over. */
  readonly reachable: (client: Pick<EtcdClient, 'firstKeys'> | undefined) => void;
}

/**
 * Follows one service directory, session after session, until the signal; nothing is reported after the signal.
 *
 * @returns resolves when every socket and timer has been given up; never rejects
 */
export async function followDirectory(plan: EtcdPlan, options: FollowOptions): Promise<void> {
  const { signal, reachable } = options;
  const counts = { sessions: 0, mismatches: 0 };
  const sink = caught(options.sink, signal, (error) => report.fault(consumerFault(error)));
  const report = new StateReport({
    report: (state) => sink.state(state),
    counters: () => ({ ...counts, regressions: guard.regressions }),
  });
  const guard = new MembershipGuard({
    reader: new MemberReader(
      plan.policy,
      (name, reason) => sink.ignored(name, reason),
      (name, reason) => sink.detailIgnored?.(name, reason),
    ),
    maxMembers: plan.maxMembers,
    excessive: (excess) => report.fault(new EtcdFault('TOO_MANY_MEMBERS', excess, { code: 'discovery_stale' })),
    graceMs: plan.regressGraceMs,
    coalesceMs: plan.timing.coalesceMs,
    coalesceMaxMs: plan.timing.coalesceMaxMs,
    deliver: (set) => sink.candidates(set),
    doubtChanged: (doubted) => (doubted ? report.fault(rebuiltFault(plan)) : report.ok()),
  });
  const listener: SessionListener<EtcdView> = {
    opened: reachable,
    listed(view) {
      counts.sessions += 1;
      guard.listed(view);
      if (!guard.doubted) report.listed();
    },
    changed: () => guard.changed(),
    confirmed: () => {
      if (!guard.doubted) report.ok();
    },
    mismatched: () => {
      counts.mismatches += 1;
    },
  };

  async function run(endpoint: EtcdEndpoint): Promise<SessionEnd> {
    const { username, password, prefix, timing, random, lookup } = plan;
    try {
      const library = await unlessAborted(loadEtcdLibrary(), signal);
      const subject = {
        range: { prefix },
        read: (client: EtcdClient) => client.list(prefix),
        view: (snapshot: EtcdSnapshot) => new EtcdView(prefix, snapshot),
      };
      const wiring = { library, listener, signal, timing, random, lookup, subject };
      return await runSession({ ...wiring, endpoint, username, password, tlsPaths: plan });
    } catch (error) {
      // The package cannot be loaded; a session does not throw.
      if (signal.aborted) return { kind: 'stopped' };
      return { kind: 'failed', fault: faultOf(error, { endpoint: endpoint.label, secrets: [password] }) };
    } finally {
      reachable(undefined);
      guard.disconnected();
    }
  }

  try {
    await runEtcdLoop({
      endpoints: plan.endpoints,
      timing: plan.timing,
      random: plan.random,
      signal,
      run,
      onFault: (fault) => report.fault(fault),
      onUnreachable: () => {
        if (plan.onFailure === 'clear') guard.clear();
      },
    });
  } finally {
    guard.stop();
  }
}

/** Keeps calls from coming after the end, and a consumer's exception from reaching a library that cannot handle it. */
function caught(sink: SourceSink, signal: AbortSignal, failed: (error: unknown) => void): SourceSink {
  return {
    candidates(set) {
      if (signal.aborted) return;
      try {
        sink.candidates(set);
      } catch (error) {
        failed(error);
      }
    },
    state(state) {
      if (signal.aborted) return;
      try {
        sink.state(state);
      } catch {
        // There is nobody else to tell.
      }
    },
    ignored(key, reason) {
      if (signal.aborted) return;
      try {
        sink.ignored(key, reason);
      } catch (error) {
        failed(error);
      }
    },
    detailIgnored(key, reason) {
      if (signal.aborted) return;
      try {
        sink.detailIgnored?.(key, reason);
      } catch (error) {
        failed(error);
      }
    },
  };
}

function consumerFault(error: unknown): EtcdFault {
  return new EtcdFault('INTERNAL', 'the consumer of the candidates failed', { code: 'internal', cause: error });
}

function rebuiltFault({ regressGraceMs }: EtcdPlan): EtcdFault {
  const seconds = Math.ceil(regressGraceMs / 1000);
  const text = `etcd has lost its data: it came back with a lower revision and no member; the last set stays for ${seconds} s`;
  return new EtcdFault('REVISION_REGRESSED', text, { code: 'discovery_stale' });
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', abort, { once: true });
      }),
    ]);
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
  }
}
