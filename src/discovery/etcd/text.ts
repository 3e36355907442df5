import type { SourceCounters } from '../../core/status.ts';
import type { EtcdClient, EtcdValue } from '../../etcd/client.ts';
import { parseEndpoint, type EtcdEndpoint } from '../../etcd/endpoint.ts';
import { faultOf } from '../../etcd/fault.ts';
import { loadEtcdLibrary } from '../../etcd/library.ts';
import { runEtcdLoop } from '../../etcd/loop.ts';
import type { SessionEnd } from '../../etcd/session-end.ts';
import { defaultEtcdTiming, type EtcdTiming } from '../../etcd/timing.ts';
import type { EtcdBackend } from '../backends.ts';
import type { TextSink, TextSource, TextSourceOptions } from '../text-source.ts';
import { KeyView } from './key-view.ts';
import { StateReport } from './report.ts';
import { runSession, type SessionListener } from './session.ts';

export interface EtcdTextOptions extends TextSourceOptions {
  readonly backend: EtcdBackend;
  /** Shorter waits, for tests. */
  readonly timing?: Partial<EtcdTiming>;
  /** Uniform in [0, 1); replaced in tests. */
  readonly random?: () => number;
}

/** One key of etcd, followed session by session as the members of a service are. */
export function etcdText(options: EtcdTextOptions): TextSource {
  const stop = new AbortController();
  let done: Promise<void> | undefined;
  return {
    start(sink) {
      if (!stop.signal.aborted) done ??= follow(options, sink, stop.signal);
    },
    async stop() {
      stop.abort();
      await done;
    },
  };
}

async function follow(options: EtcdTextOptions, sink: TextSink, signal: AbortSignal): Promise<void> {
  const { backend, key, lookup, random = Math.random } = options;
  const { username, password } = backend;
  const timing = { ...defaultEtcdTiming, ...options.timing };
  const counts = { sessions: 0, mismatches: 0 };
  const counters = (): SourceCounters => ({ ...counts, regressions: 0 });
  const report = new StateReport({
    counters,
    report: (state) => {
      if (!signal.aborted) sink.state(state);
    },
  });
  let view: KeyView | undefined;
  const tell = () => {
    if (!signal.aborted && view !== undefined) sink.found(view.found);
  };
  const listener: SessionListener<KeyView> = {
    opened: () => undefined,
    listed: (listed) => {
      view = listed;
      counts.sessions += 1;
      report.listed();
      tell();
    },
    changed: tell,
    confirmed: () => report.ok(),
    mismatched: () => {
      counts.mismatches += 1;
    },
  };
  const subject = {
    range: { key },
    read: (client: EtcdClient) => client.get(key),
    view: (value: EtcdValue) => new KeyView(value),
  };

  async function run(endpoint: EtcdEndpoint): Promise<SessionEnd> {
    try {
      const library = await loadEtcdLibrary();
      const wiring = { library, listener, signal, timing, random, lookup, subject };
      return await runSession({ ...wiring, endpoint, username, password, tlsPaths: backend });
    } catch (error) {
      // The package cannot be loaded; a session does not throw.
      return { kind: 'failed', fault: faultOf(error, { endpoint: endpoint.label, secrets: [password] }) };
    }
  }

  await runEtcdLoop({
    endpoints: backend.endpoints.map(parseEndpoint),
    timing,
    random,
    signal,
    run,
    onFault: (fault) => report.fault(fault),
    onUnreachable: () => undefined,
  });
}
