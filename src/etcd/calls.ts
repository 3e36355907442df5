import type { IOptions } from 'etcd3';

type CallOptionsFactory = Extract<NonNullable<IOptions['defaultCallOptions']>, (...args: never[]) => unknown>;
type Interceptor = NonNullable<ReturnType<CallOptionsFactory>['interceptors']>[number];

interface OpenCall {
  cancelWithStatus(code: number, details: string): void;
}

/** Stands around every call of one client: adds the metadata, remembers what is open, ends it all at once. */
export interface CallGuard {
  /** Sent with each call that begins from now on. */
  token: string | undefined;
  readonly interceptor: Interceptor;
  /** Cancels the open calls, and hands on no message from now on. */
  cancelAll(): void;
}

/** gRPC status codes. */
const CANCELLED = 1;
const UNAUTHENTICATED = 16;

/**
 * etcd's words for a log-in that no longer counts: expired or unknown token, no token where one is needed, users or
 * roles changed since the log-in. It gives the last two the code of a malformed request, hence the words.
 */
const TOKEN_REFUSALS = ['invalid auth token', 'user name is empty', 'revision of auth store is old'] as const;

export function callGuard(): CallGuard {
  const open = new Set<OpenCall>();
  let ended = false;

  const guard: CallGuard = {
    token: undefined,
    interceptor(options, nextCall) {
      const call = nextCall(options);
      const start = call.start.bind(call);
      call.start = (metadata, listener) => {
        // A call that fails while grpc-js waits to connect again brings its channel down. The wait outlives the channel:
        // it then connects for nobody, and that connection stays open for ever. So calls wait, up to their deadline.
        metadata.setOptions({ waitForReady: true });
        // Without it a watch on a member that lost its quorum looks healthy for ever.
        metadata.set('hasleader', 'true');
        if (guard.token !== undefined) metadata.set('token', guard.token);
        open.add(call);
        start(metadata, {
          onReceiveMetadata: (received) => listener?.onReceiveMetadata?.(received),
          onReceiveMessage(message: unknown) {
            // A message for a watch that is being taken down makes the package throw where nobody can catch it.
            if (!ended) listener?.onReceiveMessage?.(message);
          },
          onReceiveStatus(status) {
            open.delete(call);
            listener?.onReceiveStatus?.(unauthenticatedByCode(status));
          },
        });
      };
      // Typed as the package's own class; it wants these methods and nothing else.
      return call as unknown as ReturnType<Interceptor>;
    },
    cancelAll() {
      ended = true;
      for (const call of [...open]) call.cancelWithStatus(CANCELLED, 'the session is over');
      open.clear();
    },
  };
  return guard;
}

/** The package repeats a call without end and without a pause when it reads "invalid auth token": say it by code. */
function unauthenticatedByCode<S extends { readonly details: string }>(status: S): S {
  if (!TOKEN_REFUSALS.some((words) => status.details.includes(words))) return status;
  return { ...status, code: UNAUTHENTICATED, details: 'etcd wants a new log-in' };
}
