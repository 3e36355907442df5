import type { IOptions, IWatchResponse, Watcher } from 'etcd3';
import { callGuard, type CallGuard } from './etcd-calls.ts';
import type { EtcdEndpoint, EtcdTlsMaterial } from './etcd-endpoint.ts';
import type { EtcdLibrary } from './etcd-library.ts';
import type { EtcdTiming } from './etcd-timing.ts';

/** What etcd held below a directory at one revision. */
export interface EtcdSnapshot {
  readonly revision: number;
  /** What stands behind the prefix. */
  readonly names: readonly string[];
}

export interface EtcdClientOptions {
  readonly library: EtcdLibrary;
  readonly endpoint: EtcdEndpoint;
  readonly tls: EtcdTlsMaterial | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly timing: EtcdTiming;
}

/** Hears a watch. `failed` may come more than once for one fault. */
export interface WatchListener {
  connected(): void;
  message(response: IWatchResponse): void;
  failed(error: unknown): void;
}

/** etcd as one session sees it: one endpoint, one log-in, at most one watch. */
export interface EtcdClient {
  /** Logs in when there is a user. */
  login(): Promise<void>;
  /** Every name below `prefix`, linearizable; logs in once more when the log-in no longer counts. */
  list(prefix: string): Promise<EtcdSnapshot>;
  watch(options: { readonly prefix: string; readonly startRevision: number; readonly listener: WatchListener }): void;
  /** Ends every call and the watch. May be called twice. */
  close(): void;
}

/** @throws what the packages throw for TLS material they cannot use */
export function openEtcdClient(options: EtcdClientOptions): EtcdClient {
  const { library, username, password = '' } = options;
  const calls = callGuard();
  const ending = { ended: false };
  const etcd = new library.Etcd3(clientOptions(options, { calls, ending }));
  let detach: (() => void) | undefined;

  async function login(): Promise<void> {
    if (username === undefined) return;
    calls.token = undefined;
    try {
      calls.token = (await etcd.auth.authenticate({ name: username, password })).token;
    } catch (error) {
      // A cluster without authentication takes every call as it is.
      if (!library.isAuthNotEnabled(error)) throw error;
    }
  }

  async function listOnce(prefix: string): Promise<EtcdSnapshot> {
    const { start, end } = etcd.range({ prefix });
    const { header, kvs } = await etcd.kv.range({ key: start, range_end: end, keys_only: true });
    const skip = Buffer.byteLength(prefix);
    return { revision: Number(header.revision), names: kvs.map(({ key }) => key.toString('utf8', skip)) };
  }

  return {
    login,
    async list(prefix) {
      try {
        return await listOnce(prefix);
      } catch (error) {
        if (username === undefined || !library.isUnauthenticated(error)) throw error;
        await login();
        return await listOnce(prefix);
      }
    },
    watch({ prefix, startRevision, listener }) {
      // Not create(): its promise never settles while etcd is down.
      detach = attach(etcd.watch().prefix(prefix).startRevision(String(startRevision)).watcher(), listener);
    },
    close() {
      if (ending.ended) return;
      ending.ended = true;
      detach?.();
      calls.cancelAll();
      etcd.close();
    },
  };
}

interface ClientInternals {
  readonly calls: CallGuard;
  readonly ending: { readonly ended: boolean };
}

function clientOptions(options: EtcdClientOptions, { calls, ending }: ClientInternals): IOptions {
  const { library, endpoint, tls, timing } = options;
  const interceptors = [calls.interceptor];
  return {
    hosts: `${endpoint.secure ? 'https' : 'http'}://${endpoint.label}`,
    ...(tls === undefined ? {} : { credentials: credentials(tls) }),
    // No `auth`: the package would log in on a channel that has none of these options, and can hang there.
    grpcOptions: {
      'grpc.keepalive_time_ms': timing.keepAliveMs,
      'grpc.keepalive_timeout_ms': timing.keepAliveTimeoutMs,
      // Of a connection that fails although the endpoint has just answered: well within the deadline of a call.
      'grpc.initial_reconnect_backoff_ms': 100,
      // Shared connections outlive the client that found them dead.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
      // A look-up of TXT records per connection, for a configuration that etcd does not publish.
      'grpc.service_config_disable_resolution': 1,
      // Values of members are not bounded by us; the list leaves them out, the watch cannot.
      'grpc.max_receive_message_length': -1,
    },
    faultHandling: {
      host: () => library.noop,
      global: library.noop,
      watchBackoff: briefAtTheEnd(ending),
    },
    defaultCallOptions: ({ isStream }) =>
      isStream ? { interceptors } : { interceptors, deadline: Date.now() + timing.callMs },
  };
}

type WatchBackoff = NonNullable<NonNullable<IOptions['faultHandling']>['watchBackoff']>;

/** The watch manager sets a timer of this length whenever its stream ends: it must not outlive a closed client. */
function briefAtTheEnd(ending: { readonly ended: boolean }): WatchBackoff {
  const backoff: WatchBackoff = {
    get duration() {
      return ending.ended ? 0 : 100;
    },
    next: () => backoff,
  };
  return backoff;
}

function credentials({ ca, key, cert }: EtcdTlsMaterial): NonNullable<IOptions['credentials']> {
  const named = {
    ...(ca === undefined ? {} : { rootCertificate: ca }),
    ...(key === undefined ? {} : { privateKey: key }),
    ...(cert === undefined ? {} : { certChain: cert }),
  };
  // The root certificate is typed as required; left out, it means the authorities that Node trusts.
  return named as NonNullable<IOptions['credentials']>;
}

/** @returns detaches the listener and takes the watch down, without waiting for etcd to agree */
function attach(watcher: Watcher, listener: WatchListener): () => void {
  const connected = () => listener.connected();
  const message = (response: IWatchResponse) => listener.message(response);
  const failed = (error: unknown) => listener.failed(error);
  const ended = () => listener.failed(new Error('the watch was ended'));
  watcher.on('connected', connected).on('data', message).on('error', failed).on('disconnected', failed);
  watcher.on('end', ended);
  return () => {
    watcher.off('connected', connected).off('data', message).off('error', failed).off('disconnected', failed);
    watcher.off('end', ended);
    watcher.on('error', () => undefined);
    watcher.cancel().catch(() => undefined);
  };
}
