import { isIPv6 } from 'node:net';
import type { IOptions, IWatchResponse, Watcher } from 'etcd3';
import { readValue, type ReadDetails } from '../core/endpoint.ts';
import { callGuard, type CallGuard } from './calls.ts';
import type { EtcdEndpoint, EtcdTlsMaterial } from './endpoint.ts';
import { leaseCalls, type LeaseCalls } from './leases.ts';
import type { EtcdLibrary } from './library.ts';
import type { EtcdTiming } from './timing.ts';

/** What etcd held below a directory at one revision. */
export interface EtcdSnapshot {
  readonly revision: number;
  /** By what stands behind the prefix: what the values say. Not the values, whose length nobody bounds. */
  readonly members: ReadonlyMap<string, ReadDetails>;
}

/** What etcd held at one key, and the revision of the answer. */
export interface EtcdValue {
  readonly revision: number;
  /** Undefined: there is no such key. `revision`: of its last change. */
  readonly value: { readonly text: string; readonly revision: string } | undefined;
}

export interface EtcdClientOptions {
  readonly library: EtcdLibrary;
  readonly endpoint: EtcdEndpoint;
  /** The endpoint's address: the package would look the name up by `getaddrinfo`, which one dead name can block. */
  readonly ip: string;
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

/** etcd as one session sees it: one endpoint, one log-in. */
export interface EtcdClient {
  /** Logs in when there is a user. */
  login(): Promise<void>;
  /** Every key below `prefix`, linearizable; logs in once more when the log-in no longer counts. */
  list(prefix: string): Promise<EtcdSnapshot>;
  /** One key, linearizable; logs in once more when the log-in no longer counts. */
  get(key: string): Promise<EtcdValue>;
  /** The first `limit` keys below `prefix`, whole; '' is every key. */
  firstKeys(prefix: string, limit: number): Promise<readonly string[]>;
  watch(options: WatchOptions): void;
  /** What writes. */
  readonly leases: LeaseCalls;
  /** Ends every call and every watch. May be called twice. */
  close(): void;
}

/** What is watched: every key below `prefix`, or one `key`. */
export type WatchOptions = ({ readonly prefix: string } | { readonly key: string }) & {
  readonly startRevision: number;
  readonly listener: WatchListener;
};

/** Most keys of one answer: their values are held until it is read. */
const LIST_PAGE = 1_000;

/** @throws what the packages throw for TLS material they cannot use */
export function openEtcdClient(options: EtcdClientOptions): EtcdClient {
  const { library, username, password = '' } = options;
  const calls = callGuard();
  const ending = { ended: false };
  const etcd = new library.Etcd3(clientOptions(options, { calls, ending }));
  const detach: (() => void)[] = [];

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

  async function loggedIn<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (username === undefined || !library.isUnauthenticated(error)) throw error;
      await login();
      return await ask();
    }
  }

  async function listOnce(prefix: string): Promise<EtcdSnapshot> {
    const { start, end } = etcd.range({ prefix });
    const skip = Buffer.byteLength(prefix);
    const members = new Map<string, ReadDetails>();
    let key: Buffer | string = start;
    // The first page says of which revision all are.
    let revision: string | undefined;
    for (;;) {
      const page = { key, range_end: end, limit: LIST_PAGE, ...(revision !== undefined && { revision }) };
      const { header, kvs, more } = await etcd.kv.range(page);
      revision ??= header.revision;
      for (const kv of kvs) members.set(kv.key.toString('utf8', skip), readValue(kv.value));
      const last = kvs.at(-1);
      if (!more || last === undefined) return { revision: Number(revision), members };
      key = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }

  return {
    login,
    list: (prefix) => loggedIn(() => listOnce(prefix)),
    get: (key) =>
      loggedIn(async () => {
        const { header, kvs } = await etcd.kv.range({ key: Buffer.from(key) });
        const [kv] = kvs;
        const value = kv && { text: kv.value.toString(), revision: kv.mod_revision };
        return { revision: Number(header.revision), value };
      }),
    async firstKeys(prefix, limit) {
      // From the key of one NUL up to it: every key.
      const { start, end } = prefix === '' ? { start: Buffer.of(0), end: Buffer.of(0) } : etcd.range({ prefix });
      const { kvs } = await etcd.kv.range({ key: start, range_end: end, keys_only: true, limit });
      return kvs.map(({ key }) => key.toString());
    },
    watch({ startRevision, listener, ...what }) {
      const builder = etcd.watch().startRevision(String(startRevision));
      const watched = 'key' in what ? builder.key(what.key) : builder.prefix(what.prefix);
      // Not create(): its promise never settles while etcd is down.
      detach.push(attach(watched.watcher(), listener));
    },
    leases: leaseCalls(etcd, options.timing.callMs),
    close() {
      if (ending.ended) return;
      ending.ended = true;
      for (const end of detach) end();
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
  const { library, endpoint, ip, tls, timing } = options;
  const interceptors = [calls.interceptor];
  return {
    hosts: `${endpoint.secure ? 'https' : 'http'}://${isIPv6(ip) ? `[${ip}]` : ip}:${endpoint.port}`,
    ...(tls === undefined ? {} : { credentials: credentials(tls) }),
    // No `auth`: the package would log in on a channel that has none of these options, and can hang there.
    grpcOptions: {
      'grpc.default_authority': endpoint.label,
      // What the certificate is checked for, and SNI: the name, as if it had been dialed by it.
      ...(tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
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
      // Values of members are not bounded by us.
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
