import { setTimeout as pause } from 'node:timers/promises';
import type { EtcdClient, EtcdSnapshot } from '../../etcd/client.ts';
import { EtcdFault, faultOf } from '../../etcd/fault.ts';
import { openSession, type OpenSessionOptions } from '../../etcd/open-session.ts';
import type { SessionEnd } from '../../etcd/session-end.ts';
import { EtcdView } from './view.ts';

/** Hears a session. */
export interface SessionListener {
  /** Logged in: from now on, until the session is over, others may ask, too. */
  opened(client: Pick<EtcdClient, 'firstKeys'>): void;
  /** A whole new view; the session keeps it up to date until it ends. */
  listed(view: EtcdView): void;
  /** Members of the view came or went, or their values say something else. */
  changed(): void;
  /** The watch is up, or a re-read agreed with what it had said. */
  confirmed(): void;
  /** A re-read contradicted the watch. */
  mismatched(): void;
}

export interface SessionOptions extends OpenSessionOptions {
  /** The service directory with a slash at its end. */
  readonly prefix: string;
  readonly random: () => number;
  readonly listener: SessionListener;
}

/**
 * One session with one endpoint: ask whether it speaks, log in, list, watch from there, and list again now and then.
 * A watch is never resumed (the package's own resume loses events without an error): whatever happens to the watch
 * ends the session, and the next session begins with a list.
 */
export async function runSession(options: SessionOptions): Promise<SessionEnd> {
  const { endpoint, signal, password, listener } = options;
  const nameFault = (error: unknown) => faultOf(error, { endpoint: endpoint.label, secrets: [password] });
  const over = new AbortController();
  const stop = () => over.abort(new EtcdFault('STOPPED', 'the source was stopped', { code: 'closed' }));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let client: EtcdClient | undefined;
  let upSince: number | undefined;
  let asking = false;
  try {
    const opened = await openSession({ ...options, signal: over.signal }, (made) => (client = made));
    listener.opened(opened);
    const view = new EtcdView(options.prefix, await opened.list(options.prefix));
    listener.listed(view);
    await openWatch({ client: opened, view, options, over, nameFault });
    upSince = performance.now();
    for (;;) {
      listener.confirmed();
      await pause(untilNextCheck(options), undefined, { signal: over.signal });
      asking = true;
      const known = view.revision;
      const snapshot = await opened.list(options.prefix);
      asking = false;
      if (snapshot.revision < known)
        throw new EtcdFault('REVISION_REGRESSED', `${endpoint.label} returned a lower revision than before`);
      await expectAgreement({ view, snapshot, options, signal: over.signal });
    }
  } catch (error) {
    if (signal.aborted) return { kind: 'stopped' };
    const ended = over.signal.aborted;
    const fault = nameFault(ended ? over.signal.reason : error);
    if (upSince === undefined) return { kind: 'failed', fault };
    return { kind: asking && !ended ? 'unresponsive' : 'dropped', fault, upMs: performance.now() - upSince };
  } finally {
    signal.removeEventListener('abort', stop);
    client?.close();
  }
}

interface WatchContext {
  readonly client: EtcdClient;
  readonly view: EtcdView;
  readonly options: SessionOptions;
  readonly over: AbortController;
  readonly nameFault: (error: unknown) => EtcdFault;
}

/** Resolves when etcd has confirmed the watch; any later error or end of the watch ends the session. */
async function openWatch({ client, view, options, over, nameFault }: WatchContext): Promise<void> {
  const { endpoint, listener, prefix, timing } = options;
  over.signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      over.signal.addEventListener('abort', () => reject(over.signal.reason as Error), { once: true });
      timer = setTimeout(() => {
        over.abort(new EtcdFault('TIMEOUT', `${endpoint.label} confirmed no watch in ${timing.watchConnectMs} ms`));
      }, timing.watchConnectMs);
      client.watch({
        prefix,
        startRevision: view.revision + 1,
        listener: {
          connected: resolve,
          message(response) {
            // The package would rethrow it where nobody can catch it.
            try {
              if (view.apply(response)) listener.changed();
            } catch (error) {
              over.abort(nameFault(error));
            }
          },
          failed(error) {
            const fault = nameFault(error);
            over.abort(fault.code === 'discovery_refused' ? fault : watchLost(fault));
          },
        },
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

function watchLost(cause: EtcdFault): EtcdFault {
  return new EtcdFault('WATCH_LOST', `${cause.message} (the watch was lost)`, { cause });
}

interface Comparison {
  readonly view: EtcdView;
  readonly snapshot: EtcdSnapshot;
  readonly options: SessionOptions;
  readonly signal: AbortSignal;
}

/** A list may be ahead of the watch by the events under way: only a difference that no event explains is one. */
async function expectAgreement({ view, snapshot, options, signal }: Comparison): Promise<void> {
  const { endpoint, listener, timing } = options;
  const revision = view.revision;
  if (snapshot.revision < revision || view.agreesWith(snapshot)) return;
  await pause(timing.recheckMs, undefined, { signal });
  if (view.revision !== revision) return;
  listener.mismatched();
  throw new EtcdFault('WATCH_MISMATCH', `${endpoint.label} lists another set than its watch told`);
}

function untilNextCheck({ timing, random }: SessionOptions): number {
  return timing.checkMinMs + random() * (timing.checkMaxMs - timing.checkMinMs);
}
