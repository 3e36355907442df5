import { setTimeout as pause } from 'node:timers/promises';
import type { IWatchResponse } from 'etcd3';
import type { EtcdClient } from '../../etcd/client.ts';
import { EtcdFault, faultOf } from '../../etcd/fault.ts';
import { openSession, type OpenSessionOptions } from '../../etcd/open-session.ts';
import type { SessionEnd } from '../../etcd/session-end.ts';

/** What a session follows, and how. */
export interface Subject<S extends SubjectSnapshot, V extends SubjectView<S>> {
  /** What is watched: every key below a prefix, or one key. */
  readonly range: { readonly prefix: string } | { readonly key: string };
  /** Reads all of it. */
  readonly read: (client: EtcdClient) => Promise<S>;
  /** What was read, to be carried on by events. */
  readonly view: (snapshot: S) => V;
}

export interface SubjectSnapshot {
  readonly revision: number;
}

export interface SubjectView<S> {
  /** Of the last change that is part of the view. */
  readonly revision: number;
  /** Takes in one message of a watch, whole. @returns whether it says something else now */
  apply(message: Pick<IWatchResponse, 'events'>): boolean;
  /** Whether what was read anew is what the view says. */
  agreesWith(snapshot: S): boolean;
}

/** Hears a session. */
export interface SessionListener<V> {
  /** Logged in: from now on, until the session is over, others may ask, too. */
  opened(client: Pick<EtcdClient, 'firstKeys'>): void;
  /** A whole new view; the session keeps it up to date until it ends. */
  listed(view: V): void;
  /** The view says something else. */
  changed(): void;
  /** The watch is up, or a re-read agreed with what it had said. */
  confirmed(): void;
  /** A re-read contradicted the watch. */
  mismatched(): void;
}

export interface SessionOptions<S extends SubjectSnapshot, V extends SubjectView<S>> extends OpenSessionOptions {
  readonly subject: Subject<S, V>;
  readonly random: () => number;
  readonly listener: SessionListener<V>;
}

/**
 * One session with one endpoint: ask whether it speaks, log in, list, watch from there, and list again now and then.
 * A watch is never resumed (the package's own resume loses events without an error): whatever happens to the watch
 * ends the session, and the next session begins with a list.
 */
export async function runSession<S extends SubjectSnapshot, V extends SubjectView<S>>(
  options: SessionOptions<S, V>,
): Promise<SessionEnd> {
  const { endpoint, signal, password, listener, subject } = options;
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
    const view = subject.view(await subject.read(opened));
    listener.listed(view);
    await openWatch({ client: opened, view, options, over, nameFault });
    upSince = performance.now();
    for (;;) {
      listener.confirmed();
      await pause(untilNextCheck(options), undefined, { signal: over.signal });
      asking = true;
      const known = view.revision;
      const snapshot = await subject.read(opened);
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

interface WatchContext<S extends SubjectSnapshot, V extends SubjectView<S>> {
  readonly client: EtcdClient;
  readonly view: V;
  readonly options: SessionOptions<S, V>;
  readonly over: AbortController;
  readonly nameFault: (error: unknown) => EtcdFault;
}

/** Resolves when etcd has confirmed the watch; any later error or end of the watch ends the session. */
async function openWatch<S extends SubjectSnapshot, V extends SubjectView<S>>(
  context: WatchContext<S, V>,
): Promise<void> {
  const { client, view, options, over, nameFault } = context;
  const { endpoint, listener, subject, timing } = options;
  over.signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      over.signal.addEventListener('abort', () => reject(over.signal.reason as Error), { once: true });
      timer = setTimeout(() => {
        over.abort(new EtcdFault('TIMEOUT', `${endpoint.label} confirmed no watch in ${timing.watchConnectMs} ms`));
      }, timing.watchConnectMs);
      client.watch({
        ...subject.range,
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

interface Comparison<S extends SubjectSnapshot, V extends SubjectView<S>> {
  readonly view: V;
  readonly snapshot: S;
  readonly options: SessionOptions<S, V>;
  readonly signal: AbortSignal;
}

/** A list may be ahead of the watch by the events under way: only a difference that no event explains is one. */
async function expectAgreement<S extends SubjectSnapshot, V extends SubjectView<S>>(
  comparison: Comparison<S, V>,
): Promise<void> {
  const { view, snapshot, options, signal } = comparison;
  const { endpoint, listener, timing } = options;
  const revision = view.revision;
  if (snapshot.revision < revision || view.agreesWith(snapshot)) return;
  await pause(timing.recheckMs, undefined, { signal });
  if (view.revision !== revision) return;
  listener.mismatched();
  throw new EtcdFault('WATCH_MISMATCH', `${endpoint.label} lists another set than its watch told`);
}

function untilNextCheck({ timing, random }: Pick<OpenSessionOptions, 'timing'> & { random: () => number }): number {
  return timing.checkMinMs + random() * (timing.checkMaxMs - timing.checkMinMs);
}
